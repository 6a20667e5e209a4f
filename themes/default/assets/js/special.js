// needs: core.js, figure.js, state.js, tools.js
/* Special tokens can be left out of the token strip and of the figure; and where segments end. */
(() => {
  const { figure } = AG;
  if (!figure) return;

  /**
   * Which segment each token of a strip stands in, special tokens included.
   *
   * @param {HTMLElement} strip
   */
  function places(strip) {
    const segments = AG.all(".segment", strip);
    return AG.all(".token", strip).map((token) =>
      segments.indexOf(/** @type {HTMLElement} */ (token.closest(".segment"))),
    );
  }

  const strip = AG.one(".tokens");
  const queries = strip ? places(strip) : [];
  const looked = AG.one("[data-key-tokens] .tokens");
  const keys = looked ? places(looked) : queries;
  /**
   * @param {number[]} tokens
   * @param {number[]} segments
   */
  const begins = (tokens, segments) =>
    tokens.map((_, i) => i).filter((i) => i > 0 && segments[tokens[i]] !== segments[tokens[i - 1]]);
  /** The rows and the columns of a figure that begin a segment, but for the first. */
  AG.borders = ({ rows, columns }) => ({ rows: begins(rows, queries), columns: begins(columns, keys) });

  const reader = AG.one("[data-special]");
  const { special } = figure;
  const some = special.queries.size + special.keys.size > 0;
  if (!reader || !some || special.queries.size === figure.queries || special.keys.size === figure.keys)
    return;
  const button = AG.make(
    "button",
    {
      type: "button",
      class: "chip",
      "data-special-button": "",
      title: "Show the tokens that the tokenizer adds, or leave them out",
      "aria-label": "Special tokens",
    },
    "Special",
  );
  const note = AG.make(
    "p",
    { class: "special-note" },
    "Special tokens are hidden. The other weights stay as they are, so that rows sum to less than 1.",
  );
  AG.one("[data-copy]").before(button);
  figure.plot.after(note);

  function show() {
    const hidden = AG.state.special === "hidden";
    reader.dataset.special = AG.state.special;
    AG.press(button, !hidden);
    note.hidden = !hidden;
  }

  /** A hidden token cannot stay selected: the first that is shown takes its place. */
  function toggle() {
    if (AG.state.special === "hidden") {
      AG.set({ special: "shown" });
      return;
    }
    const moved = {};
    if (special.queries.has(AG.state.token))
      moved.token = figure.rows.find((token) => !special.queries.has(token));
    if (special.keys.has(AG.state.key)) moved.key = figure.columns.find((token) => !special.keys.has(token));
    AG.set({ special: "hidden", ...moved });
  }

  button.addEventListener("click", toggle);
  AG.on("begin", show);
  AG.on("state", (changed) => {
    if (changed.has("special")) show();
  });
})();
