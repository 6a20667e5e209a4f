// needs: core.js, colour.js, figure.js, labels.js, legend.js, paint.js, state.js
/* The heatmap on a canvas: the first picture of a head, with labels that stay readable. */
(() => {
  const TOP = 30;
  /** @type {HTMLCanvasElement} */
  let canvas;
  /** @type {HTMLElement} */
  let legend;

  /**
   * @param {Heatmap} figure
   * @param {HTMLCanvasElement} canvas
   */
  function context(figure, canvas) {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = figure.plot;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return pen;
  }

  /**
   * Where the matrix stands: gutters fit the labels, cells fill the pane.
   *
   * @param {Heatmap} figure
   * @param {CanvasRenderingContext2D} pen
   */
  function layout(figure, pen) {
    const { clientWidth: width, clientHeight: height } = figure.plot;
    const ratio = devicePixelRatio || 1;
    const rough = Math.min(width / (figure.keys + 4), height / (figure.queries + 4));
    const font = Math.max(10, Math.min(14, rough * 0.62));
    pen.font = AG.labels.fontOf(font);
    /** @param {string[]} labels */
    const longest = (labels) => Math.max(...labels.map((label) => pen.measureText(label).width));
    const below = longest(figure.keyLabels);
    const gutter = Math.ceil(Math.min(longest(figure.labels), width * 0.26)) + 12;
    const level = below + 8 < (width - gutter) / figure.keys;
    const foot = (level ? font * 1.5 : Math.min(below, width * 0.3) * 0.72 + font * 0.4) + 10;
    const room = Math.min((width - gutter - 2) / figure.keys, (height - TOP - foot) / figure.queries);
    // Whole device pixels look sharp; of small cells they would leave much of the pane empty.
    const cell = room * ratio < 6 ? room : Math.floor(room * ratio) / ratio;
    return {
      left: gutter,
      top: TOP,
      cell,
      wide: cell * figure.keys,
      high: cell * figure.queries,
      font,
      level,
      limit: gutter - 6,
      every: Math.max(1, Math.ceil((font * 1.15) / cell)),
    };
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Heatmap} figure
   */
  function marks(pen, figure) {
    const { state } = AG;
    const { box } = figure;
    const picked = figure.picked();
    if (picked >= 0 && picked < (state.direction === "from" ? figure.queries : figure.keys)) {
      pen.strokeStyle = AG.colour.css("--accent");
      pen.lineWidth = 2;
      const at = picked * box.cell;
      if (state.direction === "from")
        pen.strokeRect(box.left - 1, box.top + at - 1, box.wide + 2, box.cell + 2);
      else pen.strokeRect(box.left + at - 1, box.top - 1, box.cell + 2, box.high + 2);
    }
    if (!figure.cell) return;
    const [query, key] = figure.cell;
    pen.strokeStyle = AG.colour.css("--ink");
    pen.lineWidth = Math.min(2, Math.max(1, box.cell / 6));
    pen.strokeRect(box.left + key * box.cell, box.top + query * box.cell, box.cell, box.cell);
  }

  /**
   * Draws a figure onto a canvas, with the legend of its colours.
   *
   * @param {Heatmap} figure
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} legend
   */
  function paint(figure, canvas, legend) {
    const pen = context(figure, canvas);
    if (!figure.plot.clientWidth) return;
    const box = layout(figure, pen);
    figure.box = box;
    const picture = AG.paint.picture(figure, box, legend);
    if (figure.causal || figure.hatched) AG.paint.hatch(pen, box);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(picture, box.left, box.top, box.wide, box.high);
    AG.paint.lattice(pen, figure, box);
    if (figure.rows) AG.paint.borders(pen, figure, box);
    pen.strokeStyle = AG.colour.css("--line");
    pen.lineWidth = 1;
    pen.strokeRect(box.left - 0.5, box.top - 0.5, box.wide + 1, box.high + 1);
    AG.labels.write(pen, figure, box);
    marks(pen, figure);
    const [query, key] = figure.cell || [0, 0];
    const pointed = figure.cell ? figure.weights[query * figure.keys + key] : NaN;
    AG.legend.mark(legend, pointed, AG.colour.most(figure), figure.signed);
    legend.style.left = `${box.left}px`;
    legend.style.maxWidth = `${figure.plot.clientWidth - box.left}px`;
  }

  AG.matrix = { paint };
  AG.views.matrix = {
    show(figure) {
      if (!canvas) {
        canvas = AG.make("canvas", { "aria-hidden": "true" });
        legend = AG.legend.make(true);
      }
      figure.plot.append(canvas, legend);
      AG.emit("matrix", true);
    },
    hide() {
      canvas.remove();
      legend.remove();
      AG.emit("matrix", false);
    },
    draw: (figure) => paint(figure, canvas, legend),
    canvas: () => canvas,
  };
})();
