// needs: core.js, figure.js, matrix.js, plotly.js, plotspec.js, state.js, tools.js
/* Plotly in place of the canvas: zoom, pan, PNG and SVG. */
(() => {
  const { figure, plotlySpec: spec } = AG;
  const button = AG.one("[data-zoom]");
  const { plotly: source, plotlyWhen: when } = document.body.dataset;
  if (!figure || !button || !source) return;
  const div = /** @type {PlotlyDiv} */ (AG.make("div", { class: "figure-plotly" }));
  let wanted = false;

  async function show() {
    if (!wanted || AG.state.view !== "matrix" || !figure.weights || !figure.box) return;
    const Plotly = await AG.plotly();
    if (!wanted || AG.state.view !== "matrix") return;
    figure.plot.append(div);
    await Plotly.react(div, [spec.trace(figure)], spec.layout(figure), spec.config(figure, Plotly));
    if (!wanted || AG.state.view !== "matrix") {
      div.remove();
      return;
    }
    if (!div.dataset.bound) bind();
    cover(true);
  }

  function bind() {
    div.dataset.bound = "1";
    div.on("plotly_hover", ({ points }) => {
      const [query, key] = points[0].pointIndex;
      if (figure.cell && figure.cell[0] === query && figure.cell[1] === key) return;
      figure.cell = [query, key];
      AG.emit("point", figure.cell);
    });
    div.on("plotly_unhover", () => {
      figure.cell = null;
      AG.emit("point", null);
    });
    div.on("plotly_click", ({ points }) => figure.choose(...points[0].pointIndex));
  }

  /**
   * Hides the canvas under Plotly, or takes Plotly away; arrow keys go on working over both.
   *
   * @param {boolean} on
   */
  function cover(on) {
    figure.covered = on;
    const canvas = AG.views.matrix.canvas();
    if (canvas) canvas.style.visibility = on ? "hidden" : "";
    if (!on) div.remove();
  }

  /** As show, but a Plotly that cannot be had leaves the canvas as it is. */
  const attempt = () => show().catch(() => want(false));
  const again = AG.framed(attempt);

  /** @param {boolean} on */
  function want(on) {
    wanted = on;
    AG.press(button, on);
    if (on) attempt();
    else {
      cover(false);
      figure.draw();
    }
  }

  function idle() {
    const spare = navigator.connection?.saveData;
    if (when === "once" && !figure.root.dataset.source) want(true);
    if (
      wanted ||
      when !== "idle" ||
      figure.root.dataset.source ||
      spare ||
      !matchMedia("(hover: hover)").matches
    )
      return;
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      (window.requestIdleCallback || setTimeout)(
        () => {
          if (!figure.cell && !button.dataset.used) want(true);
        },
        { timeout: 4000 },
      );
    });
    seen.observe(figure.plot);
  }

  button.addEventListener("click", () => {
    button.dataset.used = "1";
    want(!wanted);
  });
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.key !== "z" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!button.disabled && !target.closest("input, textarea, select, [contenteditable]")) button.click();
  });
  // With Ctrl or ⌘ the wheel zooms, here in the figure; alone it scrolls the page.
  figure.plot.addEventListener(
    "wheel",
    (event) => {
      if (wanted || button.disabled || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      button.click();
    },
    { passive: false },
  );
  AG.on("weights", again);
  AG.on("scheme", again);
  AG.on("state", (changed) => {
    if (changed.has("view") && AG.state.view !== "matrix") cover(false);
    if (["scale", "curve", "view", "token", "key", "direction", "special"].some((name) => changed.has(name)))
      again();
  });
  AG.on("print", (on) => {
    if (wanted) cover(false);
    if (!on) again();
  });
  AG.on("point", () => {
    if (!figure.covered || document.activeElement !== figure.plot) return;
    if (figure.cell) window.Plotly.Fx.hover(div, { xval: figure.cell[1], yval: figure.cell[0] }, "xy");
    else window.Plotly.Fx.unhover(div);
  });
  new ResizeObserver(() => {
    if (wanted && div.isConnected) again();
  }).observe(figure.plot);
  AG.on("begin", () => {
    if (document.readyState === "complete") idle();
    else addEventListener("load", idle);
  });
})();
