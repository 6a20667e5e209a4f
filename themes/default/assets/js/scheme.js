// needs: core.js
/* Light or dark: as the device says, until the reader chooses. Remembered where storage is allowed; early.js
   reads what is remembered. */
(() => {
  const root = document.documentElement;
  const device = matchMedia("(prefers-color-scheme: dark)");
  const button = AG.one("[data-scheme-toggle]");

  /** @param {string} scheme */
  function remember(scheme) {
    try {
      localStorage.setItem("scheme", scheme);
    } catch {
      /* from disk, storage may be forbidden */
    }
  }

  function dark() {
    const chosen = root.dataset.theme || root.dataset.scheme;
    return chosen === "dark" || (chosen !== "light" && device.matches);
  }

  function changed() {
    if (button) AG.press(button, dark());
    AG.emit("scheme");
  }

  if (button) {
    AG.press(button, dark());
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      remember(root.dataset.theme);
      changed();
    });
  }
  device.addEventListener("change", changed);

  // Figures are pixels: before printing they are drawn again in the colours of paper.
  /** @type {string | null} */
  let before = null;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme || "";
    root.dataset.theme = "light";
    AG.emit("scheme");
    AG.emit("print", true);
  });
  addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
    AG.emit("scheme");
    AG.emit("print", false);
  });
})();
