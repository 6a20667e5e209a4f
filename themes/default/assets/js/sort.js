/* Tables that sort by the column whose title is chosen. */
(() => {
  const value = (row, column) => row.cells[column].textContent.trim();
  const natural = new Intl.Collator(document.documentElement.lang, { numeric: true });

  function compare(a, b) {
    const [x, y] = [parseFloat(a), parseFloat(b)];
    if (Number.isNaN(x) && Number.isNaN(y)) return natural.compare(a, b);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return x - y;
  }

  function sort(table, column, heads) {
    const head = heads[column];
    const numeric = head.classList.contains("numeric");
    const before = head.getAttribute("aria-sort");
    const order = before ? (before === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [value(row, column), row]);
    const missing = (text) => numeric && Number.isNaN(parseFloat(text));
    rows.sort(([a], [b]) => (missing(a) || missing(b) ? missing(a) - missing(b) : sign * compare(a, b)));
    body.append(...rows.map(([, row]) => row));
  }

  for (const table of AG.all("table[data-sort]")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const button = AG.make("button", { type: "button", class: "sort" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, column, heads));
    });
  }
})();
