// needs: core.js, figure.js, state.js
/* Pointing at cells of the heatmap, by mouse, finger or arrow keys. */
(() => {
  const { figure } = AG;
  if (!figure) return;
  const { plot } = figure;
  /** @type {Record<string, [number, number]>} */
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  /** Points at a pair of tokens, or at none; `loud` announces it. */
  figure.point = (query, key, loud = false) => {
    figure.cell = query < 0 ? null : [query, key];
    if (loud) figure.say(figure.cell ? figure.words(query, key) : "");
    AG.emit("point", figure.cell);
    figure.draw();
  };

  /**
   * @param {MouseEvent} event
   * @returns {Cell | null}
   */
  function cellAt(event) {
    const { box } = figure;
    const area = plot.getBoundingClientRect();
    const key = Math.floor((event.clientX - area.left - box.left) / box.cell);
    const query = Math.floor((event.clientY - area.top - box.top) / box.cell);
    if (!(query >= 0 && query < figure.queries && key < figure.keys)) return null;
    return [query, Math.max(-1, key)];
  }

  /** @param {MouseEvent} event */
  const ready = (event) =>
    AG.state.view === "matrix" &&
    figure.weights &&
    figure.box &&
    !(/** @type {Element} */ (event.target).closest?.(".figure-plotly"));

  plot.addEventListener("pointermove", (event) => {
    if (!ready(event)) return;
    const cell = cellAt(event);
    if (cell && cell[1] >= 0) figure.point(...cell);
    else figure.point(-1, -1);
  });
  plot.addEventListener("pointerleave", (event) => {
    if (figure.weights && AG.state.view === "matrix" && event.pointerType === "mouse") figure.point(-1, -1);
  });
  /** @type {Cell | null} */
  let tapped = null;
  plot.addEventListener("click", (event) => {
    if (!ready(event)) return;
    const cell = cellAt(event);
    if (!cell) return;
    // A finger cannot point without touching: its first tap reads a cell, the second selects.
    const touch = /** @type {PointerEvent} */ (event).pointerType === "touch";
    if (touch && cell[1] >= 0 && String(cell) !== String(tapped)) {
      tapped = cell;
      figure.point(...cell);
      return;
    }
    tapped = null;
    figure.choose(...cell);
  });
  plot.addEventListener("keydown", (event) => {
    if (AG.state.view !== "matrix" || !figure.weights || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const move = moves[event.key];
    const begin = [
      figure.rows.indexOf(AG.state.token),
      figure.columns.indexOf(figure.cross ? AG.state.key : AG.state.token),
    ];
    const [query, key] = figure.cell || begin.map((i) => Math.max(0, i));
    if (move) {
      /**
       * @param {number} i
       * @param {number} count
       */
      const within = (i, count) => Math.min(count - 1, Math.max(0, i));
      if (figure.cell)
        figure.point(within(query + move[0], figure.queries), within(key + move[1], figure.keys), true);
      else figure.point(query, key, true);
    } else if (event.key === "Enter") figure.choose(query, key);
    else if (event.key === "Escape") figure.point(-1, -1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  let alt = plot.getAttribute("aria-label");
  let begun = false;
  const label = () => {
    const matrix = plot.getAttribute("role") === "application";
    plot.setAttribute(
      "aria-label",
      matrix ? `Heatmap. ${alt} Arrow keys move from cell to cell.` : "Attention",
    );
  };
  AG.on("matrix", (on) => {
    plot.setAttribute("role", on ? "application" : "group");
    label();
    if (on) plot.setAttribute("tabindex", "0");
    else plot.removeAttribute("tabindex");
  });
  AG.on("described", (text) => {
    alt = text;
    label();
    // The head that a page opens on is read with the page.
    if (begun) figure.say(text);
    begun = true;
  });

  for (const row of AG.all(".pairs tr[data-query]")) {
    const pair = [Number(row.dataset.query), Number(row.dataset.key)];
    row.addEventListener("pointerenter", () => {
      if (figure.weights && AG.state.view === "matrix")
        figure.point(figure.rows.indexOf(pair[0]), figure.columns.indexOf(pair[1]));
    });
    row.addEventListener("pointerleave", () => figure.point(-1, -1));
    row.addEventListener("click", () => AG.set({ token: pair[0], direction: "from" }));
  }
})();
