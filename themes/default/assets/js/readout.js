// needs: core.js, figure.js, heads.js, state.js
/* One line under the figure: the pair pointed at, else the strongest of the selected token, in numbers and words. */
(() => {
  const { figure } = AG;
  if (!figure) return;
  const pair = AG.make("b", {});
  const more = AG.make("span", {});
  const line = AG.make("p", { class: "readout" }, pair, " ", more);
  figure.plot.after(line);

  /**
   * Where the weight stands among those of its row: weights that read the same are said to be equal.
   *
   * @param {number} query
   * @param {number} key
   */
  function rank(query, key) {
    const text = figure.number(figure.weight(query, key));
    const row = Array.from({ length: figure.keys }, (_, other) => figure.weight(query, other));
    const seen = row.filter((weight) => !Number.isNaN(weight));
    const equal = seen.filter((weight) => figure.number(weight) === text).length;
    const above = seen.filter(
      (weight) => weight > figure.weight(query, key) && figure.number(weight) !== text,
    ).length;
    const place = `${equal > 1 ? "equal " : ""}${AG.ordinal(above + 1)} of ${seen.length}`;
    return { place, even: 1 / seen.length };
  }

  /**
   * The mean weight of a pair over the heads of the layer; undefined where it is not known.
   *
   * @param {number} query
   * @param {number} key
   */
  function meanOfLayer(query, key) {
    const [layer, head] = AG.heads?.placeOf(figure.name) || [-1, 0];
    const mean = layer >= 0 && head < AG.heads.heads ? AG.heads.layerMean(layer) : undefined;
    return mean?.[figure.rows[query] * figure.spec.data[0].x.length + figure.columns[key]];
  }

  /** @param {Cell} cell */
  function words([query, key]) {
    if (Number.isNaN(figure.weight(query, key))) return "";
    const { place, even } = rank(query, key);
    const mean = meanOfLayer(query, key);
    const layer = mean === undefined ? "" : ` · mean of this layer ${figure.number(mean)}`;
    return `· ${place}${layer} · spread evenly ${figure.number(even)}`;
  }

  const read = AG.framed(() => {
    if (!figure.weights) return;
    const cell = figure.cell || figure.strongest();
    pair.textContent = cell ? figure.words(...cell) : "";
    more.textContent = cell ? words(cell) : "";
    line.classList.toggle("pointed", figure.cell !== null);
  });

  AG.on("point", read);
  AG.on("weights", read);
  AG.on("layer", read);
  AG.on("state", read);
})();
