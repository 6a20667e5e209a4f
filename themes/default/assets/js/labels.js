// needs: core.js, colour.js, state.js
/* Token labels beside and under a heatmap: thinned where they crowd, whole for what is pointed at. */
(() => {
  /**
   * @param {number} size
   * @param {number} [weight]
   */
  const fontOf = (size, weight = 400) =>
    `${weight} ${size}px ${getComputedStyle(document.documentElement).fontFamily}`;

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {string} text
   * @param {number} limit
   */
  function clipped(pen, text, limit) {
    if (pen.measureText(text).width <= limit) return text;
    let short = Array.from(text);
    while (short.length > 1 && pen.measureText(`${short.join("")}…`).width > limit)
      short = short.slice(0, -1);
    return `${short.join("")}…`;
  }

  /**
   * Which labels are written: every one, or every few; always those pointed at or selected.
   *
   * @param {number} index
   * @param {number[]} chosen
   * @param {Box} box
   */
  function written(index, chosen, box) {
    if (chosen.includes(index)) return true;
    const near = chosen.some((other) => Math.abs(other - index) < box.every);
    return index % box.every === 0 && !near;
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Heatmap} figure
   * @param {Box} box
   */
  function write(pen, figure, box) {
    const { state } = AG;
    const [query, key] = figure.cell || [-1, -1];
    const picked = figure.picked();
    const rows = [query, state.direction === "from" ? picked : -1].filter((i) => i >= 0);
    const columns = [key, state.direction === "to" ? picked : -1].filter((i) => i >= 0);
    const dim = AG.colour.css("--ink-soft");
    const ink = AG.colour.css("--ink");
    const accent = AG.colour.css("--accent");
    /**
     * @param {number} index
     * @param {number[]} chosen
     * @param {boolean} isPicked
     */
    const style = (index, chosen, isPicked) => {
      pen.font = fontOf(box.font, chosen.includes(index) ? 650 : 400);
      pen.fillStyle = isPicked ? accent : chosen.includes(index) ? ink : dim;
    };
    pen.textBaseline = "middle";
    figure.labels.forEach((text, i) => {
      if (!written(i, rows, box)) return;
      style(i, rows, i === picked && state.direction === "from");
      pen.textAlign = "right";
      pen.fillText(clipped(pen, text, box.limit), box.left - 8, box.top + (i + 0.5) * box.cell);
    });
    figure.keyLabels.forEach((text, i) => {
      if (!written(i, columns, box)) return;
      style(i, columns, i === picked && state.direction === "to");
      pen.save();
      pen.translate(box.left + (i + 0.5) * box.cell, box.top + box.high + 8);
      pen.textAlign = box.level ? "center" : "right";
      if (box.level) pen.translate(0, box.font * 0.5);
      else pen.rotate(-Math.PI / 4);
      pen.fillText(clipped(pen, text, figure.plot.clientWidth * 0.28), 0, 0);
      pen.restore();
    });
  }

  AG.labels = { fontOf, write };
})();
