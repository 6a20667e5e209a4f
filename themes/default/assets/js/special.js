/* Special tokens can be left out of the token strip and of the figure; and where segments end. */
(() => {
  const { figure } = AG;
  if (!figure) return;

  /** Which segment each token stands in, special tokens included. */
  const segments = AG.all(".segment");
  const places = AG.all(".token").map((token) => segments.indexOf(token.closest(".segment")));
  /** The rows and columns of a figure that begin a segment, but for the first. */
  AG.borders = ({ tokens }) => tokens.map((_, i) => i).filter((i) => i > 0 && places[tokens[i]] !== places[tokens[i - 1]]);

  const reader = AG.one("[data-special]");
  if (!reader || !figure.added.size || figure.added.size === figure.size) return;
  const button = AG.make("button", { type: "button", class: "chip", "data-special-button": "", title: "Show the tokens that the tokenizer adds, or leave them out", "aria-label": "Special tokens" }, "Special");
  const note = AG.make("p", { class: "special-note" }, "Special tokens are hidden. The other weights stay as they are, so that rows sum to less than 1.");
  AG.one("[data-copy]").before(button);
  figure.plot.after(note);

  function show() {
    const hidden = AG.state.special === "hidden";
    reader.dataset.special = AG.state.special;
    AG.press(button, !hidden);
    note.hidden = !hidden;
  }

  /** A hidden token cannot stay selected. */
  function toggle() {
    if (AG.state.special === "hidden") AG.set({ special: "shown" });
    else if (figure.added.has(AG.state.token)) AG.set({ special: "hidden", token: figure.tokens.find((token) => !figure.added.has(token)) });
    else AG.set({ special: "hidden" });
  }

  button.addEventListener("click", toggle);
  AG.on("begin", show);
  AG.on("state", (changed) => { if (changed.has("special")) show(); });
})();
