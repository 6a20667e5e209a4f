// needs: core.js, sort.js
/* The atlas of a model: which heads are listed and in what order, kept in the address's fragment. */
(() => {
  const table = AG.one(".atlas");
  const tools = AG.one("[data-atlas]");
  if (!table || !tools) return;

  const scroll = table.closest(".scroll");
  const count = AG.one(".atlas-count");
  const empty = AG.one(".atlas-empty");
  const all = AG.one("[data-atlas-all]", tools);
  const fields = Object.fromEntries(
    AG.all("[name]", tools).map((field) => [/** @type {any} */ (field).name, /** @type {any} */ (field)]),
  );
  const columns = new Map(
    Array.from(table.tHead.rows[0].cells, (head) => [head.dataset.name, head.cellIndex]),
  );
  const titles = new Map(
    Array.from(fields.type.options, (option) => [
      option.value,
      option.text.replace(/ \(\d+\)$/, "").toLowerCase(),
    ]),
  );
  const told = ["head", "shown", "type", "relation"].filter((name) => columns.has(name));
  /** @param {string} name */
  const measured = (name) => columns.has(name) && !told.includes(name);
  /**
   * @param {HTMLTableRowElement} row
   * @param {string} name
   */
  const cell = (row, name) => row.cells[columns.get(name)].textContent.trim();
  const rows = Array.from(table.tBodies[0].rows, (row) => {
    const name = row.cells[0].textContent.trim();
    const [layer, head] = name.match(/\d+/g).map(Number);
    const text = told
      .map((one) => cell(row, one))
      .join("\n")
      .toLowerCase();
    const types = cell(row, "type").toLowerCase().split(", also "); // a head may have two
    return { row, name, layer, head, text, types };
  });
  const kept = ["find", "type", "from", "to", "measure", "least", "most", "sort", "order", "colour"];
  /** @type {Record<string, string>} */
  let state = {};

  /**
   * “L3” is that layer and no other, “H5” that head of any layer; anything else is looked for in the text.
   *
   * @param {typeof rows[number]} one
   * @param {string} term
   */
  function named(one, term) {
    const [, layer, head] = term.match(/^(?:l(\d+))?(?:h(\d+))?$/) || [];
    if (layer === undefined && head === undefined) return one.text.includes(term);
    return (
      (layer === undefined || one.layer === Number(layer)) &&
      (head === undefined || one.head === Number(head))
    );
  }

  /** @param {typeof rows[number]} one */
  function fits(one) {
    if (state.type && !one.types.includes(titles.get(state.type))) return false;
    if (one.layer < Number(state.from || 0) || one.layer > Number(state.to || Infinity)) return false;
    if (
      state.find &&
      !state.find
        .toLowerCase()
        .split(/\s+/)
        .filter(Boolean)
        .every((/** @type {string} */ term) => named(one, term))
    )
      return false;
    if (!state.measure) return true;
    const value = AG.number(cell(one.row, state.measure));
    return state.least ? value >= Number(state.least) : value <= Number(state.most);
  }

  function list() {
    const shown = rows.filter((one) => {
      one.row.hidden = !fits(one);
      return !one.row.hidden;
    });
    const whole = shown.length === rows.length;
    count.textContent = whole ? `${rows.length} heads` : `${shown.length} of ${rows.length} heads`;
    empty.hidden = shown.length > 0;
    scroll.hidden = shown.length === 0;
    all.hidden = !["find", "type", "from", "to", "measure"].some((name) => state[name]);
    AG.emit("listed", new Set(shown.map((one) => one.name)));
  }

  /** What an address asks for, as far as it makes sense here. */
  function read() {
    const found = Object.fromEntries(
      new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : ""),
    );
    /** @param {string | undefined} text */
    const number = (text) => (/^-?\d+(\.\d+)?$/.test(text || "") ? text : "");
    const limited = measured(found.measure) && (number(found.least) || number(found.most));
    return tidy({
      find: found.find,
      type: titles.has(found.type) ? found.type : "",
      from: fields.from && number(found.from),
      to: fields.to && number(found.to),
      measure: limited ? found.measure : "",
      least: limited ? number(found.least) : "",
      most: limited && !number(found.least) ? number(found.most) : "",
      sort: columns.has(found.sort) ? found.sort : "",
      order: columns.has(found.sort) && found.order === "ascending" ? "ascending" : "",
      colour: measured(found.colour) ? found.colour : "",
    });
  }

  /** @param {Record<string, any>} wanted */
  const tidy = (wanted) =>
    Object.fromEntries(kept.filter((name) => wanted[name]).map((name) => [name, wanted[name]]));

  function write() {
    const fragment = new URLSearchParams(state).toString();
    try {
      history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
    } catch {
      /* too many changes in a short time */
    }
  }

  /** @param {Record<string, any>} wanted */
  function change(wanted) {
    state = tidy({ ...state, ...wanted });
    write();
    list();
  }

  function asked() {
    const threshold = fields.threshold.value;
    const { value } = fields.measure;
    const by = threshold === "" ? {} : { measure: value, [fields.side.value]: threshold };
    const layers = fields.from ? { from: fields.from.value, to: fields.to.value } : {};
    change({
      measure: "",
      least: "",
      most: "",
      find: fields.find.value.trim(),
      type: fields.type.value,
      ...layers,
      ...by,
    });
  }

  function fill() {
    for (const name of ["find", "type", "from", "to"])
      if (fields[name]) fields[name].value = state[name] || "";
    if (state.measure) fields.measure.value = state.measure;
    fields.side.value = state.most ? "most" : "least";
    fields.threshold.value = state.least || state.most || "";
  }

  function follow() {
    state = read();
    fill();
    if (state.sort) AG.sort(table, state.sort, state.order);
    list();
    AG.emit("colour", state.colour || "");
  }

  let waiting = 0;
  tools.addEventListener("input", (/** @type {any} */ event) => {
    clearTimeout(waiting);
    if (event.target.type === "search" || event.target.type === "number") waiting = setTimeout(asked, 150);
    else asked();
  });
  all.addEventListener("click", () => {
    change({ find: "", type: "", from: "", to: "", measure: "", least: "", most: "" });
    fill();
    fields.find.focus();
  });
  AG.on("sorted", ({ table: one, name, order }) => {
    if (one === table) change({ sort: name, order: order === "ascending" ? order : "" });
  });
  AG.on("coloured", (name) => change({ colour: name }));
  // A fragment that leads to a place of the page says nothing of the choice.
  addEventListener("hashchange", () => {
    if (!location.hash || location.hash.includes("=")) follow();
  });

  AG.atlas = {
    /** What the table shows of a measure, by the names of heads. */
    shown: (name) => new Map(rows.map((one) => [one.name, cell(one.row, name)])),
    begin: () => {
      follow();
      if (Object.keys(state).some((name) => name !== "colour")) AG.one("#measures").scrollIntoView();
    },
  };
})();
