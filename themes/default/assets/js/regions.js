// needs: core.js
/* What authors write may be wider than the page: what scrolls can then be reached with the keyboard. */
(() => {
  const boxes = AG.all(".prose :is(pre, table, math[display=block])");
  if (!boxes.length) return;

  function reach() {
    for (const box of boxes) {
      if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    }
  }

  reach();
  addEventListener("resize", AG.framed(reach));
})();
