// needs: core.js, select.js
/* Keys for moving between heads; "?" tells which there are. */
(() => {
  /** @type {Record<string, "previous" | "next" | "up" | "down">} */
  const ways = {
    h: "previous",
    l: "next",
    k: "up",
    j: "down",
    ArrowLeft: "previous",
    ArrowRight: "next",
    ArrowUp: "up",
    ArrowDown: "down",
  };
  /** @type {Record<string, [number, number]>} */
  const steps = { previous: [0, -1], next: [0, 1], up: [-1, 0], down: [1, 0] };
  const hasWays = AG.one("[data-way]") !== null;
  /** @type {HTMLDialogElement | null} */
  let help = null;

  function explain() {
    if (!help) {
      const rows = [
        ["h l", "previous and next head"],
        ["k j", "the same head a layer earlier or later"],
        [
          "← → ↑ ↓",
          "move in the tokens, the heads or the heatmap when they have the focus; " +
            "between heads elsewhere on a head’s page",
        ],
        ["Enter", "select the token pointed at"],
        ...(AG.one("[data-jump]") ? [["/", "jump to a head, a sentence, a note"]] : []),
        ["Esc", "point at nothing"],
        ...(AG.one("[data-zoom]") ? [["z", "a figure that can be zoomed, and back"]] : []),
        ["?", "this help"],
      ];
      const list = AG.make(
        "dl",
        {},
        ...rows.flatMap(([keys, what]) => [
          AG.make("dt", {}, AG.make("kbd", {}, keys)),
          AG.make("dd", {}, what),
        ]),
      );
      const close = AG.make("button", { type: "button", class: "button" }, "Close");
      help = AG.make(
        "dialog",
        { "aria-labelledby": "keys-title" },
        AG.make("h2", { id: "keys-title" }, "Keys"),
        list,
        close,
      );
      close.addEventListener("click", () => help?.close());
      document.body.append(help);
    }
    help.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help?.open) return;
    const target = /** @type {Element} */ (event.target);
    if (target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "?") {
      explain();
      return;
    }
    const way = ways[event.key];
    const arrow = event.key.startsWith("Arrow");
    if (!way || (arrow && target.closest(".scroll, .figure-table, [role=listbox], [role=application]")))
      return;
    if (AG.step && !arrow) AG.step(...steps[way]);
    else if (hasWays) {
      const link = AG.one(`[data-way="${way}"]`);
      if (!link || (arrow && (way === "up" || way === "down"))) return;
      link.click();
    } else return;
    event.preventDefault();
  });
})();
