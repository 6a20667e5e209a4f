// needs: core.js
/* Arcs without a page: how high each stands above those that it spans, and which of their names fit. */
(() => {
  /**
   * How high each span stands, from 1: above all shorter ones that it shares more than an end with.
   *
   * @param {{ left: number, right: number }[]} spans
   */
  function levels(spans) {
    /** @type {number[]} */
    const heights = spans.map(() => 0);
    const order = spans.map((_, i) => i);
    order.sort((a, b) => spans[a].right - spans[a].left - (spans[b].right - spans[b].left) || a - b);
    for (const i of order) {
      const below = order.filter(
        (k) => heights[k] && spans[k].left < spans[i].right && spans[i].left < spans[k].right,
      );
      const taken = new Set(below.map((k) => heights[k]));
      const within = below.filter((k) => spans[i].left <= spans[k].left && spans[k].right <= spans[i].right);
      heights[i] = Math.max(0, ...within.map((k) => heights[k])) + 1;
      while (taken.has(heights[i])) heights[i] += 1;
    }
    return heights;
  }

  /**
   * Which labels fit, the first ones first: none stands over another.
   *
   * @param {{ x: number, y: number, width: number }[]} labels
   */
  function thinned(labels) {
    /** @type {typeof labels} */
    const placed = [];
    return labels.map((label) => {
      const free = placed.every(
        ({ x, y, width }) =>
          Math.abs(y - label.y) >= 12 || Math.abs(x - label.x) >= (width + label.width) / 2 + 4,
      );
      if (free) placed.push(label);
      return free;
    });
  }

  AG.arcs = { levels, thinned };
})();
