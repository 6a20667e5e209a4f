/* The heatmap on a canvas: the first picture of a head, with labels that stay readable. */
(() => {
  const TOP = 30;
  let canvas = null;
  let scale = null;
  let picture = null;
  let painted = "";
  let box = null;

  function context(figure) {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = figure.plot;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return pen;
  }

  function fontOf(size, weight = 400) {
    return `${weight} ${size}px ${getComputedStyle(document.documentElement).fontFamily}`;
  }

  /** Where the matrix stands: gutters fit the labels, cells are whole device pixels. */
  function layout(figure, pen) {
    const { clientWidth: width, clientHeight: height } = figure.plot;
    const ratio = devicePixelRatio || 1;
    const rough = Math.min(width, height) / (figure.size + 4);
    const font = Math.max(10, Math.min(14, rough * 0.62));
    pen.font = fontOf(font);
    const longest = Math.max(...figure.labels.map((label) => pen.measureText(label).width));
    const gutter = Math.ceil(Math.min(longest, width * 0.26)) + 12;
    const level = longest + 8 < (width - gutter) / figure.size;
    const foot = (level ? font * 1.5 : Math.min(longest, width * 0.3) * 0.72 + font * 0.4) + 10;
    const side = Math.min(width - gutter - 2, height - TOP - foot);
    const cell = Math.max(1 / ratio, Math.floor((side * ratio) / figure.size) / ratio);
    return { left: gutter, top: TOP, cell, side: cell * figure.size, font, level, limit: gutter - 6, every: Math.max(1, Math.ceil((font * 1.15) / cell)) };
  }

  function paint(figure) {
    const key = `${figure.name}|${AG.state.scale}|${AG.colour.css("--heat-0")}|${AG.colour.css("--heat-4")}`;
    if (painted === key) return;
    painted = key;
    picture = Object.assign(document.createElement("canvas"), { width: figure.size, height: figure.size });
    const pen = picture.getContext("2d");
    const image = pen.createImageData(figure.size, figure.size);
    const ramp = AG.colour.ramp();
    const most = AG.colour.top(figure.weights);
    figure.weights.forEach((weight, i) => {
      if (Number.isNaN(weight)) return;
      const at = AG.colour.level(weight, most) * 3;
      image.data.set([ramp[at], ramp[at + 1], ramp[at + 2], 255], i * 4);
    });
    pen.putImageData(image, 0, 0);
    legend(ramp, most);
  }

  function legend(ramp, most) {
    const strip = AG.one("canvas", scale);
    const pen = strip.getContext("2d");
    const image = pen.createImageData(256, 1);
    for (let i = 0; i < 256; i += 1) image.data.set([ramp[i * 3], ramp[i * 3 + 1], ramp[i * 3 + 2], 255], i * 4);
    pen.putImageData(image, 0, 0);
    scale.lastChild.textContent = most === 1 ? "1" : most.toFixed(most < 0.01 ? 4 : 2);
  }

  /** The half that a causal model cannot see is hatched: absent, not zero. */
  function hatch(pen) {
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top, box.side, box.side);
    pen.clip();
    pen.fillStyle = AG.colour.css("--absent");
    pen.fillRect(box.left, box.top, box.side, box.side);
    pen.strokeStyle = AG.colour.css("--absent-line");
    pen.lineWidth = 1;
    pen.beginPath();
    for (let x = -box.side; x < box.side; x += 7) {
      pen.moveTo(box.left + x, box.top + box.side);
      pen.lineTo(box.left + x + box.side, box.top);
    }
    pen.stroke();
    pen.restore();
  }

  function lattice(pen, figure) {
    if (box.cell < 9) return;
    const seen = (i) => (figure.causal ? i * box.cell : 0);
    pen.strokeStyle = AG.colour.css("--paper");
    pen.lineWidth = box.cell > 20 ? 1.5 : 1;
    pen.beginPath();
    for (let i = 1; i < figure.size; i += 1) {
      const at = i * box.cell;
      pen.moveTo(box.left + at, box.top + seen(i));
      pen.lineTo(box.left + at, box.top + box.side);
      pen.moveTo(box.left, box.top + at);
      pen.lineTo(box.left + (figure.causal ? at : box.side), box.top + at);
    }
    pen.stroke();
  }

  function clipped(pen, text, limit) {
    if (pen.measureText(text).width <= limit) return text;
    let short = Array.from(text);
    while (short.length > 1 && pen.measureText(`${short.join("")}…`).width > limit) short = short.slice(0, -1);
    return `${short.join("")}…`;
  }

  /** Which labels are written: every one, or every few; always those pointed at or selected. */
  function written(index, chosen) {
    if (chosen.includes(index)) return true;
    const near = chosen.some((other) => Math.abs(other - index) < box.every);
    return index % box.every === 0 && !near;
  }

  function labels(pen, figure) {
    const { state } = AG;
    const [query, key] = figure.cell || [-1, -1];
    const picked = state.token;
    const rows = [query, state.direction === "from" ? picked : -1].filter((i) => i >= 0);
    const columns = [key, state.direction === "to" ? picked : -1].filter((i) => i >= 0);
    const dim = AG.colour.css("--ink-soft");
    const ink = AG.colour.css("--ink");
    const accent = AG.colour.css("--accent");
    const style = (index, chosen, isPicked) => {
      pen.font = fontOf(box.font, chosen.includes(index) ? 650 : 400);
      pen.fillStyle = isPicked ? accent : chosen.includes(index) ? ink : dim;
    };
    pen.textBaseline = "middle";
    figure.labels.forEach((text, i) => {
      if (written(i, rows)) {
        style(i, rows, i === picked && state.direction === "from");
        pen.textAlign = "right";
        pen.fillText(clipped(pen, text, box.limit), box.left - 8, box.top + (i + 0.5) * box.cell);
      }
      if (!written(i, columns)) return;
      style(i, columns, i === picked && state.direction === "to");
      pen.save();
      pen.translate(box.left + (i + 0.5) * box.cell, box.top + box.side + 8);
      pen.textAlign = box.level ? "center" : "right";
      if (box.level) pen.translate(0, box.font * 0.5);
      else pen.rotate(-Math.PI / 4);
      pen.fillText(clipped(pen, text, figure.plot.clientWidth * 0.28), 0, 0);
      pen.restore();
    });
  }

  function marks(pen, figure) {
    const { state } = AG;
    if (state.token >= 0 && state.token < figure.size) {
      pen.strokeStyle = AG.colour.css("--accent");
      pen.lineWidth = 2;
      const at = state.token * box.cell;
      if (state.direction === "from") pen.strokeRect(box.left - 1, box.top + at - 1, box.side + 2, box.cell + 2);
      else pen.strokeRect(box.left + at - 1, box.top - 1, box.cell + 2, box.side + 2);
    }
    if (!figure.cell) return;
    const [query, key] = figure.cell;
    pen.strokeStyle = AG.colour.css("--ink");
    pen.lineWidth = Math.min(2, Math.max(1, box.cell / 6));
    pen.strokeRect(box.left + key * box.cell, box.top + query * box.cell, box.cell, box.cell);
  }

  function draw(figure) {
    const pen = context(figure);
    if (!figure.plot.clientWidth) return;
    box = layout(figure, pen);
    figure.box = box;
    paint(figure);
    if (figure.causal) hatch(pen);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(picture, box.left, box.top, box.side, box.side);
    lattice(pen, figure);
    pen.strokeStyle = AG.colour.css("--line");
    pen.lineWidth = 1;
    pen.strokeRect(box.left - 0.5, box.top - 0.5, box.side + 1, box.side + 1);
    labels(pen, figure);
    marks(pen, figure);
    scale.style.insetInlineStart = `${box.left}px`;
    AG.emit("drawn", figure);
  }

  AG.views.matrix = {
    show(figure) {
      if (!canvas) {
        canvas = AG.make("canvas", { "aria-hidden": "true" });
        scale = AG.make("div", { class: "scale", "aria-hidden": "true" }, "0", AG.make("canvas", { width: 256, height: 1 }), AG.make("span"));
      }
      figure.plot.append(canvas, scale);
      AG.emit("matrix", true);
    },
    hide() {
      canvas.remove();
      scale.remove();
      AG.emit("matrix", false);
    },
    draw,
    canvas: () => canvas,
  };
})();
