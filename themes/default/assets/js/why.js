// needs: core.js, figure.js, grid.js, heads.js, sort.js, state.js
/* The measures of the selected head, each with its rank among all heads of the model. */
(() => {
  const table = AG.one(".why table");
  /** @type {{ name: string, title: string, unit: string, values: string[] }[]} */
  const measures = AG.json(document.getElementById("head-measures"));
  if (!table || !measures || !AG.grid) return;
  const title = AG.one("[data-why]");
  const note = AG.one("[data-why-mean]");

  /**
   * @param {string[]} values
   * @param {number} index
   */
  function rank(values, index) {
    const value = AG.number(values[index]);
    if (Number.isNaN(value)) return "";
    const numbers = values.map(AG.number).filter((number) => !Number.isNaN(number));
    const above = numbers.filter((number) => number > value).length;
    const equal = numbers.filter((number) => number === value).length > 1;
    return `${equal ? "equal " : ""}${AG.ordinal(above + 1)} of ${numbers.length}`;
  }

  AG.on("selected", ({ name, title: type }) => {
    const index = AG.heads.names.indexOf(name);
    title.textContent = `${name}: ${type}`;
    note.hidden = index >= 0;
    table.hidden = index < 0;
    if (index < 0) return;
    const rows = measures.map(({ title: measure, unit, values }) =>
      AG.make(
        "tr",
        {},
        AG.make("th", { scope: "row" }, measure),
        AG.make("td", { class: "numeric" }, values[index], " ", AG.make("span", { class: "unit" }, unit)),
        AG.make("td", { class: "numeric" }, rank(values, index)),
      ),
    );
    table.tBodies[0].replaceChildren(...rows);
  });
})();
