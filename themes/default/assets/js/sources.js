// needs: core.js, state.js, tokendata.js, trace.js
/* Where the selected token draws from in one layer, by raw attention and other views. */
(() => {
  const place = AG.one("#sources .sources");
  if (!AG.tokenData || !place) return;
  const tools = AG.one("[data-layer-tools]");
  const last = Number(tools.dataset.layers) - 1;
  /** @param {HTMLElement} strip */
  const textsOf = (strip) => AG.all(".token", strip).map((token) => token.textContent);
  const tokens = textsOf(AG.one(".tokens"));
  const others = AG.one("[data-key-tokens]");
  const looked = others ? textsOf(others) : tokens;
  const lang = AG.one(".tokens").lang;

  const choice = AG.make("select");
  for (let layer = 0; layer <= last; layer++)
    choice.append(AG.make("option", { value: layer }, String(layer)));
  choice.addEventListener("change", () => AG.set({ layer: Number(choice.value) }));
  tools.replaceChildren(AG.make("label", { class: "field" }, AG.make("span", {}, "Layer"), choice));

  /**
   * The sources of one view, strongest first, as key and thousandths.
   *
   * @param {TokenData} data
   * @param {string} name
   * @param {number} layer
   * @param {number} token
   */
  function sources({ traces, flows, step }, name, layer, token) {
    if (name === "raw")
      return traces.keys[layer][token].map((key, rank) => [key, traces.weights[layer][token][rank]]);
    return flows[name][layer][token].map((packed) =>
      packed < 0 ? [-1, 0] : [Math.floor(packed / step), packed % step],
    );
  }

  /** @param {number[]} source */
  function cell([key, thousandths]) {
    if (key < 0) return AG.make("td");
    const share = AG.make(
      "span",
      { class: "number" },
      thousandths ? (thousandths / 1000).toFixed(3) : "< 0.001",
    );
    return AG.make(
      "td",
      {},
      AG.make("span", { class: "trace-key", lang, dir: "auto" }, looked[key]),
      " ",
      share,
      AG.make("i", { class: `bar b${Math.round(thousandths / 10)}` }),
    );
  }

  const shown = () => (AG.state.layer >= 0 && AG.state.layer <= last ? AG.state.layer : last);

  async function draw() {
    const { token } = AG.state;
    const layer = shown();
    choice.value = String(layer);
    if (!(token >= 0 && token < tokens.length)) return;
    const data = await AG.tokenData().catch(() => null);
    // Of numbers that cannot be had the table above says so.
    if (!data || token !== AG.state.token || layer !== shown()) return;
    AG.one("q", place).textContent = tokens[token];
    AG.one("[data-layer]", place).textContent = String(layer);
    for (const row of /** @type {HTMLTableRowElement[]} */ (AG.all("[data-view-name]", place))) {
      const name = row.dataset.viewName || "";
      if (name === "raw" || name in data.flows)
        row.replaceChildren(row.cells[0], ...sources(data, name, layer, token).map(cell));
    }
  }

  AG.on("state", (changed) => {
    if (changed.has("token") || changed.has("layer")) draw();
  });
  // The page arrives with the table of its focus token after the last layer.
  AG.on("begin", () => {
    const focus = Number(AG.one("[data-explorer]").dataset.focus);
    if (AG.state.token !== focus || shown() !== last) draw();
    else choice.value = String(last);
  });
})();
