/* The figure of one head: where its weights come from, and which of its views is shown. */
(() => {
  const root = AG.one('[data-figure="heatmap"]');
  AG.views = {};
  if (!root) return;

  const spec = AG.json(AG.one(".figure-spec", root));
  const plot = AG.one(".figure-plot", root);
  const source = root.dataset.source ? AG.one('[data-figure="grid"]') : root;
  const names = spec.data[0].y.map(AG.plain);
  const added = new Set(AG.all(".token").flatMap((token, i) => (token.classList.contains("special") ? [i] : [])));
  const figure = {
    root, plot, spec, added,
    // Rows and columns are those of the tokens that are shown; `tokens` gives the token of each.
    tokens: names.map((_, i) => i),
    labels: names,
    size: names.length,
    causal: root.dataset.causal === "1",
    name: root.dataset.name,
    caption: AG.one("figcaption", root),
    coarse: source?.dataset.codec === "sqrt8",
    weights: null,
    whole: null,
    cell: null,
    covered: false,
    weight(query, key) { return this.weights[query * this.size + key]; },
    /** The row of a token, -1 where it is hidden or there is none. */
    at(token) { return this.tokens.indexOf(token); },
  };
  AG.figure = figure;

  const live = root.appendChild(AG.make("p", { class: "hidden", role: "status" }));
  const tip = AG.make("div", { class: "tip", hidden: "", "aria-hidden": "true" });

  /** A weight with the decimals that its codec keeps: one byte is good for two. */
  figure.number = (weight) => {
    if (!figure.coarse) return weight.toFixed(weight < 0.01 ? 4 : 3);
    return weight > 0 && weight < 0.01 ? "< 0.01" : weight.toFixed(2);
  };
  /** A pair in words: "it → cat: 0.413". */
  figure.words = (query, key) => {
    const weight = figure.weight(query, key);
    const shown = Number.isNaN(weight) ? "not visible" : figure.number(weight);
    return `${AG.isolated(figure.labels[query])} → ${AG.isolated(figure.labels[key])}: ${shown}`;
  };
  figure.say = (text) => { live.textContent = text; };
  figure.tell = (text, x, y) => {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const width = plot.clientWidth;
    const left = Math.min(Math.max(0, x + 14), Math.max(0, width - tip.offsetWidth));
    const top = y > 48 ? y - tip.offsetHeight - 10 : y + 20;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  };

  let shown = null;
  const draw = AG.framed(() => { if (shown && figure.weights) shown.draw(figure); });
  figure.draw = draw;

  function show() {
    const wanted = AG.views[AG.state.view] || AG.views.matrix;
    if (shown !== wanted) {
      if (shown) shown.hide(figure);
      figure.tell("");
      plot.append(tip);
      shown = wanted;
      shown.show(figure);
    }
    draw();
  }

  /** Keeps the rows and columns of the tokens that are shown. Their weights stay what they are. */
  function take() {
    const hidden = AG.state.special === "hidden" ? added : new Set();
    const tokens = names.map((_, i) => i).filter((i) => !hidden.has(i));
    const size = tokens.length;
    Object.assign(figure, { tokens, size, labels: tokens.map((i) => names[i]), cell: null });
    if (size === names.length) figure.weights = figure.whole;
    else figure.weights = Float32Array.from({ length: size * size }, (_, i) => figure.whole[tokens[Math.floor(i / size)] * names.length + tokens[i % size]]);
    figure.tell("");
  }

  /** Shows these weights; called at the start and whenever another head is selected. */
  figure.load = (weights, name) => {
    figure.whole = weights;
    figure.name = name;
    take();
    show();
    AG.emit("weights", figure);
  };

  figure.begin = async () => {
    if (root.dataset.source) return;
    try {
      figure.load((await AG.decode(root))(0), figure.name);
    } catch {
      plot.replaceChildren(AG.make("p", { class: "figure-message" }, "This browser cannot unpack the weights; its description follows."));
    }
  };

  plot.removeAttribute("role");
  plot.setAttribute("role", "group");
  new ResizeObserver(draw).observe(plot);
  AG.on("scheme", draw);
  AG.on("state", (changed) => {
    if (!figure.weights) return;
    if (changed.has("special")) take();
    if (changed.has("view")) show();
    if (["special", "token", "scale", "threshold", "direction"].some((name) => changed.has(name))) draw();
  });
})();
