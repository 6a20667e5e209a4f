// needs: core.js, scale.js, state.js
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

  /**
   * The step of the ramp for a weight, 0 to 255.
   *
   * @param {number} weight
   * @param {number} most
   */
  const level = (weight, most) => Math.round(AG.scale.place(weight, most) * 255);
  /**
   * @param {number} difference
   * @param {number} most
   */
  const signed = (difference, most) =>
    Math.round(127.5 + Math.sign(difference) * AG.scale.place(Math.abs(difference), most) * 127.5);

  /**
   * The relative luminance of a colour (WCAG 2, sRGB).
   *
   * @param {number[]} colour
   */
  function luminance(colour) {
    const [red, green, blue] = colour.map((part) =>
      part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  /**
   * A colour for text on a colour: ink or paper where they stand out enough, else black or white.
   *
   * @param {number[]} colour
   */
  function readable(colour) {
    /** @param {number[]} text */
    const contrast = (text) => {
      const [low, high] = [luminance(text), luminance(colour)].sort((one, other) => one - other);
      return (high + 0.05) / (low + 0.05);
    };
    const texts = [rgb("--ink"), rgb("--paper"), [0, 0, 0], [255, 255, 255]];
    // On the middle of a ramp neither ink nor paper reaches what WCAG 2 asks of text, and one of the others does.
    const chosen = texts.find((text) => contrast(text) >= 4.5) || texts[3];
    return `rgb(${chosen.join(" ")})`;
  }

  AG.on("scheme", () => {
    known = new Map();
  });
  AG.colour = { rgb, css, ramp, diverging, top, most, level, signed, readable };
})();
