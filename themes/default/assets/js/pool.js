/* Small pictures of heads, smaller than their matrices if need be. */
(() => {
  /** The largest weight of a block of cells; a strong cell never drops out of a small picture. */
  function pooled(weights, size, top, bottom, left, right) {
    let most = NaN;
    for (let query = top; query < bottom; query += 1) {
      for (let key = left; key < right; key += 1) {
        const weight = weights[query * size + key];
        if (!(weight <= most) && !Number.isNaN(weight)) most = weight;
      }
    }
    return most;
  }

  /** A head as ImageData of `side` pixels. */
  function thumbnail(weights, size, side) {
    const image = new ImageData(side, side);
    const ramp = AG.colour.ramp();
    const absent = AG.colour.rgb("--absent");
    const most = AG.colour.top(weights);
    const edge = (i) => Math.floor((i * size) / side);
    for (let y = 0; y < side; y += 1) {
      const top = edge(y);
      const bottom = Math.max(top + 1, edge(y + 1));
      for (let x = 0; x < side; x += 1) {
        const left = edge(x);
        const weight = pooled(weights, size, top, bottom, left, Math.max(left + 1, edge(x + 1)));
        const at = (y * side + x) * 4;
        const level = Number.isNaN(weight) ? -1 : AG.colour.level(weight, most) * 3;
        for (let c = 0; c < 3; c += 1) image.data[at + c] = level < 0 ? absent[c] : ramp[level + c];
        image.data[at + 3] = 255;
      }
    }
    return image;
  }

  AG.thumbnail = thumbnail;
})();
