/* The table of heads by layer, coloured by a measure of the atlas instead of by type. */
(() => {
  const select = AG.one("[data-heat]");
  const table = AG.one(".heads");
  if (!select || !table || !AG.atlas) return;

  const scale = AG.one(".heat-scale");
  const told = AG.one(".heat-told");
  const cells = AG.all("tbody td > *", table).map((link) => {
    return { link, cell: link.parentElement, family: link.parentElement.className, type: link.title, name: link.textContent };
  });

  function byType() {
    for (const { link, cell, family, type } of cells) {
      cell.className = family;
      link.title = type;
    }
  }

  function byMeasure(name, title) {
    const values = AG.atlas.values(name);
    const defined = Array.from(values.values()).filter((value) => !Number.isNaN(value));
    const [low, high] = [Math.min(...defined), Math.max(...defined)];
    for (const { link, cell, type, name: head } of cells) {
      const value = values.get(head);
      const known = !Number.isNaN(value);
      cell.className = known ? `b${Math.round((100 * (value - low)) / (high - low || 1))}` : "nothing";
      link.title = `${type}, ${title.toLowerCase()} ${known ? shown(value) : "not defined"}`;
    }
    const [from, to] = AG.all("span", scale);
    [from.textContent, to.textContent] = [shown(low), shown(high)];
  }

  const shown = (value) => String(Number(value.toPrecision(3)));

  function colour(name) {
    select.value = name;
    const title = select.selectedOptions[0].text;
    if (name) byMeasure(name, title);
    else byType();
    table.classList.toggle("measured", name !== "");
    scale.hidden = name === "";
    table.caption.textContent = `${name ? title : "The type"} of every head, by layer and head, over all sentences`;
    told.textContent = "";
  }

  const tell = (event) => {
    const link = event.target.closest("tbody td > *");
    if (link) told.textContent = `${link.textContent}: ${link.title}`;
  };
  for (const name of ["pointerover", "focusin"]) table.addEventListener(name, tell);

  select.addEventListener("change", () => {
    colour(select.value);
    AG.emit("coloured", select.value);
  });
  AG.on("colour", colour);
  AG.on("listed", (names) => {
    for (const { link, name } of cells) link.classList.toggle("unlisted", !names.has(name));
  });
  AG.atlas.begin();
})();
