// needs: core.js, state.js
/* The one scale of colours, tints and lines: where a weight stands between nothing and the largest. */
(() => {
  // Three powers of ten are told apart; what is less stands where nothing is.
  const POWERS = 3;
  // The part of a legend that the name of a tick is wide.
  const NAME = 0.18;
  /** @type {Record<string, { name: string, place(share: number): number, share(place: number): number }>} */
  const curves = {
    // The square root keeps broad attention from looking empty.
    root: { name: "square-root scale", place: Math.sqrt, share: (place) => place ** 2 },
    linear: { name: "linear scale", place: (share) => share, share: (place) => place },
    log: {
      name: "logarithmic scale",
      place: (share) => Math.max(0, 1 + Math.log10(share) / POWERS),
      share: (place) => (place > 0 ? 10 ** (POWERS * (place - 1)) : 0),
    },
  };
  const curve = () => curves[AG.state.curve] || curves.root;

  /**
   * Where a weight stands, 0 to 1, when `most` stands at 1.
   *
   * @param {number} weight
   * @param {number} most
   */
  const place = (weight, most) => (weight > 0 ? Math.min(1, curve().place(weight / most)) : 0);

  /**
   * The weight that stands at a place.
   *
   * @param {number} at
   * @param {number} most
   */
  const weightAt = (at, most) => curve().share(at) * most;

  /**
   * Round weights that a legend can name without one name running into the next, `most` among them.
   *
   * @param {number} most
   */
  function ticks(most) {
    const power = 10 ** Math.round(Math.log10(most));
    const steps = AG.state.curve === "log" ? [1, 0.1, 0.01] : [2.5, 1, 0.5, 0.25, 0.1, 0.05];
    const chosen = [most];
    for (const step of steps) {
      const weight = Number((step * power).toPrecision(2));
      const at = place(weight, most);
      if (at >= NAME && place(chosen[0], most) - at >= NAME) chosen.unshift(weight);
    }
    return [0, ...chosen];
  }

  AG.scale = {
    place,
    weightAt,
    ticks,
    name: () => curve().name,
    names: () => Object.entries(curves).map(([value, { name }]) => [value, name]),
  };
})();
