// needs: core.js
/* The home page's sentences by tag. */
(() => {
  const group = AG.one("[data-filter]");
  if (!group) return;
  const buttons = AG.all("[data-tag]", group);
  const rows = AG.all(`#${group.dataset.filter} > [data-tags]`);
  const count = AG.one(".filter-count", group);

  /** @param {string} tag */
  function show(tag) {
    for (const button of buttons) AG.press(button, button.dataset.tag === tag);
    for (const row of rows) row.hidden = tag !== "" && !row.dataset.tags?.split("\n").includes(tag);
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = tag ? `${shown} of ${rows.length}` : "";
  }

  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.tag || ""));
})();
