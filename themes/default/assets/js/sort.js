// needs: core.js
/* Tables that sort by the column whose title is chosen. */
(() => {
  /**
   * @param {HTMLTableRowElement} row
   * @param {number} column
   */
  const value = (row, column) => row.cells[column].textContent.trim();
  const natural = new Intl.Collator(document.documentElement.lang, { numeric: true });

  /** The number that a cell shows; “< 0.001” lies between it and nothing. */
  AG.number = (text) => (text.startsWith("<") ? parseFloat(text.slice(1)) / 2 : parseFloat(text));

  /**
   * @param {string} a
   * @param {string} b
   */
  function compare(a, b) {
    const [x, y] = [AG.number(a), AG.number(b)];
    if (Number.isNaN(x) && Number.isNaN(y)) return natural.compare(a, b);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return x - y;
  }

  /** @param {HTMLTableElement} table */
  const heads = (table) => Array.from(table.tHead?.rows[0].cells || []);

  /**
   * @param {HTMLTableElement} table
   * @param {HTMLTableCellElement} head
   * @param {string} order
   */
  function sort(table, head, order) {
    const column = head.cellIndex;
    const numeric = head.classList.contains("numeric");
    for (const other of heads(table)) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => ({ row, text: value(row, column) }));
    /** @param {string} text */
    const missing = (text) => text === "" || (numeric && Number.isNaN(AG.number(text)));
    rows.sort(({ text: a }, { text: b }) =>
      missing(a) || missing(b) ? Number(missing(a)) - Number(missing(b)) : sign * compare(a, b),
    );
    body.append(...rows.map(({ row }) => row));
  }

  /**
   * @param {HTMLTableElement} table
   * @param {HTMLTableCellElement} head
   */
  function turn(table, head) {
    const before = head.getAttribute("aria-sort");
    const first = head.classList.contains("numeric") ? "descending" : "ascending";
    const order = before ? (before === "ascending" ? "descending" : "ascending") : first;
    sort(table, head, order);
    AG.emit("sorted", { table, name: head.dataset.name || "", order });
  }

  /** Sorts by the column of that name, where there is one. */
  AG.sort = (table, name, order) => {
    const head = heads(table).find((one) => one.dataset.name === name);
    if (head) sort(table, head, order === "ascending" ? order : "descending");
    return Boolean(head);
  };

  for (const table of /** @type {HTMLTableElement[]} */ (AG.all("table[data-sort]"))) {
    for (const head of heads(table)) {
      const button = AG.make("button", { type: "button", class: "sort" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => turn(table, head));
    }
  }
})();
