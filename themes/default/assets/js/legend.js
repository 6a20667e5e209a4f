// needs: core.js, colour.js, scale.js, state.js
/* The legend of a heatmap: its colours, ticks where the weights stand, and a marker at the one pointed at. */
(() => {
  /** A menu of the scales that there are, for all figures of the page. */
  function menu() {
    const options = AG.scale.names().map(([value, text]) => AG.make("option", { value }, text));
    const select = AG.make("select", { "data-curve": "", "aria-label": "Scale of the colours" }, ...options);
    const show = () => {
      select.value = AG.state.curve;
    };
    show();
    AG.on("state", show);
    select.addEventListener("change", () => AG.set({ curve: select.value }));
    // Arrow keys choose here, and do not walk the heatmap behind it.
    select.addEventListener("keydown", (event) => event.stopPropagation());
    return select;
  }

  /**
   * A legend; with `choice` the reader chooses the scale in it.
   *
   * @param {boolean} [choice]
   */
  function make(choice) {
    return AG.make(
      "div",
      { class: "scale" },
      AG.make(
        "div",
        { class: "scale-bar", "aria-hidden": "true" },
        AG.make("canvas", { width: 256, height: 1 }),
        AG.make("i", { class: "scale-marker", hidden: "" }),
        AG.make("div", { class: "scale-ticks" }),
      ),
      AG.make(
        choice ? "label" : "span",
        choice ? { class: "scale-name" } : { class: "scale-name", "aria-hidden": "true" },
        AG.make("span", {}),
        ...(choice ? [menu()] : []),
      ),
    );
  }

  /** @param {number} weight */
  const text = (weight) => {
    if (weight === 0 || weight === 1) return String(weight);
    if (weight < 0.001) return String(Number(weight.toPrecision(2)));
    return String(Number(weight.toFixed(weight < 0.01 ? 4 : weight < 0.1 ? 3 : 2)));
  };

  /**
   * Where a weight or difference stands on a legend, 0 to 1.
   *
   * @param {number} weight
   * @param {number} most
   * @param {boolean} [signed]
   */
  const placeOn = (weight, most, signed) =>
    signed
      ? 0.5 + (Math.sign(weight) * AG.scale.place(Math.abs(weight), most)) / 2
      : AG.scale.place(weight, most);

  /**
   * @param {HTMLElement} legend
   * @param {Uint8Array} ramp
   * @param {number} most
   * @param {boolean} [signed]
   */
  function paint(legend, ramp, most, signed) {
    const pen = /** @type {CanvasRenderingContext2D} */ (AG.one("canvas", legend).getContext("2d"));
    const image = pen.createImageData(256, 1);
    for (let i = 0; i < 256; i += 1)
      image.data.set([ramp[i * 3], ramp[i * 3 + 1], ramp[i * 3 + 2], 255], i * 4);
    pen.putImageData(image, 0, 0);
    const ticks = signed ? [-most, 0, most] : AG.scale.ticks(most);
    const named = ticks.map((weight) => {
      const sign = signed && weight ? (weight < 0 ? "−" : "+") : "";
      const tick = AG.make("span", {}, sign + text(Math.abs(weight)));
      tick.style.left = `${(100 * placeOn(weight, most, signed)).toFixed(2)}%`;
      return tick;
    });
    AG.one(".scale-ticks", legend).replaceChildren(...named);
    const what = signed ? "difference" : "weight";
    const chosen = AG.one("select", legend) !== null;
    AG.one(".scale-name > span", legend).textContent = chosen ? `${what}, ` : `${what}, ${AG.scale.name()}`;
  }

  /**
   * Marks the weight or difference pointed at, NaN for none.
   *
   * @param {HTMLElement} legend
   * @param {number} weight
   * @param {number} most
   * @param {boolean} [signed]
   */
  function mark(legend, weight, most, signed) {
    const marker = AG.one(".scale-marker", legend);
    marker.hidden = Number.isNaN(weight);
    if (!marker.hidden) marker.style.left = `${(100 * placeOn(weight, most, signed)).toFixed(2)}%`;
  }

  AG.legend = { make, paint, mark };
})();
