// needs: core.js, colour.js, embedded.js, scale.js, state.js
/* The examples on the home page: one is shown at a time; its tokens are tinted by what the selected one looks at. */
(() => {
  const showcase = AG.one("[data-showcase]");
  if (!showcase) return;
  const stories = AG.all("[data-story]", showcase);
  const chips = AG.all("[data-chip]", showcase);

  /** @param {number} index */
  function show(index) {
    showcase.dataset.shown = "";
    stories.forEach((story, i) => {
      story.classList.toggle("current", i === index);
    });
    chips.forEach((chip, i) => {
      AG.press(chip, i === index);
    });
  }
  chips.forEach((chip, i) => {
    chip.addEventListener("click", () => show(i));
  });
  show(0);

  /**
   * @param {HTMLElement} story
   * @param {Heatmap} figure
   */
  function run(story, figure) {
    const tokens = AG.all(".token", story);
    const [pair, weight] = [AG.one("[data-pair]", story), AG.one("[data-weight]", story)];
    const strip = AG.one(".tokens", story);
    let selected = Number(story.dataset.focus);
    strip.setAttribute("role", "listbox");
    strip.setAttribute("aria-label", "Tokens. Choose one to see what it looks at.");
    figure.picked = () => selected;

    /** @param {number} key */
    const weightAt = (key) => figure.weights[selected * figure.keys + key];

    function draw() {
      const most = AG.colour.most(figure);
      let best = 0;
      tokens.forEach((token, key) => {
        const share = weightAt(key) || 0;
        if (share > (weightAt(best) || 0)) best = key;
        AG.colour.dye(token, share, most);
        token.setAttribute("aria-selected", String(key === selected));
        token.setAttribute("tabindex", key === selected ? "0" : "-1");
      });
      const quoted = (/** @type {string} */ text) => `“${AG.isolated(text)}”`;
      pair.textContent = `${quoted(figure.labels[selected])} looks most at ${quoted(figure.keyLabels[best])}`;
      weight.textContent = weightAt(best).toFixed(2);
      figure.redraw();
    }

    /** @param {number} token */
    function choose(token) {
      selected = Math.min(tokens.length - 1, Math.max(0, token));
      draw();
    }
    tokens.forEach((token, i) => {
      token.setAttribute("role", "option");
      token.addEventListener("click", () => choose(i));
    });
    strip.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      choose(selected + step);
      tokens[selected].focus();
    });
    AG.on("scheme", draw);
    draw();
  }

  AG.on("embedded", (figure) => {
    const story = /** @type {HTMLElement | null} */ (figure.root.closest("[data-story]"));
    if (story && !figure.cross) run(story, figure);
  });
})();
