// needs: core.js, colour.js, figure.js, scale.js, state.js
/* The same weights as lines: queries on the left, keys on the right. */
(() => {
  const HEAD = 28;
  /** @type {HTMLCanvasElement} */
  let canvas;
  /** @type {HTMLElement} */
  let slider;
  let hovered = -1;

  /** @param {Figure} figure */
  function geometry(figure) {
    const width = figure.plot.clientWidth;
    const longer = Math.max(figure.queries, figure.keys);
    const row = longer > 60 ? 16 : longer > 30 ? 20 : 26;
    const gutter = Math.min(150, width * 0.32);
    return {
      width,
      row,
      gutter,
      height: HEAD + row * longer + 8,
      y: (/** @type {number} */ i) => HEAD + (i + 0.5) * row,
    };
  }

  /**
   * @param {Figure} figure
   * @param {ReturnType<typeof geometry>} space
   */
  function size(figure, space) {
    const ratio = devicePixelRatio || 1;
    figure.plot.style.aspectRatio = "auto";
    figure.plot.style.maxBlockSize = "none";
    figure.plot.style.blockSize = `${space.height}px`;
    canvas.width = Math.round(space.width * ratio);
    canvas.height = Math.round(space.height * ratio);
    canvas.style.width = `${space.width}px`;
    canvas.style.height = `${space.height}px`;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    return pen;
  }

  /**
   * The edges worth drawing, weakest first so that strong ones lie on top.
   *
   * @param {Figure} figure
   * @param {number} chosen
   */
  function edges(figure, chosen) {
    /** @type {{ query: number, key: number, weight: number, mine: boolean }[]} */
    const found = [];
    const least = Math.max(0.01, AG.state.threshold);
    figure.weights.forEach((weight, i) => {
      if (!(weight >= least)) return;
      const query = Math.floor(i / figure.keys);
      const key = i % figure.keys;
      const mine = chosen < 0 || (AG.state.direction === "from" ? query : key) === chosen;
      found.push({ query, key, weight, mine });
    });
    return found.sort((a, b) => Number(a.mine) - Number(b.mine) || a.weight - b.weight);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Figure} figure
   * @param {ReturnType<typeof geometry>} space
   * @param {number} chosen
   */
  function words(pen, figure, space, chosen) {
    const from = AG.state.direction === "from";
    const family = getComputedStyle(document.documentElement).fontFamily;
    const font = Math.min(14, space.row * 0.66);
    pen.textBaseline = "middle";
    pen.font = `400 12px ${family}`;
    pen.fillStyle = AG.colour.css("--ink-soft");
    pen.textAlign = "right";
    pen.fillText(figure.cross ? "target" : "query", space.gutter - 8, HEAD / 2);
    pen.textAlign = "left";
    pen.fillText(figure.cross ? "source" : "key", space.width - space.gutter + 8, HEAD / 2);
    for (const left of [true, false]) {
      (left ? figure.labels : figure.keyLabels).forEach((text, i) => {
        const picked = i === chosen && left === from;
        pen.font = `${picked ? 700 : 400} ${font}px ${family}`;
        pen.fillStyle = AG.colour.css(picked ? "--accent" : "--ink");
        pen.textAlign = left ? "right" : "left";
        pen.fillText(
          text,
          left ? space.gutter - 8 : space.width - space.gutter + 8,
          space.y(i),
          space.gutter - 8,
        );
      });
    }
  }

  /** @param {Figure} figure */
  function draw(figure) {
    const space = geometry(figure);
    const pen = size(figure, space);
    const chosen = hovered >= 0 ? hovered : figure.picked();
    const right = space.width - space.gutter;
    const bend = (right - space.gutter) * 0.42;
    const most = AG.colour.top(figure.weights);
    for (const { query, key, weight, mine } of edges(figure, chosen)) {
      const place = AG.scale.place(weight, most);
      pen.strokeStyle = AG.colour.css(mine ? "--accent" : "--ink-soft", mine ? place : 0.08);
      pen.lineWidth = 1 + 5 * place;
      pen.beginPath();
      pen.moveTo(space.gutter, space.y(query));
      pen.bezierCurveTo(space.gutter + bend, space.y(query), right - bend, space.y(key), right, space.y(key));
      pen.stroke();
    }
    words(pen, figure, space, chosen);
  }

  function control() {
    const id = "threshold";
    const input = AG.make("input", {
      type: "range",
      id,
      min: "0.01",
      max: "0.5",
      step: "0.01",
      value: AG.state.threshold,
    });
    const output = AG.make("output", { for: id }, AG.state.threshold.toFixed(2));
    input.addEventListener("input", () => AG.set({ threshold: Number(input.value) }));
    AG.on("state", () => {
      input.value = String(AG.state.threshold);
      output.textContent = AG.state.threshold.toFixed(2);
    });
    return AG.make("label", { class: "threshold", for: id }, "From", input, output);
  }

  /**
   * @param {Figure} figure
   * @param {MouseEvent} event
   */
  function rowAt(figure, event) {
    const row = Math.floor(
      (event.clientY - figure.plot.getBoundingClientRect().top - HEAD) / geometry(figure).row,
    );
    return row >= 0 && row < (AG.state.direction === "from" ? figure.queries : figure.keys) ? row : -1;
  }

  AG.views.lines = {
    show(figure) {
      if (!canvas) {
        canvas = AG.make("canvas", {
          role: "img",
          "aria-label": "Lines from each query to the keys it looks at; the table view has the same numbers.",
        });
        canvas.addEventListener("pointermove", (event) => {
          hovered = rowAt(figure, event);
          figure.draw();
        });
        canvas.addEventListener("pointerleave", () => {
          hovered = -1;
          figure.draw();
        });
        canvas.addEventListener("click", (event) => {
          const row = rowAt(figure, event);
          if (row >= 0) figure.choose(row, row);
        });
        slider = control();
      }
      figure.plot.append(canvas);
      AG.one("[data-tools]")?.append(slider);
    },
    hide(figure) {
      canvas.remove();
      slider.remove();
      Object.assign(figure.plot.style, { aspectRatio: "", maxBlockSize: "", blockSize: "" });
    },
    draw,
  };
})();
