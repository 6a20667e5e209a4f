// needs: core.js, scale.js, state.js
/* Colours come from the style sheet's custom properties, so that a theme restyles the figures too. */
(() => {
  const probe = document.body.appendChild(AG.make("span", { class: "hidden", "aria-hidden": "true" }));
  // Where the device forces colours on texts, pictures keep theirs.
  probe.style.setProperty("forced-color-adjust", "none");
  let known = new Map();

  /**
   * Red, green and blue, 0 to 255, of a computed colour: `rgb(…)` or `color(srgb …)`.
   *
   * @param {string} text
   */
  function parsed(text) {
    const numbers = (text.match(/-?[\d.]+(?:e-?\d+)?/g) || []).map(Number);
    const most = text.startsWith("color(") ? 1 : 255;
    return numbers.slice(0, 3).map((part) => Math.round((Math.min(most, Math.max(0, part)) / most) * 255));
  }

  /**
   * The red, green and blue of a custom property in the present colour scheme.
   *
   * @param {string} name
   */
  function rgb(name) {
    if (!known.has(name)) {
      // Mixed with itself every colour is told in sRGB. It is not read from a canvas: browsers that guard their
      // readers' privacy give other pixels back than were drawn.
      probe.style.color = `color-mix(in srgb, var(${name}), var(${name}))`;
      known.set(name, parsed(getComputedStyle(probe).color));
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
   * 256 colours blended from stops: Uint8Array of red, green, blue.
   *
   * @param {number[][]} stops
   */
  function blend(stops) {
    const colours = new Uint8Array(256 * 3);
    const last = stops.length - 1;
    for (let i = 0; i < 256; i += 1) {
      const place = (i / 255) * last;
      const step = Math.min(last - 1, Math.floor(place));
      for (let c = 0; c < 3; c += 1) {
        colours[i * 3 + c] = Math.round(
          stops[step][c] + (stops[step + 1][c] - stops[step][c]) * (place - step),
        );
      }
    }
    return colours;
  }

  /**
   * Stops that grow steadily lighter or darker; where they do not, their two ends alone, since the eye takes
   * lightness for the number.
   *
   * @param {number[][]} stops
   */
  function steady(stops) {
    const lightness = stops.map(luminance);
    const rises = lightness.slice(1).map((light, i) => Math.sign(light - lightness[i]));
    return new Set(rises).size === 1 ? stops : [stops[0], stops[stops.length - 1]];
  }

  /**
   * @param {string} name
   * @param {() => number[][]} stops
   */
  function ramped(name, stops) {
    if (!known.has(name)) known.set(name, blend(stops()));
    return known.get(name);
  }

  /** From no attention to the most. */
  const ramp = () =>
    ramped("ramp", () => steady(["--heat-0", "--heat-1", "--heat-2", "--heat-3", "--heat-4"].map(rgb)));

  /** From the largest fall over no difference to the largest rise. */
  const diverging = () =>
    ramped("diverging", () => {
      const sides = [
        ["--heat-0", "--fall-1", "--fall-2"],
        ["--heat-0", "--rise-1", "--rise-2"],
      ].map((side) => side.map(rgb));
      // Both sides have as many steps: where one is not steady, neither keeps its middle.
      const whole = sides.every((side) => steady(side) === side);
      const [falls, rises] = whole ? sides : sides.map((side) => [side[0], side[2]]);
      return [...falls.slice().reverse(), ...rises.slice(1)];
    });

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

  /**
   * Gives a token the colour of its weight in the matrix.
   *
   * @param {HTMLElement} element
   * @param {number} weight
   * @param {number} most
   */
  function dye(element, weight, most) {
    const at = level(weight, most) * 3;
    const colour = Array.from(ramp().subarray(at, at + 3));
    element.classList.toggle("tinted", weight > 0);
    element.style.setProperty("--share", AG.scale.place(weight, most).toFixed(3));
    element.style.setProperty("--tint", `rgb(${colour.join(" ")})`);
    element.style.setProperty("--on-tint", readable(colour));
  }

  AG.on("scheme", () => {
    known = new Map();
  });
  AG.colour = { rgb, css, ramp, diverging, top, most, level, signed, readable, dye };
})();
