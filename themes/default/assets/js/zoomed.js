// needs: core.js, colour.js, plotly.js, plotspec.js, scale.js
/* Plotly over the figure of a difference, when it is asked for: zoom, and save as a picture. */
(() => {
  /** The canvas's two-sided colours as stops of a linear scale. */
  function colours() {
    const ramp = AG.colour.diverging();
    return Array.from({ length: 65 }, (_, i) => {
      const level = i / 32 - 1;
      const at = Math.round((i / 64) * 255) * 3;
      const share = Math.sign(level) * AG.scale.weightAt(Math.abs(level), 1);
      return [(share + 1) / 2, `rgb(${ramp[at]},${ramp[at + 1]},${ramp[at + 2]})`];
    });
  }

  /**
   * @param {Heatmap} figure
   * @param {any} given
   */
  function trace(figure, given) {
    const rows = figure.labels.map((_, row) =>
      Array.from(figure.weights.subarray(row * figure.keys, (row + 1) * figure.keys), (value) =>
        Number.isNaN(value) ? null : value,
      ),
    );
    const most = AG.colour.most(figure);
    return {
      ...given,
      z: rows,
      zmin: -most,
      zmax: most,
      colorscale: colours(),
      showscale: false,
      xgap: 1,
      ygap: 1,
    };
  }

  AG.on("embedded", (figure) => {
    if (!figure.signed || !document.body.dataset.plotly) return;
    const button = AG.make(
      "button",
      {
        type: "button",
        class: "chip zoom",
        "aria-pressed": "false",
        title: "Zoom, pan and save as a picture",
      },
      "Zoom",
    );
    const div = AG.make("div", { class: "figure-plotly" });
    let wanted = false;

    async function show() {
      const Plotly = await AG.plotly();
      if (!wanted) return;
      figure.plot.append(div);
      await Plotly.react(
        div,
        [trace(figure, figure.spec.data[0])],
        AG.plotlySpec.layout(figure),
        AG.plotlySpec.config(figure, Plotly),
      );
      figure.cover(true);
    }

    /** @param {boolean} on */
    const want = (on) => {
      wanted = on;
      AG.press(button, on);
      if (!on) {
        figure.cover(false);
        div.remove();
        return;
      }
      show().catch(() => want(false));
    };
    const again = AG.framed(() => {
      if (wanted) show().catch(() => want(false));
    });

    button.addEventListener("click", () => want(!wanted));
    AG.on("scheme", again);
    AG.on("state", again);
    AG.on("print", (on) => {
      if (on) want(false);
    });
    new ResizeObserver(again).observe(figure.plot);
    figure.root.append(button);
  });
})();
