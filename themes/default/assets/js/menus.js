// needs: core.js
/* Menus of a bar: one is open at a time, and Escape or a click elsewhere closes it. */
(() => {
  const menus = /** @type {HTMLDetailsElement[]} */ (AG.all("details.menu"));
  if (!menus.length) return;

  /** @param {Element | null} except */
  function close(except) {
    for (const menu of menus) if (menu !== except) menu.open = false;
  }

  for (const menu of menus) {
    menu.addEventListener("toggle", () => {
      if (menu.open) close(menu);
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      AG.one("summary", menu).focus();
      event.stopPropagation();
    });
  }
  document.addEventListener("click", (event) =>
    close(/** @type {Element} */ (event.target).closest("details.menu")),
  );
})();
