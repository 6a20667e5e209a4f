// needs: core.js, figure.js, grid.js, heads.js, state.js, tiles.js
/* Which head is selected in the grid: by click, keys or address; its weights are fetched when they are not there. */
(() => {
  const { grid, heads } = AG;
  if (!grid) return;
  const { cells, names, table } = grid;
  const wide = heads.heads + 1;
  table.setAttribute("role", "grid");

  /**
   * The pair of the selected token and the key that it looks at most, in words; nothing before there are weights.
   */
  function pair() {
    const { figure } = AG;
    const cell = figure.weights && AG.state.direction === "from" ? figure.strongest() : null;
    return cell
      ? `, ${figure
          .words(...cell)
          .replace(" → ", " to ")
          .replace(": ", " ")}`
      : "";
  }

  /** @param {number} index */
  const titleOf = (index) => cells[index].title || heads.meanTitle(names[index]);

  function mark() {
    const index = names.indexOf(AG.state.head);
    cells.forEach((cell, i) => {
      const selected = i === index;
      if (selected) cell.setAttribute("aria-current", "true");
      else cell.removeAttribute("aria-current");
      cell.parentElement?.setAttribute("aria-selected", String(selected));
      cell.setAttribute("tabindex", selected || (index < 0 && i === 0) ? "0" : "-1");
      if (!selected) cell.setAttribute("aria-label", `${names[i]}, ${titleOf(i)}`);
    });
  }

  function describe() {
    const index = names.indexOf(AG.figure.name);
    if (index < 0) return;
    cells[index].setAttribute("aria-label", `${names[index]}, ${titleOf(index)}${pair()}`);
  }

  /** The layers beside the one that is looked at come next; of a short text all. */
  function prefetch() {
    const place = heads.placeOf(AG.state.head);
    if (!place || navigator.connection?.saveData) return;
    const cellsOfAll = AG.figure.whole.length * heads.heads * heads.layers;
    const every = Array.from({ length: heads.layers }, (_, layer) => layer);
    const near = every.filter((layer) => cellsOfAll < 600_000 || Math.abs(layer - place[0]) <= 1);
    (window.requestIdleCallback || setTimeout)(async () => {
      for (const layer of near) await AG.layer(layer).catch(() => {});
    });
  }

  function tell() {
    const index = names.indexOf(AG.figure.name);
    AG.emit("selected", {
      name: names[index],
      title: titleOf(index),
      family: cells[index].parentElement?.className || "",
      href: cells[index].getAttribute("href"),
    });
    describe();
    prefetch();
  }

  async function select() {
    const name = AG.state.head;
    mark();
    if (!grid.has(name)) return;
    if (name === AG.figure.name && AG.figure.weights) {
      tell();
      return;
    }
    try {
      const { weights, coarse } = await heads.weightsOf(name);
      if (AG.state.head !== name) return; // another was chosen meanwhile
      AG.figure.load(weights, name, coarse);
      AG.figure.warn("");
      tell();
    } catch (error) {
      const reason = /** @type {Error} */ (error).message;
      if (AG.state.head === name)
        AG.figure.warn(`${name} cannot be shown: ${reason}. The picture is still of ${AG.figure.name}.`);
    }
  }

  /**
   * The head so many layers down and so many heads on; undefined past an edge.
   *
   * @param {number} down
   * @param {number} on
   */
  function neighbour(down, on) {
    const index = names.indexOf(AG.state.head);
    const head = (index % wide) + on;
    return index >= 0 && head >= 0 && head < wide ? names[index + down * wide + on] : undefined;
  }

  AG.step = (down, on) => {
    const head = neighbour(down, on);
    if (head) AG.set({ head });
  };

  /** @type {Record<string, [number, number]>} */
  const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  table.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const cell = /** @type {HTMLElement} */ (event.target).closest("tbody td > *");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const row = Math.floor(cells.indexOf(/** @type {HTMLElement} */ (cell)) / wide) * wide;
    const head = {
      Home: names[row],
      End: names[row + wide - 1],
      Enter: cell.hasAttribute("href") ? undefined : cell.textContent,
      ...(ways[event.key] && { [event.key]: neighbour(...ways[event.key]) }),
    }[event.key];
    if (head === undefined && !ways[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    if (!head) return;
    AG.set({ head });
    cells[names.indexOf(head)].focus();
  });
  cells.forEach((cell, i) => {
    cell.setAttribute("role", "button");
    cell.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      AG.set({ head: names[i] });
      AG.emit("chosen", names[i]);
    });
  });

  AG.selectHead = select;
  AG.on("state", (changed) => {
    if (changed.has("head")) select();
    else if (changed.has("token") || changed.has("direction")) describe();
  });
})();
