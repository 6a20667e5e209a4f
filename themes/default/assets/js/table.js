// needs: core.js, figure.js
/* The same weights as a table, for reading with the ears, copying and checking. */
(() => {
  const LARGEST = 40;
  const BEST = 5;
  /** @type {HTMLElement} */
  let box;
  let told = "";

  /**
   * @param {Figure} figure
   * @param {number} query
   * @param {number} key
   */
  function number(figure, query, key) {
    const weight = figure.weight(query, key);
    return Number.isNaN(weight) ? "" : figure.number(weight);
  }

  /** @param {Figure} figure */
  function whole(figure) {
    const head = AG.make(
      "tr",
      {},
      AG.make("td"),
      ...figure.keyLabels.map((text) => AG.make("th", { scope: "col" }, text)),
    );
    const rows = figure.labels.map((text, query) =>
      AG.make(
        "tr",
        {},
        AG.make("th", { scope: "row" }, text),
        ...figure.keyLabels.map((_, key) => AG.make("td", { class: "numeric" }, number(figure, query, key))),
      ),
    );
    return { caption: `Weights of ${figure.name}: rows are queries, columns are keys`, head, rows };
  }

  /**
   * @param {Figure} figure
   * @param {number} query
   */
  function strongest(figure, query) {
    return figure.keyLabels
      .map((text, key) => ({ text, weight: figure.weight(query, key) }))
      .filter(({ weight }) => weight > 0)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, BEST);
  }

  /** @param {Figure} figure */
  function best(figure) {
    const head = AG.make(
      "tr",
      {},
      AG.make("th", { scope: "col" }, "Query"),
      AG.make("th", { scope: "col", colspan: BEST }, "Keys it looks at most"),
    );
    const rows = figure.labels.map((text, query) =>
      AG.make(
        "tr",
        {},
        AG.make("th", { scope: "row" }, text),
        ...strongest(figure, query).map(({ text: key, weight }) =>
          AG.make("td", {}, `${key} ${figure.number(weight)}`),
        ),
      ),
    );
    return { caption: `The ${BEST} largest weights of each query of ${figure.name}`, head, rows };
  }

  AG.views.table = {
    show(figure) {
      box = AG.make("div", {
        class: "figure-table",
        tabindex: "0",
        role: "region",
        "aria-label": "Weights as a table",
      });
      told = "";
      figure.plot.before(box);
      figure.plot.hidden = true;
    },
    hide(figure) {
      box.remove();
      figure.plot.hidden = false;
    },
    draw(figure) {
      const now = `${figure.name} ${figure.weights.length}`;
      if (told === now) return;
      told = now;
      const { caption, head, rows } =
        Math.max(figure.queries, figure.keys) <= LARGEST ? whole(figure) : best(figure);
      box.replaceChildren(
        AG.make(
          "table",
          {},
          AG.make("caption", {}, caption),
          AG.make("thead", {}, head),
          AG.make("tbody", {}, ...rows),
        ),
      );
    },
  };
})();
