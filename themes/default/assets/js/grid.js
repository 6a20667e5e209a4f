// needs: core.js, colour.js, decode.js, figure.js, pool.js, state.js
/* All heads at once: one canvas under the table of links, which stays the way to reach them. */
(() => {
  const source = AG.one('[data-figure="grid"]');
  const table = source && AG.one(".heads", source.parentElement);
  if (!table) return;

  const stage = source.parentElement;
  const queries = Number(source.dataset.queries);
  const keys = Number(source.dataset.keys);
  const heads = Number(source.dataset.heads);
  const canvas = AG.make("canvas", { "aria-hidden": "true" });
  const cells = AG.all("tbody td > *", table);
  const names = cells.map((cell) => cell.textContent);
  /** @param {HTMLElement} link */
  const cellOf = (link) => /** @type {HTMLElement} */ (link.parentElement);
  /** @type {Weights | null} */
  let weightsOf = null;
  let job = 0;

  /**
   * @param {HTMLElement} cell
   * @param {DOMRect} origin
   * @param {number} ratio
   */
  function place(cell, origin, ratio) {
    const area = cell.getBoundingClientRect();
    const side = Math.round(Math.min(area.width, area.height - 4) * ratio) - 2 * Math.round(ratio);
    const left = Math.round((area.left - origin.left + area.width / 2) * ratio - side / 2);
    return { left, top: Math.round((area.top - origin.top) * ratio) + Math.round(ratio), side };
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} index
   * @param {{ left: number; top: number; side: number }} spot
   * @param {number} ratio
   */
  function drawOne(pen, index, spot, ratio) {
    if (!weightsOf) return;
    const longer = Math.max(queries, keys);
    const [width, height] = [keys, queries].map((count) =>
      Math.max(1, Math.round((spot.side * count) / longer)),
    );
    const [left, top] = [spot.left + ((spot.side - width) >> 1), spot.top + ((spot.side - height) >> 1)];
    pen.putImageData(AG.thumbnail(weightsOf(index), queries, keys, width, height), left, top);
    const family = cellOf(cells[index]).className.replace("f-", "");
    pen.fillStyle = AG.colour.css(`--family-${family === "separator" ? "sink" : family}`);
    pen.fillRect(spot.left, spot.top + spot.side + ratio, spot.side, Math.max(2, Math.round(2.5 * ratio)));
  }

  /** Draws the heads a few at a time, so that the page answers meanwhile. */
  function draw() {
    if (!weightsOf) return;
    const ratio = devicePixelRatio || 1;
    const origin = table.getBoundingClientRect();
    const spots = cells.map((cell) => place(cell, origin, ratio));
    canvas.width = Math.round(origin.width * ratio);
    canvas.height = Math.round(origin.height * ratio);
    canvas.style.width = `${origin.width}px`;
    canvas.style.height = `${origin.height}px`;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    job += 1;
    const mine = job;
    let next = 0;
    const step = () => {
      if (mine !== job) return;
      const until = performance.now() + 12;
      while (next < cells.length && (performance.now() < until || document.hidden))
        drawOne(pen, next, spots[next++], ratio);
      if (next < cells.length) requestAnimationFrame(step);
    };
    step();
  }

  function select() {
    const index = names.indexOf(AG.state.head);
    cells.forEach((cell, i) => {
      if (i === index) cell.setAttribute("aria-current", "true");
      else cell.removeAttribute("aria-current");
    });
    if (index < 0 || !weightsOf) return;
    AG.figure.load(weightsOf(index), names[index]);
    AG.emit("selected", {
      name: names[index],
      title: cells[index].title,
      family: cellOf(cells[index]).className,
      href: cells[index].getAttribute("href"),
    });
  }

  /** Selects the head so many layers down and so many heads on. */
  AG.step = (down, on) => {
    const index = names.indexOf(AG.state.head);
    const layer = Math.floor(index / heads) + down;
    const head = (index % heads) + on;
    const wanted = names[layer * heads + head];
    if (index >= 0 && head >= 0 && head < heads && wanted) AG.set({ head: wanted });
  };

  /**
   * Arrow keys take focus and selection along, from the cell that has the focus.
   *
   * @param {KeyboardEvent} event
   * @param {number} index
   */
  function walk(event, index) {
    const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const head = (index % heads) + way[1];
    const wanted = index + way[0] * heads + way[1];
    if (head < 0 || head >= heads || !cells[wanted]) return;
    AG.set({ head: names[wanted] });
    cells[wanted].focus();
  }

  cells.forEach((cell, i) => {
    cell.addEventListener("keydown", (event) => walk(event, i));
    if (!cell.hasAttribute("href")) {
      cell.setAttribute("role", "button");
      cell.setAttribute("tabindex", "0");
      cell.addEventListener("keydown", (event) => {
        if (event.key === "Enter") AG.set({ head: names[i] });
      });
    }
    cell.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      AG.set({ head: names[i] });
    });
  });

  /** @type {{ layer: number, weights: Float32Array } | null} */
  let mean = null;

  /**
   * The mean weight of a pair over the heads of the selected head's layer; undefined before there are weights.
   *
   * @param {number} query
   * @param {number} key
   */
  function layerMean(query, key) {
    const layer = Math.floor(names.indexOf(AG.state.head) / heads);
    if (layer < 0 || !weightsOf) return undefined;
    // Worked out once for a layer, as a pointer that moves asks for every cell on its way.
    if (mean?.layer !== layer) {
      const sum = new Float32Array(queries * keys);
      for (let head = 0; head < heads; head += 1)
        weightsOf(layer * heads + head).forEach((weight, i) => {
          sum[i] += weight / heads;
        });
      mean = { layer, weights: sum };
    }
    return mean.weights[query * keys + key];
  }

  AG.grid = {
    has: (name) => names.includes(name),
    layerMean,
    begin: async () => {
      try {
        weightsOf = await AG.decode(source);
      } catch {
        return;
      }
      select();
      stage.prepend(canvas);
      table.classList.add("drawn");
      draw();
      new ResizeObserver(AG.framed(draw)).observe(table);
    },
  };
  AG.on("scheme", draw);
  AG.on("state", (changed) => {
    if (changed.has("scale") || changed.has("curve")) draw();
    if (changed.has("head")) select();
  });
})();
