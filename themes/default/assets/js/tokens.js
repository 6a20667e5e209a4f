// needs: core.js, colour.js, figure.js, scale.js, state.js
/* The token strip: choose a token and the others take the tint of its attention. Cross attention has two strips. */
(() => {
  const strip = AG.one(".tokens");
  if (!strip || !AG.figure) return;
  const looked = AG.one("[data-key-tokens] .tokens");
  /** @type {Side[]} */
  const sides = [{ name: "token", direction: "from", element: strip, tokens: [] }];
  if (looked) sides.push({ name: "key", direction: "to", element: looked, tokens: [] });
  const choices = [
    ["from", "looks at"],
    ["to", "is looked at by"],
  ];
  AG.one("[data-direction-tools]").replaceChildren(
    AG.segmented("Direction of attention", "direction", choices, turn),
  );
  const buttons = AG.all("[data-direction]");
  const labels = looked
    ? [
        "Target tokens. Choose one to see what it looks at.",
        "Source tokens. Choose one to see what looks at it.",
      ]
    : ["Tokens. Choose one to see what it looks at."];
  /** @type {[Side, number] | null} */
  let hovered = null;

  sides.forEach((side, s) => {
    const { element } = side;
    side.tokens = AG.all(".token", element);
    element.setAttribute("role", "listbox");
    element.setAttribute("aria-label", labels[s]);
    element.setAttribute("aria-orientation", "horizontal");
    side.tokens.forEach((token, i) => {
      token.setAttribute("role", "option");
      token.setAttribute("tabindex", i ? "-1" : "0");
      token.addEventListener("pointerenter", (event) => {
        if (event.pointerType === "mouse") {
          hovered = [side, i];
          tint();
        }
      });
      token.addEventListener("pointerleave", () => {
        hovered = null;
        tint();
      });
      token.addEventListener("click", () => choose(side, i));
    });
    element.addEventListener("keydown", (event) => walk(side, event));
  });

  /**
   * Of two strips, the one that a token stands in tells the direction.
   *
   * @param {Side} side
   * @param {number} index
   */
  function choose(side, index) {
    const turned = looked && AG.state.direction !== side.direction ? { direction: side.direction } : {};
    AG.set({ [side.name]: index, ...turned });
  }

  /**
   * Turned to a source from which nothing was chosen yet, the page shows what the selected token looks at most.
   *
   * @param {string} direction
   */
  function turn(direction) {
    const { columns, whole } = AG.figure;
    const { token, key } = AG.state;
    if (!looked || direction === "from" || key >= 0 || !whole || token < 0) {
      AG.set({ direction });
      return;
    }
    const row = columns.map((column) => AG.figure.weightOf(token, column));
    AG.set({ direction, key: columns[row.indexOf(Math.max(...row))] });
  }

  /**
   * The token whose attention is shown: its strip and place.
   *
   * @returns {[Side, number]}
   */
  function shown() {
    if (hovered) return hovered;
    const { cell, rows, columns } = AG.figure;
    const to = AG.state.direction === "to";
    const pointed = cell ? (to ? columns[cell[1]] : rows[cell[0]]) : AG.figure.chosen();
    return [(looked && to && sides[1]) || sides[0], pointed];
  }

  /**
   * The tokens of a strip that are not hidden.
   *
   * @param {Side} side
   */
  const seen = (side) => (side.name === "key" ? AG.figure.columns : AG.figure.rows);

  const tint = AG.framed(() => {
    const { whole } = AG.figure;
    const [from, token] = shown();
    const to = looked ? from.direction === "to" : AG.state.direction === "to";
    const known = whole && token >= 0 && token < from.tokens.length;
    for (const side of sides) {
      const mine = looked && side === from;
      const shown = new Set(seen(side));
      /** @param {number} other */
      const share = (other) =>
        (known &&
          !mine &&
          shown.has(other) &&
          (to ? AG.figure.weightOf(other, token) : AG.figure.weightOf(token, other))) ||
        0;
      const shares = side.tokens.map((_, other) => share(other));
      side.tokens.forEach((element, i) => {
        AG.colour.dye(element, shares[i], shares[i] > 0 ? AG.colour.most(AG.figure) : 1);
        element.setAttribute(
          "aria-selected",
          String(i === AG.state[side.name] && (side === sides[0] || AG.state.direction === "to")),
        );
        element.classList.toggle("pointed", side === from && i === token);
      });
    }
  });

  function reach() {
    for (const side of sides) {
      const at = seen(side).includes(AG.state[side.name]) ? AG.state[side.name] : seen(side)[0];
      side.tokens.forEach((token, i) => {
        token.setAttribute("tabindex", i === at ? "0" : "-1");
      });
    }
    for (const button of buttons) AG.press(button, button.dataset.direction === AG.state.direction);
    tint();
  }

  /**
   * @param {Side} side
   * @param {KeyboardEvent} event
   */
  function walk(side, event) {
    const among = seen(side);
    const at = among.indexOf(side.tokens.indexOf(/** @type {HTMLElement} */ (event.target)));
    const last = among.length - 1;
    const wanted = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: last,
      Enter: at,
      " ": at,
    }[event.key];
    if (at < 0 || wanted === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const index = among[Math.min(last, Math.max(0, wanted))];
    choose(side, index);
    side.tokens[index].focus();
  }

  AG.on("begin", reach);
  AG.on("weights", reach);
  AG.on("point", tint);
  AG.on("scheme", tint);
  AG.on("state", (changed) => {
    if (["token", "key", "direction", "special", "scale", "curve"].some((name) => changed.has(name))) reach();
  });
})();
