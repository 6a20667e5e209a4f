// needs: core.js, state.js
/* Colours come from the style sheet's custom properties, so that a theme restyles the figures too. */
(() => {
  /** @type {any} */
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  const probe = document.body.appendChild(AG.make("span", { class: "hidden", "aria-hidden": "true" }));
  let known = new Map();

  /**
   * The red, green and blue of a custom property in the present colour scheme.
   *
   * @param {string} name
   */
  function rgb(name) {
    if (!known.has(name)) {
      probe.style.color = `var(${name})`;
      pixel.clearRect(0, 0, 1, 1);
      pixel.fillStyle = getComputedStyle(probe).color;
      pixel.fillRect(0, 0, 1, 1);
      known.set(name, Array.from(pixel.getImageData(0, 0, 1, 1).data.slice(0, 3)));
    }
    return known.get(name);
  }

  /**
   * @param {string} name
   * @param {number} [alpha]
   */
  function css(name, alpha = 1) {
    return `rgb(${rgb(name).join(" ")} / ${alpha})`;
  }

  /**
   * 256 colours blended from five custom properties: Uint8Array of red, green, blue.
   *
   * @param {string[]} names
   */
  function blend(names) {
    const key = names.join();
    if (!known.has(key)) {
      const stops = names.map(rgb);
      const colours = new Uint8Array(256 * 3);
      for (let i = 0; i < 256; i += 1) {
        const place = (i / 255) * 4;
        const step = Math.min(3, Math.floor(place));
        for (let c = 0; c < 3; c += 1) {
          colours[i * 3 + c] = Math.round(
            stops[step][c] + (stops[step + 1][c] - stops[step][c]) * (place - step),
          );
        }
      }
      known.set(key, colours);
    }
    return known.get(key);
  }

  /** From no attention to the most. */
  const ramp = () => blend(["--heat-0", "--heat-1", "--heat-2", "--heat-3", "--heat-4"]);

  /** From the largest fall over no difference to the largest rise. */
  const diverging = () => blend(["--fall-2", "--fall-1", "--heat-0", "--rise-1", "--rise-2"]);

  /**
   * The largest weight or difference, which takes the darkest colour: of the head itself, or 1.
   *
   * @param {Float32Array} weights
   */
  function top(weights) {
    if (AG.state.scale === "one") return 1;
    let most = 0;
    for (const weight of weights) if (Math.abs(weight) > most) most = Math.abs(weight);
    return most || 1;
  }

  /**
   * The same of a figure, which may have been told what to stand beside.
   *
   * @param {Heatmap} figure
   */
  const most = (figure) => (AG.state.scale !== "one" && figure.most) || top(figure.weights);

  // The square root keeps broad attention from looking empty.
  /**
   * @param {number} weight
   * @param {number} most
   */
  const level = (weight, most) => Math.min(255, Math.round(Math.sqrt(weight / most) * 255));
  /**
   * @param {number} difference
   * @param {number} most
   */
  const signed = (difference, most) =>
    Math.round(127.5 + Math.sign(difference) * Math.min(1, Math.sqrt(Math.abs(difference) / most)) * 127.5);

  AG.on("scheme", () => {
    known = new Map();
  });
  AG.colour = { rgb, css, ramp, diverging, top, most, level, signed };
})();
