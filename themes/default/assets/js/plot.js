/* Plotly in place of the canvas: zoom, pan, PNG and SVG. Its script is loaded only when it is needed. */
(() => {
  const { figure } = AG;
  const button = AG.one("[data-zoom]");
  const { plotly: source, plotlyWhen: when } = document.body.dataset;
  if (!figure || !button || !source) return;
  const div = AG.make("div", { class: "figure-plotly" });
  let wanted = false;
  let loading = null;

  /** Plotly's script brings style sheets for maps; a strict policy would report each as an error. */
  function withoutStyles() {
    const create = document.createElement;
    document.createElement = (tag, ...rest) => create.call(document, tag === "style" ? "meta" : tag, ...rest);
    return () => { document.createElement = create; };
  }

  function load() {
    loading ||= new Promise((resolve, reject) => {
      const script = AG.make("script", { src: source });
      const restore = withoutStyles();
      script.addEventListener("load", () => { restore(); resolve(window.Plotly); });
      script.addEventListener("error", () => { restore(); loading = null; reject(new Error("Plotly")); });
      document.head.append(script);
    });
    return loading;
  }

  /** The canvas's colours, square root and all, as stops of a linear scale. */
  function colours() {
    const ramp = AG.colour.ramp();
    return Array.from({ length: 33 }, (_, i) => {
      const at = Math.round((i / 32) * 255) * 3;
      return [(i / 32) ** 2, `rgb(${ramp[at]},${ramp[at + 1]},${ramp[at + 2]})`];
    });
  }

  function rows() {
    return figure.labels.map((_, query) => Array.from(figure.weights.subarray(query * figure.size, (query + 1) * figure.size), (weight) => (Number.isNaN(weight) ? null : weight)));
  }

  /** The selected token's row or column, outlined as on the canvas. */
  function outlined() {
    const { token, direction } = AG.state;
    if (!(token >= 0 && token < figure.size)) return [];
    const along = [token - 0.5, token + 0.5];
    const across = [-0.5, figure.size - 0.5];
    const [x, y] = direction === "from" ? [across, along] : [along, across];
    return [{ type: "rect", x0: x[0], x1: x[1], y0: y[0], y1: y[1], line: { color: AG.colour.css("--accent"), width: 2 } }];
  }

  function layout() {
    const { box } = figure;
    const { clientWidth: width, clientHeight: height } = figure.plot;
    const style = getComputedStyle(document.documentElement);
    const axis = { dtick: box.every, tickfont: { size: box.font, color: AG.colour.css("--ink-soft") }, title: { text: "" }, automargin: false, linecolor: AG.colour.css("--line"), showline: true, mirror: true, ticks: "", ticklabelstandoff: 4 };
    const { layout: given } = figure.spec;
    return {
      ...given,
      width, height,
      shapes: outlined(),
      margin: { l: box.left, t: box.top, r: width - box.left - box.side, b: height - box.top - box.side, pad: 0 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: AG.colour.css("--absent"),
      font: { family: style.fontFamily, color: AG.colour.css("--ink") },
      hoverlabel: { bgcolor: AG.colour.css("--ink"), bordercolor: AG.colour.css("--ink"), font: { family: style.fontFamily, color: AG.colour.css("--paper"), size: 13 } },
      xaxis: { ...given.xaxis, ...axis, tickangle: box.level ? 0 : -45 },
      yaxis: { ...given.yaxis, ...axis },
    };
  }

  function config(Plotly) {
    const filename = `${figure.name}-attention`;
    const svg = { name: "Save as SVG", icon: Plotly.Icons.disk, click: (graph) => Plotly.downloadImage(graph, { format: "svg", filename, width: graph.clientWidth, height: graph.clientHeight }) };
    return { ...figure.spec.config, responsive: false, displaylogo: false, showSendToCloud: false, displayModeBar: true, modeBarButtons: [["toImage", svg], ["zoomIn2d", "zoomOut2d", "resetScale2d"]], toImageButtonOptions: { format: "png", scale: 3, filename } };
  }

  async function show() {
    if (!wanted || AG.state.view !== "matrix" || !figure.weights || !figure.box) return;
    const Plotly = await load();
    if (!wanted || AG.state.view !== "matrix") return;
    // Without any gap Plotly takes a way that writes style attributes, which a strict policy refuses.
    const gap = !figure.causal && figure.box.cell >= 9 ? 1 : 0.001;
    const trace = { ...figure.spec.data[0], z: rows(), zmin: 0, zmax: AG.colour.top(figure.weights), colorscale: colours(), showscale: false, xgap: gap, ygap: gap };
    figure.plot.append(div);
    await Plotly.react(div, [trace], layout(), config(Plotly));
    if (!wanted || AG.state.view !== "matrix") { div.remove(); return; }
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
    div.on("plotly_unhover", () => { figure.cell = null; AG.emit("point", null); });
    div.on("plotly_click", ({ points }) => AG.set({ token: points[0].pointIndex[AG.state.direction === "from" ? 0 : 1] }));
  }

  /** Hides the canvas under Plotly, or takes Plotly away; arrow keys go on working over both. */
  function cover(on) {
    figure.covered = on;
    const canvas = AG.views.matrix.canvas();
    if (canvas) canvas.style.visibility = on ? "hidden" : "";
    if (!on) div.remove();
    figure.tell("");
  }

  const again = AG.framed(show);

  function want(on) {
    wanted = on;
    AG.press(button, on);
    if (on) show().catch(() => want(false));
    else { cover(false); figure.draw(); }
  }

  function idle() {
    const spare = navigator.connection?.saveData;
    if (wanted || when !== "idle" || figure.root.dataset.source || spare || !matchMedia("(hover: hover)").matches) return;
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      (window.requestIdleCallback || setTimeout)(() => { if (!figure.cell && !button.dataset.used) want(true); }, { timeout: 4000 });
    });
    seen.observe(figure.plot);
  }

  button.addEventListener("click", () => { button.dataset.used = "1"; want(!wanted); });
  AG.on("weights", again);
  AG.on("scheme", again);
  AG.on("state", (changed) => {
    if (changed.has("view") && AG.state.view !== "matrix") cover(false);
    if (["scale", "view", "token", "direction"].some((name) => changed.has(name))) again();
  });
  AG.on("print", (on) => { if (wanted) cover(false); if (!on) again(); });
  AG.on("point", () => {
    if (!figure.covered || document.activeElement !== figure.plot) return;
    if (figure.cell) window.Plotly.Fx.hover(div, { xval: figure.cell[1], yval: figure.cell[0] }, "xy");
    else window.Plotly.Fx.unhover(div);
  });
  new ResizeObserver(() => { if (wanted && div.isConnected) again(); }).observe(figure.plot);
  AG.on("begin", () => { if (document.readyState === "complete") idle(); else addEventListener("load", idle); });
})();
