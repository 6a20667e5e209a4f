// needs: core.js, arcs.js, atlas.js, disk.js, figure.js, grid.js, gridcolour.js, heads.js, heat.js, lines.js, matrix.js
// needs: jump.js, menus.js, plot.js, pointer.js, preview.js, readout.js, scheme.js, select.js, sheet.js, sources.js
// needs: special.js, state.js, strip.js, strongest.js, table.js, tokens.js, tools.js, trace.js, why.js
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
  open();

  /** The figure comes first. It opens with the head that the page carries, if that is the one asked for. */
  async function open() {
    if (!AG.grid || AG.state.head === AG.figure.name) await AG.figure.begin();
    if (!AG.grid) return;
    await AG.grid.begin();
    AG.selectHead();
  }
})();
