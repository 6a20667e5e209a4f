// needs: core.js, arcs.js, colour.js, figure.js, grid.js, heads.js, sort.js, state.js, tiles.js
/* What the squares of the grid show: the pattern of a head, the weight of the selected pair, its type or a measure. */
(() => {
  const { grid, heads } = AG;
  const tools = AG.one("[data-colour-tools]");
  if (!grid || !tools) return;
  /** @type {{ name: string, title: string, values: string[] }[]} */
  const measures = AG.json(document.getElementById("head-measures")) || [];
  const ends = AG.make(
    "p",
    { class: "heat-scale", hidden: "" },
    AG.make("span"),
    AG.make("i"),
    AG.make("span"),
  );
  /** @type {Map<string, number>} */
  let values = new Map();
  let range = [0, 1];

  const choices = [
    ["pattern", "pattern"],
    ["pair", "pair"],
    ["type", "type"],
  ];
  const buttons = AG.segmented("Colour the heads by", "colour", choices, (colour) => AG.set({ colour }));
  const select = AG.make(
    "select",
    {},
    AG.make("option", { value: "" }, "a measure"),
    ...measures.map(({ name, title }) => AG.make("option", { value: name }, title)),
  );
  select.addEventListener("change", () => AG.set({ colour: select.value || "pattern" }));
  const field = AG.make(
    "label",
    {},
    AG.make("span", { class: "hidden" }, "Colour the heads by a measure"),
    select,
  );
  tools.replaceChildren(AG.make("span", { class: "label" }, "Colour by"), buttons, field, ends);
  const pairButton = AG.one('[data-colour="pair"]', buttons);

  /**
   * Whose weight the squares show: the ends of the selected relation, else the selected token and the key that it
   * looks at most in the selected head.
   *
   * @returns {{ queries: number[], keys: number[], name: string } | null}
   */
  function pair() {
    const { figure } = AG;
    const relation = AG.relations?.[AG.state.relation];
    if (relation) {
      // Where the model is causal only the later of the two can look at the other.
      const back = figure.causal && relation.source[0] < relation.target[0];
      const [queries, keys] = back ? [relation.target, relation.source] : [relation.source, relation.target];
      return { queries, keys, name: `${nameOf(queries)} → ${nameOf(keys)}` };
    }
    const cell = figure.weights && AG.state.direction === "from" ? figure.strongest() : null;
    if (!cell) return null;
    const [row, column] = cell;
    const name = `${figure.labels[row]} → ${figure.keyLabels[column]}`;
    return { queries: [figure.rows[row]], keys: [figure.columns[column]], name };
  }

  /** @param {number[]} side */
  const nameOf = (side) => side.map((token) => AG.plain(AG.figure.spec.data[0].x[token])).join(" ");

  function namePair() {
    pairButton.textContent = pair()?.name || "pair";
  }

  /**
   * What the queries send to the keys, in every head: summed over keys, the mean over queries.
   *
   * @param {{ queries: number[], keys: number[] }} chosen
   */
  async function weighPair({ queries, keys }) {
    const columns = AG.figure.spec.data[0].x.length;
    /** @param {Float32Array} weights */
    const sent = (weights) =>
      queries.reduce(
        (sum, query) => keys.reduce((part, key) => part + (weights[query * columns + key] || 0), sum),
        0,
      ) / queries.length;
    const found = new Map();
    for (let layer = 0; layer < heads.layers; layer += 1) {
      const ready = await AG.layer(layer);
      for (let head = 0; head < heads.heads; head += 1)
        found.set(heads.nameOf(layer, head), sent(ready.head(head)));
    }
    return found;
  }

  /** @param {string} colour */
  function measured(colour) {
    const measure = measures.find(({ name }) => name === colour);
    return new Map(measure ? heads.names.map((name, i) => [name, AG.number(measure.values[i])]) : []);
  }

  /** @param {Map<string, number>} found */
  function take(found) {
    const defined = Array.from(found.values()).filter((value) => !Number.isNaN(value));
    values = found;
    range =
      AG.state.colour === "pair"
        ? [0, Math.max(0, ...defined)]
        : [Math.min(...defined), Math.max(...defined)];
    const texts = AG.all("span", ends);
    texts[0].textContent = String(Number(range[0].toPrecision(2)));
    texts[1].textContent = String(Number(range[1].toPrecision(2)));
    ends.hidden = defined.length === 0;
    grid.draw();
  }

  async function show() {
    const { colour } = AG.state;
    for (const button of AG.all("button", buttons)) AG.press(button, button.dataset.colour === colour);
    select.value = measures.some(({ name }) => name === colour) ? colour : "";
    namePair();
    if (colour !== "pair") {
      take(measured(colour));
      return;
    }
    const chosen = pair();
    if (!chosen) return;
    const found = await weighPair(chosen).catch(() => new Map());
    if (AG.state.colour === colour && pair()?.name === chosen.name) take(found);
  }

  /**
   * The colour of a head's square; undefined where its pattern is shown.
   *
   * @param {string} name
   */
  function fillOf(name) {
    const { colour } = AG.state;
    if (colour === "type") {
      const family = grid.families[grid.names.indexOf(name)];
      return family ? AG.colour.css(`--family-${family}`) : undefined;
    }
    const value = values.get(name);
    if (value === undefined) return undefined;
    if (Number.isNaN(value)) return AG.colour.css("--absent");
    const ramp = AG.colour.ramp();
    const part = (value - range[0]) / (range[1] - range[0] || 1);
    const at = (colour === "pair" ? AG.colour.level(value, range[1] || 1) : Math.round(255 * part)) * 3;
    return `rgb(${ramp.subarray(at, at + 3).join(" ")})`;
  }

  grid.fillWith(fillOf);
  AG.on("weights", () => (AG.state.colour === "pair" ? show() : namePair()));
  AG.on("begin", show);
  AG.on("state", (changed) => {
    // Who chooses a relation wants to know which heads follow it.
    if (changed.has("relation") && AG.state.relation >= 0 && AG.state.colour !== "pair")
      AG.set({ colour: "pair" });
    else if (changed.has("colour")) show();
    else if (["token", "relation", "direction"].some((name) => changed.has(name))) {
      if (AG.state.colour === "pair") show();
      else namePair();
    }
  });
})();
