/* The step of the ramp (0 to 255) that the square of each head and mean in the grid has, by its name. */
() => {
  const source = document.querySelector(".heads-stage canvas");
  const { width, height } = source;
  const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", {
    willReadFrequently: true,
  });
  pen.drawImage(source, 0, 0);
  const origin = AG.grid.table.getBoundingClientRect();
  const ramp = AG.colour.ramp();
  const levelOf = (cell) => {
    const area = cell.getBoundingClientRect();
    const x = ((area.left - origin.left + area.width / 2) * width) / origin.width;
    const y = ((area.top - origin.top + area.height / 3) * height) / origin.height;
    const colour = pen.getImageData(x, y, 1, 1).data;
    let [best, least] = [0, Infinity];
    for (let level = 0; level < 256; level += 1) {
      const distance = [0, 1, 2].reduce((sum, c) => sum + Math.abs(ramp[level * 3 + c] - colour[c]), 0);
      if (distance < least) [best, least] = [level, distance];
    }
    return best;
  };
  return Object.fromEntries(AG.grid.cells.map((cell, i) => [AG.grid.names[i], levelOf(cell)]));
}
