// needs: core.js, decode.js, state.js
/* The figure of one head: where its weights come from, and which of its views is shown. */
(() => {
  const root = AG.one('[data-figure="heatmap"]');
  AG.views = /** @type {any} */ ({}); // each view adds itself
  if (!root) return;

  const spec = AG.json(AG.one(".figure-spec", root));
  const plot = AG.one(".figure-plot", root);
  /** @type {{ queries: string[], keys: string[] }} */
  const names = { queries: spec.data[0].y.map(AG.plain), keys: spec.data[0].x.map(AG.plain) };
  /**
   * Which tokens of a strip are special, as a set of their places.
   *
   * @param {HTMLElement} strip
   */
  const specialIn = (strip) =>
    new Set(
      strip
        ? AG.all(".token", strip).flatMap((token, i) => (token.classList.contains("special") ? [i] : []))
        : [],
    );
  const special = {
    queries: specialIn(AG.one(".tokens")),
    keys: specialIn(AG.one("[data-key-tokens] .tokens") || AG.one(".tokens")),
  };
  /** @type {Figure} */
  const figure = /** @type {any} */ ({
    root,
    plot,
    spec,
    special,
    // What is shown: the tokens of its rows and columns, their number and their labels.
    rows: names.queries.map((_, i) => i),
    columns: names.keys.map((_, i) => i),
    queries: names.queries.length,
    keys: names.keys.length,
    labels: names.queries,
    keyLabels: names.keys,
    cross: "cross" in root.dataset,
    causal: root.dataset.causal === "1",
    name: root.dataset.name,
    caption: AG.one("figcaption", root),
    coarse: root.dataset.codec === "sqrt8",
    weights: null,
    whole: null,
    cell: null,
    covered: false,
    /**
     * @param {number} query
     * @param {number} key
     */
    weight(query, key) {
      return this.weights[query * this.keys + key];
    },
    /**
     * The weight of a pair of tokens, hidden or not.
     *
     * @param {number} query
     * @param {number} key
     */
    weightOf(query, key) {
      return this.whole[query * names.keys.length + key];
    },
    /** The selected token on the side that is looked from: of cross attention a query or, the other way, a key. */
    chosen() {
      return this.cross && AG.state.direction === "to" ? AG.state.key : AG.state.token;
    },
    /** Its row or column; -1 where it is hidden or there is none. */
    picked() {
      return (AG.state.direction === "to" ? this.columns : this.rows).indexOf(this.chosen());
    },
    /** The cell with the largest weight of the selected row or column; null where none is selected. */
    strongest() {
      const picked = this.picked();
      if (picked < 0) return null;
      const from = AG.state.direction === "from";
      /** @type {Cell | null} */
      let best = null;
      for (let other = 0; other < (from ? this.keys : this.queries); other += 1) {
        /** @type {Cell} */
        const cell = from ? [picked, other] : [other, picked];
        if (this.weight(...cell) > (best ? this.weight(...best) : -1)) best = cell;
      }
      return best;
    },
    /**
     * Selects the token of a row or, in the other direction, of a column; the label of a row (no column) always
     * selects its own.
     *
     * @param {number} row
     * @param {number} column
     */
    choose(row, column) {
      const [query, key] = [this.rows[row], column >= 0 ? this.columns[column] : -1];
      const to = AG.state.direction === "to" && key >= 0;
      if (!this.cross) AG.set({ token: to ? key : query });
      else if (to) AG.set({ key });
      else AG.set(AG.state.direction === "to" ? { token: query, direction: "from" } : { token: query });
    },
  });
  AG.figure = figure;

  const live = root.appendChild(AG.make("p", { class: "hidden", role: "status" }));
  const warning = AG.make("p", { class: "figure-message", role: "alert", hidden: "" });
  plot.after(warning);

  /** A weight with the decimals that its codec keeps: one byte is good for two. */
  figure.number = (weight) => {
    if (!figure.coarse) return weight.toFixed(weight < 0.01 ? 4 : 3);
    return weight > 0 && weight < 0.01 ? "< 0.01" : weight.toFixed(2);
  };
  /** A pair in words: "it → cat: 0.413". */
  figure.words = (query, key) => {
    const weight = figure.weight(query, key);
    const shown = Number.isNaN(weight) ? "not visible" : figure.number(weight);
    return `${AG.isolated(figure.labels[query])} → ${AG.isolated(figure.keyLabels[key])}: ${shown}`;
  };
  figure.say = (text) => {
    live.textContent = text;
  };
  /** Says what stands in the way of what was asked for, until that is gone. */
  figure.warn = (text) => {
    warning.textContent = text;
    warning.hidden = text === "";
  };
  /** @type {View | null} */
  let shown = null;
  const draw = AG.framed(() => {
    if (shown && figure.weights) shown.draw(figure);
  });
  figure.draw = draw;

  function show() {
    const wanted = AG.views[AG.state.view] || AG.views.matrix;
    if (shown !== wanted) {
      if (shown) shown.hide(figure);
      shown = wanted;
      shown.show(figure);
    }
    draw();
  }

  /** Keeps the rows and columns of the tokens that are shown. Their weights stay what they are. */
  function take() {
    /** @param {"queries" | "keys"} side */
    const seen = (side) =>
      names[side].map((_, i) => i).filter((i) => AG.state.special !== "hidden" || !special[side].has(i));
    const [rows, columns] = [seen("queries"), seen("keys")];
    const [queries, keys] = [rows.length, columns.length];
    const [labels, keyLabels] = [rows.map((i) => names.queries[i]), columns.map((i) => names.keys[i])];
    Object.assign(figure, { rows, columns, queries, keys, labels, keyLabels, cell: null });
    const all = queries * keys === figure.whole.length;
    figure.weights = all
      ? figure.whole
      : Float32Array.from({ length: queries * keys }, (_, i) =>
          figure.weightOf(rows[Math.floor(i / keys)], columns[i % keys]),
        );
  }

  /** Shows these weights; called at the start and whenever another head is selected. */
  figure.load = (weights, name, coarse = figure.coarse) => {
    Object.assign(figure, { whole: weights, name, coarse });
    take();
    show();
    AG.emit("weights", figure);
  };

  figure.begin = async () => {
    try {
      figure.load(await AG.decode(root), figure.name);
    } catch {
      figure.warn("This browser cannot unpack the weights; a description of the picture follows.");
    }
  };

  // A matrix that is not square takes the room that its shape needs.
  if (figure.cross)
    plot.style.setProperty(
      "--shape",
      Math.min(2.2, Math.max(0.7, (figure.keys + 3) / (figure.queries + 4))).toFixed(3),
    );
  plot.removeAttribute("role");
  plot.setAttribute("role", "group");
  new ResizeObserver(draw).observe(plot);
  AG.on("scheme", draw);
  AG.on("state", (changed) => {
    if (!figure.weights) return;
    if (changed.has("special")) take();
    if (changed.has("view")) show();
    if (
      ["special", "token", "key", "scale", "curve", "threshold", "direction"].some((name) =>
        changed.has(name),
      )
    )
      draw();
  });
})();
