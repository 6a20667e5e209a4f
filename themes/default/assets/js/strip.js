// needs: core.js, state.js
/* How high the strip of tokens is, so that what stands below fits the window; and where it is scrolled to. */
(() => {
  const strip = AG.one(".sentence-strip");
  if (!strip) return;
  const measure = () => document.documentElement.style.setProperty("--strip", `${strip.offsetHeight}px`);
  measure();
  new ResizeObserver(measure).observe(strip);

  /** A long sentence scrolls within itself to the selected token. */
  function follow() {
    const rows = AG.one(".strip-tokens", strip);
    const token = AG.all(".tokens .token", strip)[AG.state.token];
    if (!rows || !token) return;
    const [inner, outer] = [token.getBoundingClientRect(), rows.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      rows.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
    if (inner.left < outer.left || inner.right > outer.right)
      rows.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  }
  AG.on("begin", follow);
  AG.on("state", (changed) => {
    if (changed.has("token")) follow();
  });
})();
