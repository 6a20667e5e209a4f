// needs: core.js, atlas.js, sort.js
/* The table of heads by layer, coloured by a measure of the atlas instead of by type. */
(() => {
  const select = AG.one("[data-heat]");
  const table = AG.one(".heads");
  if (!select || !table || !AG.atlas) return;

  const scale = AG.one(".heat-scale");
  const told = AG.one(".heat-told");
  const cells = AG.all("tbody td > *", table).map((link) => {
    const cell = /** @type {HTMLElement} */ (link.parentElement);
    return { link, cell, family: cell.className, type: link.title, name: link.textContent };
  });

  const typed = table.caption.textContent;
  let rest = "";

  function byType() {
    for (const { link, cell, family, type } of cells) {
      cell.className = family;
      link.title = type;
    }
  }

  /**
   * @param {string} name
   * @param {string} title
   */
  function byMeasure(name, title) {
    const shown = AG.atlas.shown(name);
    const defined = Array.from(shown.values()).filter((text) => !Number.isNaN(AG.number(text)));
    defined.sort((a, b) => AG.number(a) - AG.number(b));
    const ends = [defined[0], defined[defined.length - 1]];
    const [low, high] = ends.map(AG.number);
    for (const { link, cell, type, name: head } of cells) {
      const text = shown.get(head) ?? "";
      const part = Math.round((100 * (AG.number(text) - low)) / (high - low || 1));
      cell.className = Number.isNaN(part) ? "nothing" : `b${part}`;
      link.title = `${type}, ${title.toLowerCase()} ${Number.isNaN(part) ? "not defined" : text}`;
    }
    AG.all("span", scale).forEach((end, index) => {
      end.textContent = ends[index];
    });
  }

  /** @param {string} name */
  function colour(name) {
    select.value = name;
    const title = select.selectedOptions[0].text;
    if (name) byMeasure(name, title);
    else byType();
    table.classList.toggle("measured", name !== "");
    scale.hidden = name === "";
    table.caption.textContent = name ? `${title} of every head, by layer and head` : typed;
    told.textContent = rest;
  }

  /** @param {Event} event */
  const tell = (event) => {
    const link = /** @type {Element} */ (event.target).closest("tbody td > *");
    if (link instanceof HTMLElement) told.textContent = `${link.textContent}: ${link.title}`;
  };
  for (const name of ["pointerover", "focusin"]) table.addEventListener(name, tell);
  for (const name of ["pointerleave", "focusout"])
    table.addEventListener(name, () => {
      told.textContent = rest;
    });

  select.addEventListener("change", () => {
    colour(select.value);
    AG.emit("coloured", select.value);
  });
  AG.on("colour", colour);
  AG.on("listed", (names) => {
    for (const { link, name } of cells) link.classList.toggle("unlisted", !names.has(name));
    rest =
      names.size < cells.length
        ? `${names.size} of ${cells.length} heads fit the choice below; the others are blank.`
        : "";
    told.textContent = rest;
  });
})();
