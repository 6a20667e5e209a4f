// needs: core.js, figure.js, state.js
/* The buttons above a figure, and the title of the selected head. */
(() => {
  const tools = AG.one("[data-tools]");
  if (!tools || !AG.figure) return;
  /**
   * @param {string} name
   * @param {string} title
   * @param {string} text
   */
  const chip = (name, title, text) =>
    AG.make("button", { type: "button", class: "chip", [`data-${name}`]: "", title }, text);
  const scale = chip("scale", "Colour from 0 to 1 instead of from 0 to the largest weight shown", "0 to 1");
  const zoom = chip("zoom", "Zoom, pan and save as a picture", "Zoom");
  const choices = [
    ["matrix", "Matrix"],
    ["lines", "Lines"],
    ["table", "Table"],
  ];
  tools.replaceChildren(
    AG.segmented("View", "view", choices, (view) => AG.set({ view })),
    scale,
    zoom,
    chip("copy", "Copy the address of exactly what is shown", "Copy link"),
  );
  const views = AG.all("[data-view]", tools);
  const title = AG.one("[data-selected]");
  const link = AG.one("[data-selected-link]");
  let page = "";

  function show() {
    for (const button of views) AG.press(button, button.dataset.view === AG.state.view);
    AG.press(scale, AG.state.scale === "one");
    zoom.disabled = AG.state.view !== "matrix";
  }

  function address() {
    const own = ["token", "key", "view", "direction", "scale", "curve", "threshold", "special"];
    const kept = AG.fragment()
      .split("&")
      .filter((part) => own.includes(part.split("=")[0]));
    return kept.length ? `#${kept.join("&")}` : "";
  }

  /** Neighbouring heads open with the same token and view. */
  function carry() {
    if (link && page) link.setAttribute("href", page + address());
    for (const way of AG.all("[data-way]"))
      way.setAttribute("href", (way.getAttribute("href") || "").split("#")[0] + address());
  }

  scale.addEventListener("click", () => AG.set({ scale: AG.state.scale === "one" ? "head" : "one" }));
  AG.on("state", (changed) => {
    show();
    if (title && changed.has("special") && AG.figure.weights)
      AG.figure.caption.textContent = strongest(AG.figure);
  });
  AG.on("fragment", carry);
  AG.on("begin", () => {
    show();
    carry();
  });
  AG.on("selected", (head) => {
    if (!title) return;
    title.replaceChildren(head.name, " ", AG.make("span", { class: `family ${head.family}` }, head.title));
    page = head.href || "";
    link.hidden = !page;
    const caption = strongest(AG.figure);
    AG.figure.caption.textContent = caption;
    AG.emit("described", `${head.title}, ${caption}`);
    carry();
  });

  /**
   * The strongest pair between different tokens, in words.
   *
   * @param {Figure} figure
   */
  function strongest(figure) {
    let best = -1;
    figure.weights.forEach((weight, i) => {
      const apart = figure.cross || Math.floor(i / figure.keys) !== i % figure.keys;
      if (apart && weight > (best < 0 ? 0 : figure.weights[best])) best = i;
    });
    const pair = () => figure.words(Math.floor(best / figure.keys), best % figure.keys);
    const words = best < 0 ? "" : ` Its largest weight between two tokens is ${pair()}.`;
    const sides = figure.cross
      ? "target tokens, which look, run down, source tokens along the bottom"
      : "queries run down, keys along the bottom";
    return `${figure.name}: ${sides}.${words}`;
  }
})();
