/* The step of the ramp (0 to 255) that each cell, token and tick of the legend is coloured by. */
async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await frame();
  await frame();
  const ramp = AG.colour.ramp();
  const levelOf = (colour) => {
    let [best, least] = [0, Infinity];
    for (let level = 0; level < 256; level += 1) {
      const distance = [0, 1, 2].reduce((sum, c) => sum + Math.abs(ramp[level * 3 + c] - colour[c]), 0);
      if (distance < least) [best, least] = [level, distance];
    }
    return best;
  };
  const { figure } = AG;
  const canvas = figure.plot.querySelector("canvas");
  const ratio = canvas.width / canvas.clientWidth;
  // Copied, so that the page's own canvases are not read one pixel at a time.
  const copied = (source) => {
    const { width, height } = source;
    const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", {
      willReadFrequently: true,
    });
    pen.drawImage(source, 0, 0);
    return (x, y) => pen.getImageData(x, y, 1, 1).data;
  };
  const at = (start, index) => Math.round((start + (index + 0.3) * figure.box.cell) * ratio);
  const cells = Array.from(figure.weights, (_, i) => [Math.floor(i / figure.keys), i % figure.keys]);
  const legend = document.querySelector(".scale canvas");
  const cellAt = copied(canvas);
  const legendAt = copied(legend);
  return {
    cells: cells.map(([row, column]) => levelOf(cellAt(at(figure.box.left, column), at(figure.box.top, row)))),
    tokens: Array.from(document.querySelectorAll(".token"), (token) =>
      token.classList.contains("tinted")
        ? levelOf(getComputedStyle(token).backgroundColor.match(/[\d.]+/g).map(Number))
        : 0,
    ),
    ticks: Array.from(document.querySelectorAll(".scale-ticks span"), (tick) => [
      levelOf(legendAt(Math.round((parseFloat(tick.style.left) / 100) * 255), 0)),
      tick.textContent,
    ]),
  };
}
