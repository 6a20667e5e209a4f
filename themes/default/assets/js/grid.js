// needs: core.js, colour.js, decode.js, figure.js, heads.js, pool.js, state.js
/* All heads at once, and their means: one canvas under the table of links, which stays the way to reach them. */
(() => {
  const source = AG.one('[data-figure="grid"]');
  const table = source && AG.one(".heads", source.parentElement);
  if (!table) return;

  const { layers, heads } = AG.heads;
  const queries = Number(source.dataset.queries);
  const keys = Number(source.dataset.keys);
  const rows = Number(source.dataset.rows);
  const columns = Number(source.dataset.columns);
  const causal = source.dataset.causal === "1";
  const pane = table.closest(".heads-pane"); // not in templates of themes that are older than it
  const canvas = AG.make("canvas", { "aria-hidden": "true" });
  /** @type {Uint8Array | null} */
  let levels = null;
  let job = 0;
  /** @type {(name: string) => string | undefined} */
  let fillOf = () => undefined;

  /** The means stand in a row and a column of their own; without scripts there is nothing that they could show. */
  function addMeans() {
    const means = AG.make("tr", {}, AG.make("th", { scope: "row" }, "mean"));
    for (let head = 0; head <= heads; head += 1)
      means.append(AG.make("td", { class: "mean" }, AG.make("span", {}, AG.heads.nameOf(layers, head))));
    table.tHead.rows[0].append(AG.make("th", { scope: "col" }, "mean"));
    Array.from(table.tBodies[0].rows).forEach((row, layer) => {
      row.append(AG.make("td", { class: "mean" }, AG.make("span", {}, AG.heads.nameOf(layer, heads))));
    });
    table.tBodies[0].append(means);
  }
  addMeans();
  const cells = AG.all("tbody td > *", table);
  const names = cells.map((cell) => cell.textContent);
  /** @type {string[]} */
  const families = cells.map(
    (cell) => /^f-(\S+)/.exec(/** @type {HTMLElement} */ (cell.parentElement).className)?.[1] || "",
  );

  /**
   * Whether a causal model can see no cell of a block.
   *
   * @param {number} row
   * @param {number} column
   */
  function absent(row, column) {
    const last =
      Math.max(Math.floor((row * queries) / rows) + 1, Math.floor(((row + 1) * queries) / rows)) - 1;
    return causal && Math.floor((column * keys) / columns) > last;
  }

  /**
   * The small picture of the head or mean at an index.
   *
   * @param {number} index
   * @returns {Thumbnail}
   */
  const picture = (index) => ({
    levels: /** @type {Uint8Array} */ (levels).subarray(index * rows * columns, (index + 1) * rows * columns),
    rows,
    columns,
    absent,
  });

  /**
   * A head of queries × keys in a square of `side` device pixels.
   *
   * @param {CanvasRenderingContext2D} pen
   * @param {number} index
   * @param {{ left: number; top: number; side: number }} square
   */
  function drawPicture(pen, index, { left, top, side }) {
    const longer = Math.max(queries, keys);
    const [width, height] = [keys, queries].map((count) => Math.max(1, Math.round((side * count) / longer)));
    const image = AG.thumbnail(picture(index), width, height);
    pen.putImageData(image, left + ((side - width) >> 1), top + ((side - height) >> 1));
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} index
   * @param {{ left: number; top: number; side: number }} square
   * @param {number} ratio
   */
  function drawCell(pen, index, square, ratio) {
    const { left, top, side } = square;
    const fill = fillOf(names[index]);
    if (fill === undefined) drawPicture(pen, index, square);
    else {
      pen.fillStyle = fill;
      pen.fillRect(left, top, side, side);
    }
    if (!families[index]) return;
    pen.fillStyle = AG.colour.css(`--family-${families[index] === "separator" ? "sink" : families[index]}`);
    pen.fillRect(left, top + side + ratio, side, Math.max(1, Math.round(Math.min(2.5, side / 12) * ratio)));
  }

  /** Where the square of each cell stands on the canvas: the cells of a table are one as large as the other. */
  function squares() {
    const ratio = devicePixelRatio || 1;
    const origin = table.getBoundingClientRect();
    const [first, last] = [cells[0], cells[cells.length - 1]].map((cell) => cell.getBoundingClientRect());
    const right = (last.left - first.left) / Math.max(1, heads);
    const down = (last.top - first.top) / Math.max(1, layers);
    const gap = first.height > 14 ? 2 : 1;
    const side = Math.max(1, Math.round((Math.min(first.width, first.height) - 2 * gap) * ratio));
    return cells.map((_, index) => {
      const [row, column] = [Math.floor(index / (heads + 1)), index % (heads + 1)];
      const left = first.left - origin.left + column * right + first.width / 2;
      return {
        left: Math.round(left * ratio - side / 2),
        top: Math.round((first.top - origin.top + row * down) * ratio),
        side,
      };
    });
  }

  /** Draws the heads a few at a time, so that the page answers meanwhile. */
  function draw() {
    if (!levels) return;
    const ratio = devicePixelRatio || 1;
    const { width, height } = table.getBoundingClientRect();
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const places = squares();
    job += 1;
    const mine = job;
    let next = 0;
    const step = () => {
      if (mine !== job) return;
      const until = performance.now() + 12;
      while (next < cells.length && (performance.now() < until || document.hidden))
        drawCell(pen, next, places[next++], ratio);
      if (next < cells.length) requestAnimationFrame(step);
    };
    step();
  }

  /** Cells are as large as fit the pane, whole and square. */
  function fit() {
    if (!pane?.clientWidth) return;
    pane.style.flex = ""; // as much as is left, to begin with
    const wide = (pane.clientWidth - 44) / (heads + 1);
    // Where the pane is as high as the heads make it, only the width counts.
    const high =
      getComputedStyle(pane).overflowY === "visible" ? wide : (pane.clientHeight - 24) / (layers + 1);
    const cell = Math.max(4, Math.min(52, Math.floor(wide), Math.floor(high)));
    table.style.setProperty("--cell", `${cell}px`);
    table.classList.toggle("small", cell < 18);
    table.classList.add("fitted");
    pane.style.flex = "0 1 auto"; // so that what stands below comes next to it
  }

  AG.grid = {
    has: (name) => names.includes(name),
    cells,
    names,
    families,
    table,
    draw: AG.framed(draw),
    fillWith: (fill) => {
      fillOf = fill;
    },
    picture,
    drawPicture,
    begin: async () => {
      fit();
      try {
        const packed = AG.one(".figure-weights", source);
        levels = await AG.unpacked(packed.textContent, "deflated" in source.dataset);
        packed.remove();
      } catch {
        return;
      }
      source.parentElement.prepend(canvas);
      table.classList.add("drawn");
      draw();
      new ResizeObserver(
        AG.framed(() => {
          fit();
          draw();
        }),
      ).observe(pane?.parentElement || table);
    },
  };
  AG.on("scheme", draw);
  AG.on("state", (changed) => {
    if (changed.has("scale") || changed.has("curve")) draw();
  });
})();
