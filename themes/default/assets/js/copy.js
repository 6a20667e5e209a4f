// needs: core.js, state.js, tools.js
/* Copies the address of exactly what is shown. */
(() => {
  const button = AG.one("[data-copy]");
  if (!button) return;
  const text = button.textContent;

  async function copy() {
    try {
      await navigator.clipboard.writeText(location.href.split("#")[0] + AG.link());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copy it from the address bar";
    }
    setTimeout(() => {
      button.textContent = text;
    }, 2000);
  }

  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", copy);
})();
