// needs: core.js, colour.js, decode.js, legend.js, matrix.js, zoomed.js
/* Heatmaps inside notes and contrasts: drawn when they come into view, and read by pointing at a cell. */
(() => {
  const roots = AG.all('[data-figure="embedded"], [data-figure="difference"]');
  if (!roots.length) return;

  /**
   * What the drawing of a heatmap reads of a figure; nothing is ever selected in this one.
   *
   * @param {HTMLElement} root
   * @param {number} index
   */
  function figureOf(root, index) {
    const spec = AG.json(AG.one(".figure-spec", root));
    const [labels, keyLabels] = [spec.data[0].y.map(AG.plain), spec.data[0].x.map(AG.plain)];
    const plot = AG.one(".figure-plot", root);
    const [queries, keys] = [labels.length, keyLabels.length];
    const causal = root.dataset.causal === "1";
    const cross = "cross" in root.dataset;
    if (cross)
      plot.style.setProperty("--shape", Math.min(2.2, Math.max(0.7, (keys + 3) / (queries + 4))).toFixed(3));
    const signed = root.dataset.figure === "difference";
    const most = Number(root.dataset.most) || 0;
    /** @type {Heatmap} */
    const figure = /** @type {any} */ ({
      root,
      plot,
      spec,
      labels,
      keyLabels,
      queries,
      keys,
      causal,
      cross,
      signed,
      most,
      name: signed ? root.dataset.name : `embedded ${index}`,
      cell: null,
      weights: null,
      picked: () => -1,
    });
    return figure;
  }

  /**
   * @param {number} weight
   * @param {boolean} [signed]
   */
  function told(weight, signed) {
    if (Number.isNaN(weight)) return signed ? "not compared" : "not visible";
    const size = Math.abs(weight);
    const tiny = signed && size > 0 && size < 0.001;
    const number = tiny ? String(Number(size.toPrecision(2))) : size.toFixed(size < 0.01 ? 4 : 3);
    return signed ? `${weight < 0 ? "−" : "+"}${number}` : number;
  }

  /** @param {Heatmap} figure */
  function tipOf(figure) {
    const tip = figure.plot.appendChild(AG.make("div", { class: "tip", hidden: "", "aria-hidden": "true" }));
    return () => {
      tip.hidden = !figure.cell || Boolean(figure.covered);
      if (!figure.cell || tip.hidden) return;
      const [query, key] = figure.cell;
      const weight = figure.weights[query * figure.keys + key];
      const shown = told(weight, figure.signed);
      tip.textContent = `${AG.isolated(figure.labels[query])} → ${AG.isolated(figure.keyLabels[key])}: ${shown}`;
      const [x, y] = [
        figure.box.left + (key + 0.5) * figure.box.cell,
        figure.box.top + (query + 0.5) * figure.box.cell,
      ];
      const left = Math.min(x + 14, Math.max(0, figure.plot.clientWidth - tip.offsetWidth));
      const top = y > 48 ? y - tip.offsetHeight - 10 : y + 20;
      tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
    };
  }

  /**
   * @param {Heatmap} figure
   * @param {() => void} draw
   */
  function point(figure, draw) {
    const tell = tipOf(figure);
    /** @param {Cell | null} cell */
    const at = (cell) => {
      if (String(cell) === String(figure.cell)) return;
      figure.cell = cell;
      tell();
      draw();
    };
    figure.plot.addEventListener("pointermove", (event) => {
      const area = figure.plot.getBoundingClientRect();
      const key = Math.floor((event.clientX - area.left - figure.box.left) / figure.box.cell);
      const query = Math.floor((event.clientY - area.top - figure.box.top) / figure.box.cell);
      at(query >= 0 && query < figure.queries && key >= 0 && key < figure.keys ? [query, key] : null);
    });
    figure.plot.addEventListener("pointerleave", () => at(null));
  }

  /**
   * @param {HTMLElement} root
   * @param {number} index
   */
  async function show(root, index) {
    const figure = figureOf(root, index);
    try {
      figure.weights = await AG.decode(root);
    } catch {
      figure.plot.replaceChildren(
        AG.make(
          "p",
          { class: "figure-message" },
          "This browser cannot unpack the weights; their description follows.",
        ),
      );
      return;
    }
    const canvas = AG.make("canvas", { "aria-hidden": "true" });
    const legend = AG.legend.make();
    figure.plot.append(canvas, legend);
    figure.hatched = figure.signed && figure.weights.some(Number.isNaN);
    figure.cover = (on) => {
      figure.covered = on;
      canvas.style.visibility = legend.style.visibility = on ? "hidden" : "";
    };
    const draw = AG.framed(() => AG.matrix.paint(figure, canvas, legend));
    new ResizeObserver(draw).observe(figure.plot);
    AG.on("scheme", draw);
    AG.on("state", draw);
    figure.redraw = draw;
    draw();
    point(figure, draw);
    AG.emit("embedded", figure);
  }

  const begun = new Set();
  /** @param {HTMLElement} root */
  function begin(root) {
    if (begun.has(root)) return;
    begun.add(root);
    show(root, begun.size);
  }

  // What is near is drawn at once, and the rest when nothing else is to do, so that print finds it all.
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) begin(/** @type {HTMLElement} */ (entry.target));
    },
    { rootMargin: "400px" },
  );
  for (const root of roots) watcher.observe(root);
  const later = window.requestIdleCallback || ((task) => setTimeout(task, 500));
  addEventListener("load", () => later(() => roots.forEach(begin)));
})();
