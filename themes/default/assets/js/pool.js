// needs: core.js, colour.js
/* Small pictures of heads, from the largest weight of each block of cells that the page carries. */
(() => {
  /**
   * The largest level of some blocks; a strong one never drops out of a smaller picture. -1 where all are absent.
   *
   * @param {Thumbnail} picture
   * @param {number[]} rows
   * @param {number[]} columns
   */
  function largest({ levels, columns: wide, absent }, [top, bottom], [left, right]) {
    let most = -1;
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        const level = levels[row * wide + column];
        if (level > most && !(level === 0 && absent(row, column))) most = level;
      }
    }
    return most;
  }

  /**
   * Where the blocks of a pixel begin and end.
   *
   * @param {number} i
   * @param {number} blocks
   * @param {number} pixels
   */
  function span(i, blocks, pixels) {
    const begin = Math.floor((i * blocks) / pixels);
    return [begin, Math.max(begin + 1, Math.floor(((i + 1) * blocks) / pixels))];
  }

  /**
   * The colour of each level, 0 to 255.
   *
   * @param {number} top
   */
  function colours(top) {
    const ramp = AG.colour.ramp();
    const most = AG.state.scale === "one" ? 1 : (top / 255) ** 2 || 1;
    return Array.from({ length: 256 }, (_, level) => {
      const at = AG.colour.level((level / 255) ** 2, most) * 3;
      return [ramp[at], ramp[at + 1], ramp[at + 2]];
    });
  }

  /** A small picture as ImageData of width × height pixels. */
  AG.thumbnail = (picture, width, height) => {
    const image = new ImageData(width, height);
    const colour = colours(Math.max(0, ...picture.levels));
    const absent = AG.colour.rgb("--absent");
    const across = Array.from({ length: width }, (_, x) => span(x, picture.columns, width));
    for (let y = 0; y < height; y += 1) {
      const rows = span(y, picture.rows, height);
      for (let x = 0; x < width; x += 1) {
        const level = largest(picture, rows, across[x]);
        image.data.set([...(level < 0 ? absent : colour[level]), 255], (y * width + x) * 4);
      }
    }
    return image;
  };
})();
