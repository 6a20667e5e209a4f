// needs: core.js, atlas.js, disk.js, figure.js, grid.js, heat.js, lines.js, matrix.js, plot.js, pointer.js
// needs: readout.js, scheme.js, sources.js, special.js, state.js, table.js, tokens.js, tools.js, trace.js
/* Starts what the page holds, when everything that it needs has had its say. */
(() => {
  if (AG.atlas) AG.atlas.begin();
  if (!AG.figure) return;
  const explorer = AG.one("[data-explorer]");
  const { special } = AG.one("[data-special]")?.dataset || { special: "shown" };
  const initial = explorer
    ? { special, head: AG.figure.name, token: Number(explorer.dataset.focus) }
    : { special };
  AG.begin(initial);
  if (AG.grid && !AG.grid.has(AG.state.head)) AG.state.head = AG.figure.name;
  AG.emit("begin");
  if (AG.grid) AG.grid.begin();
  AG.figure.begin();
})();
