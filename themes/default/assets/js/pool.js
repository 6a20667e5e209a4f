// needs: core.js, colour.js
/* Small pictures of heads, smaller than their matrices if need be. */
(() => {
  /**
   * The largest weight of a block of cells; a strong cell never drops out of a small picture.
   *
   * @param {Float32Array} weights
   * @param {number} keys
   * @param {number} top
   * @param {number} bottom
   * @param {number} left
   * @param {number} right
   */
  function pooled(weights, keys, top, bottom, left, right) {
    let most = NaN;
    for (let query = top; query < bottom; query += 1) {
      for (let key = left; key < right; key += 1) {
        const weight = weights[query * keys + key];
        if (!(weight <= most) && !Number.isNaN(weight)) most = weight;
      }
    }
    return most;
  }

  /**
   * A head of queries × keys as ImageData of width × height pixels.
   *
   * @param {Float32Array} weights
   * @param {number} queries
   * @param {number} keys
   * @param {number} width
   * @param {number} height
   */
  function thumbnail(weights, queries, keys, width, height) {
    const image = new ImageData(width, height);
    const ramp = AG.colour.ramp();
    const absent = AG.colour.rgb("--absent");
    const most = AG.colour.top(weights);
    /** @param {number} i */
    const row = (i) => Math.floor((i * queries) / height);
    /** @param {number} i */
    const column = (i) => Math.floor((i * keys) / width);
    for (let y = 0; y < height; y += 1) {
      const top = row(y);
      const bottom = Math.max(top + 1, row(y + 1));
      for (let x = 0; x < width; x += 1) {
        const left = column(x);
        const weight = pooled(weights, keys, top, bottom, left, Math.max(left + 1, column(x + 1)));
        const at = (y * width + x) * 4;
        const level = Number.isNaN(weight) ? -1 : AG.colour.level(weight, most) * 3;
        for (let c = 0; c < 3; c += 1) image.data[at + c] = level < 0 ? absent[c] : ramp[level + c];
        image.data[at + 3] = 255;
      }
    }
    return image;
  }

  AG.thumbnail = thumbnail;
})();
