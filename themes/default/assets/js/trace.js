// needs: core.js, state.js, tokendata.js
/* What the selected token looks at, layer by layer, from the numbers that the page carries. */
(() => {
  const place = AG.one("#trace .trace");
  if (!AG.tokenData || !place) return;
  /** @param {HTMLElement} strip */
  const textsOf = (strip) => AG.all(".token", strip).map((token) => token.textContent);
  const tokens = textsOf(AG.one(".tokens"));
  const others = AG.one("[data-key-tokens]");
  const looked = others ? textsOf(others) : tokens;
  const lang = AG.one(".tokens").lang;
  const choices = [
    ["content", "Content words"],
    ["all", "All tokens"],
  ];
  AG.one("[data-trace-tools]").replaceChildren(
    AG.segmented("Tokens counted", "trace", choices, (trace) => AG.set({ trace })),
  );
  const buttons = AG.all("[data-trace]");
  const summary = AG.one("#trace-summary");
  const ranks = (AG.one("#trace").dataset.ranks || "").split(" ");

  /** @param {number} share */
  const bar = (share) => AG.make("i", { class: `bar b${Math.round(share * 100)}` });

  /**
   * @param {number} key
   * @param {number} thousandths
   */
  function cell(key, thousandths) {
    if (key < 0) return AG.make("td");
    const share = thousandths / 1000;
    return AG.make(
      "td",
      {},
      AG.make("span", { class: "trace-key", lang, dir: "auto" }, looked[key]),
      " ",
      AG.make("span", { class: "number" }, thousandths ? share.toFixed(3) : "< 0.001"),
      bar(share),
    );
  }

  /**
   * In words: the key that comes first in most layers, and where it ends.
   *
   * @param {number} token
   * @param {number[][][]} keys
   * @param {number[][][]} weights
   */
  function told(token, keys, weights) {
    const counts = new Map();
    for (const row of keys)
      if (row[token][0] >= 0) counts.set(row[token][0], (counts.get(row[token][0]) || 0) + 1);
    const [key, layers] = [...counts].sort((a, b) => b[1] - a[1])[0] || [-1, 0];
    /** @param {string} text */
    const quoted = (text) => `“${AG.isolated(text)}”`;
    const name = quoted(tokens[token]);
    if (key < 0) return `${name} has nothing to look at here.`;
    const most =
      layers > 1
        ? `${name} looks most at ${quoted(looked[key])} in ${layers} of ${keys.length} layers`
        : `What ${name} looks at most changes from layer to layer`;
    const end = keys.length - 1;
    const last = keys[end][token][0];
    if (last < 0) return `${most}.`;
    const where =
      layers > 1 && last === key ? "among them the last" : `in the last at ${quoted(looked[last])}`;
    return `${most}, ${where} (${(weights[end][token][0] / 1000).toFixed(3)}).`;
  }

  const press = () => {
    for (const button of buttons) AG.press(button, button.dataset.trace === AG.state.trace);
  };

  async function draw() {
    const { token, trace } = AG.state;
    press();
    if (!(token >= 0 && token < tokens.length)) return;
    const data = await AG.tokenData().catch(() => null);
    if (token !== AG.state.token || trace !== AG.state.trace) return; // another was chosen meanwhile
    if (!data) {
      summary.textContent = AG.missing(tokens[token]);
      return;
    }
    const { traces } = data;
    const content = trace === "content";
    const keys = content ? traces.content_keys : traces.keys;
    const weights = content ? traces.content_weights : traces.weights;
    AG.one("q", place).textContent = tokens[token];
    const head = AG.make(
      "tr",
      {},
      AG.make("th", { scope: "col" }, "Layer"),
      ...keys[0][token].map((_, rank) => AG.make("th", { scope: "col" }, ranks[rank] || String(rank + 1))),
    );
    const rows = keys.map((layer, index) =>
      AG.make(
        "tr",
        {},
        AG.make("th", { scope: "row" }, String(index)),
        ...layer[token].map((key, rank) => cell(key, weights[index][token][rank])),
      ),
    );
    place.tHead.replaceChildren(head);
    place.tBodies[0].replaceChildren(...rows);
    summary.textContent = told(token, keys, weights);
  }

  AG.on("state", (changed) => {
    if (changed.has("token") || changed.has("trace")) draw();
  });
  // The page arrives with the table of its focus token; only another choice is worth drawing at once.
  AG.on("begin", () => {
    const focus = Number(AG.one("[data-explorer]").dataset.focus);
    if (AG.state.token !== focus || AG.state.trace !== "content") draw();
    else press();
  });
})();
