// needs: core.js, grid.js, select.js
/* On a telephone the heads come as a sheet from below, which goes when one is chosen. */
(() => {
  const sheet = AG.one("[data-sheet]");
  const opener = AG.one("[data-sheet-opener]");
  if (!sheet || !opener || !AG.grid) return;
  const closer = AG.make("button", { type: "button", class: "button sheet-closer" }, "Close");
  sheet.prepend(closer);

  /** @param {boolean} on */
  function open(on) {
    sheet.classList.toggle("open", on);
    opener.setAttribute("aria-expanded", String(on));
    if (on) AG.one('[aria-current="true"]', sheet)?.focus();
    else opener.focus();
  }

  opener.addEventListener("click", () => open(!sheet.classList.contains("open")));
  closer.addEventListener("click", () => open(false));
  sheet.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && sheet.classList.contains("open")) open(false);
  });
  AG.on("chosen", () => {
    if (sheet.classList.contains("open")) open(false);
  });
})();
