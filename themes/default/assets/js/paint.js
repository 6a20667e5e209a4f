// needs: core.js, colour.js, legend.js, special.js, state.js
/* What lies under a heatmap's labels: the cells, the hatching of what is absent, the lattice, the legend. */
(() => {
  /** @type {HTMLCanvasElement} */
  let image;
  let painted = "";

  /**
   * The weights as they are drawn, row by row: one a cell or, where cells are smaller than pixels, the strongest of
   * those that share one, so that none drops out.
   *
   * @param {Heatmap} figure
   * @param {number} width
   * @param {number} height
   */
  function drawn({ weights, queries, keys }, width, height) {
    if (width === keys && height === queries) return weights;
    const strongest = new Float32Array(width * height).fill(NaN);
    weights.forEach((weight, i) => {
      const row = Math.floor((Math.floor(i / keys) * height) / queries);
      const at = row * width + Math.floor(((i % keys) * width) / keys);
      if (!(Math.abs(weight) <= Math.abs(strongest[at])) && !Number.isNaN(weight)) strongest[at] = weight;
    });
    return strongest;
  }

  /**
   * The matrix as a picture of one pixel a cell, or fewer; painted again only when head, scale or colours change.
   *
   * @param {Heatmap} figure
   * @param {Box} box
   * @param {HTMLElement} legend
   */
  function picture(figure, box, legend) {
    const ratio = devicePixelRatio || 1;
    const width = Math.min(figure.keys, Math.max(1, Math.floor(box.wide * ratio)));
    const height = Math.min(figure.queries, Math.max(1, Math.floor(box.high * ratio)));
    const ends = [AG.colour.css("--heat-0"), AG.colour.css("--heat-4")];
    const { name, weights } = figure;
    const key = [name, weights.length, width, height, AG.state.scale, AG.state.curve, ...ends].join("|");
    if (painted === key) return image;
    painted = key;
    image = Object.assign(document.createElement("canvas"), { width, height });
    const pen = /** @type {CanvasRenderingContext2D} */ (image.getContext("2d"));
    const pixels = pen.createImageData(width, height);
    const ramp = figure.signed ? AG.colour.diverging() : AG.colour.ramp();
    const level = figure.signed ? AG.colour.signed : AG.colour.level;
    const most = AG.colour.most(figure);
    drawn(figure, width, height).forEach((weight, i) => {
      if (Number.isNaN(weight)) return;
      const at = level(weight, most) * 3;
      pixels.data.set([ramp[at], ramp[at + 1], ramp[at + 2], 255], i * 4);
    });
    pen.putImageData(pixels, 0, 0);
    AG.legend.paint(legend, ramp, most, figure.signed);
    return image;
  }

  /**
   * The half that a causal model cannot see is hatched: absent, not zero.
   *
   * @param {CanvasRenderingContext2D} pen
   * @param {Box} box
   */
  function hatch(pen, box) {
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top, box.wide, box.high);
    pen.clip();
    pen.fillStyle = AG.colour.css("--absent");
    pen.fillRect(box.left, box.top, box.wide, box.high);
    pen.strokeStyle = AG.colour.css("--absent-line");
    pen.lineWidth = 1;
    pen.beginPath();
    for (let x = -box.high; x < box.wide; x += 7) {
      pen.moveTo(box.left + x, box.top + box.high);
      pen.lineTo(box.left + x + box.high, box.top);
    }
    pen.stroke();
    pen.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Heatmap} figure
   * @param {Box} box
   */
  function lattice(pen, figure, box) {
    if (box.cell < 9) return;
    /** @param {number} i */
    const seen = (i) => (figure.causal ? i * box.cell : 0);
    pen.strokeStyle = AG.colour.css("--paper");
    pen.lineWidth = box.cell > 20 ? 1.5 : 1;
    pen.beginPath();
    for (let key = 1; key < figure.keys; key += 1) {
      pen.moveTo(box.left + key * box.cell, box.top + seen(key));
      pen.lineTo(box.left + key * box.cell, box.top + box.high);
    }
    for (let query = 1; query < figure.queries; query += 1) {
      pen.moveTo(box.left, box.top + query * box.cell);
      pen.lineTo(box.left + (figure.causal ? query * box.cell : box.wide), box.top + query * box.cell);
    }
    pen.stroke();
  }

  /**
   * Thin lines where a segment ends and the next begins.
   *
   * @param {CanvasRenderingContext2D} pen
   * @param {Heatmap} figure
   * @param {Box} box
   */
  function borders(pen, figure, box) {
    pen.strokeStyle = AG.colour.css("--line-strong");
    pen.lineWidth = 1;
    pen.beginPath();
    const { rows, columns } = AG.borders(/** @type {Figure} */ (figure));
    for (const i of columns) {
      const at = Math.round(i * box.cell) + 0.5;
      pen.moveTo(box.left + at, box.top + (figure.causal ? i * box.cell : 0));
      pen.lineTo(box.left + at, box.top + box.high);
    }
    for (const i of rows) {
      const at = Math.round(i * box.cell) + 0.5;
      pen.moveTo(box.left, box.top + at);
      pen.lineTo(box.left + (figure.causal ? i * box.cell : box.wide), box.top + at);
    }
    pen.stroke();
  }

  AG.paint = { picture, hatch, lattice, borders };
})();
