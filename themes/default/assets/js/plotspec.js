// needs: core.js, colour.js, scale.js, special.js, state.js
/* What Plotly is told: the page's figure, with the weights, colours and margins of the canvas. */
(() => {
  /** The canvas's colours, as stops of a linear scale. */
  function colours() {
    const ramp = AG.colour.ramp();
    return Array.from({ length: 33 }, (_, i) => {
      const at = Math.round((i / 32) * 255) * 3;
      return [AG.scale.weightAt(i / 32, 1), `rgb(${ramp[at]},${ramp[at + 1]},${ramp[at + 2]})`];
    });
  }

  /** @param {Heatmap} figure */
  function rows(figure) {
    return figure.labels.map((_, query) =>
      Array.from(figure.weights.subarray(query * figure.keys, (query + 1) * figure.keys), (weight) =>
        Number.isNaN(weight) ? null : weight,
      ),
    );
  }

  /**
   * The selected token's row or column, outlined as on the canvas.
   *
   * @param {Heatmap} figure
   */
  function outlined(figure) {
    const from = AG.state.direction === "from";
    const picked = figure.picked();
    if (!(picked >= 0 && picked < (from ? figure.queries : figure.keys))) return [];
    const along = [picked - 0.5, picked + 0.5];
    const across = [-0.5, (from ? figure.keys : figure.queries) - 0.5];
    const [x, y] = from ? [across, along] : [along, across];
    return [
      {
        type: "rect",
        x0: x[0],
        x1: x[1],
        y0: y[0],
        y1: y[1],
        line: { color: AG.colour.css("--accent"), width: 2 },
      },
    ];
  }

  /**
   * The borders between segments; of a causal model only the part that can be seen.
   *
   * @param {Heatmap} figure
   */
  function borders(figure) {
    if (!figure.rows) return [];
    const line = { color: AG.colour.css("--line-strong"), width: 1 };
    const { rows, columns } = AG.borders(/** @type {Figure} */ (figure));
    /** @param {number} i */
    const at = (i) => i - 0.5;
    return [
      ...columns.map((i) => ({
        type: "line",
        x0: at(i),
        x1: at(i),
        y0: figure.causal ? at(i) : -0.5,
        y1: at(figure.queries),
        line,
      })),
      ...rows.map((i) => ({
        type: "line",
        x0: -0.5,
        x1: at(figure.causal ? i : figure.keys),
        y0: at(i),
        y1: at(i),
        line,
      })),
    ];
  }

  /** @param {Heatmap} figure */
  function layout(figure) {
    const { box } = figure;
    const { clientWidth: width, clientHeight: height } = figure.plot;
    const style = getComputedStyle(document.documentElement);
    const axis = {
      dtick: box.every,
      tickfont: { size: box.font, color: AG.colour.css("--ink-soft") },
      title: { text: "" },
      automargin: false,
      linecolor: AG.colour.css("--line"),
      showline: true,
      mirror: true,
      ticks: "",
      ticklabelstandoff: 4,
    };
    const { layout: given } = figure.spec;
    return {
      ...given,
      width,
      height,
      shapes: [...borders(figure), ...outlined(figure)],
      margin: {
        l: box.left,
        t: box.top,
        r: width - box.left - box.wide,
        b: height - box.top - box.high,
        pad: 0,
      },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: AG.colour.css("--absent"),
      font: { family: style.fontFamily, color: AG.colour.css("--ink") },
      hoverlabel: {
        bgcolor: AG.colour.css("--ink"),
        bordercolor: AG.colour.css("--ink"),
        font: { family: style.fontFamily, color: AG.colour.css("--paper"), size: 13 },
      },
      xaxis: { ...given.xaxis, ...axis, tickangle: box.level ? 0 : -45 },
      yaxis: { ...given.yaxis, ...axis },
    };
  }

  /**
   * @param {Heatmap} figure
   * @param {any} Plotly
   */
  function config(figure, Plotly) {
    const filename = `${figure.name}-attention`;
    const svg = {
      name: "Save as SVG",
      icon: Plotly.Icons.disk,
      /** @param {any} graph */
      click: (graph) =>
        Plotly.downloadImage(graph, {
          format: "svg",
          filename,
          width: graph.clientWidth,
          height: graph.clientHeight,
        }),
    };
    return {
      ...figure.spec.config,
      responsive: false,
      displaylogo: false,
      showSendToCloud: false,
      displayModeBar: true,
      modeBarButtons: [
        ["toImage", svg],
        ["zoomIn2d", "zoomOut2d", "resetScale2d"],
      ],
      toImageButtonOptions: { format: "png", scale: 3, filename },
    };
  }

  /** @param {Figure} figure */
  function trace(figure) {
    const [given] = figure.spec.data;
    const hovertemplate = figure.coarse ? given.hovertemplate.replace(".4f", ".2f") : given.hovertemplate;
    // Without any gap Plotly takes a way that writes style attributes, which a strict policy refuses.
    const gap = !figure.causal && figure.box.cell >= 9 ? 1 : 0.001;
    const axes = {
      x: figure.columns.map((key) => given.x[key]),
      y: figure.rows.map((query) => given.y[query]),
    };
    return {
      ...given,
      ...axes,
      hovertemplate,
      z: rows(figure),
      zmin: 0,
      zmax: AG.colour.top(figure.weights),
      colorscale: colours(),
      showscale: false,
      xgap: gap,
      ygap: gap,
    };
  }

  AG.plotlySpec = { trace, layout, config };
})();
