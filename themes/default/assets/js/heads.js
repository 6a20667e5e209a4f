// needs: core.js, tiles.js
/* The heads of a page of all heads, and their means over a layer (L3), over all layers (H1) and over both. */
(() => {
  const source = AG.one('[data-figure="grid"]');
  if (!source) return;
  const layers = Number(source.dataset.layers);
  const heads = Number(source.dataset.heads);

  /**
   * The layer and head of a name; one past the last stands for the mean over them. Null where there is none.
   *
   * @param {string} name
   * @returns {[number, number] | null}
   */
  function placeOf(name) {
    if (name === "mean") return [layers, heads];
    const match = /^(?:L(\d+))?(?:H(\d+))?$/.exec(name);
    if (!match || !name) return null;
    const [layer, head] = [Number(match[1] ?? layers), Number(match[2] ?? heads)];
    const known = layer <= layers - Number(match[1] !== undefined);
    return known && head <= heads - Number(match[2] !== undefined) ? [layer, head] : null;
  }

  /**
   * @param {number} layer
   * @param {number} head
   */
  const nameOf = (layer, head) =>
    `${layer < layers ? `L${layer}` : ""}${head < heads ? `H${head}` : ""}` || "mean";

  /** @param {Float32Array[]} all */
  function mean(all) {
    const sum = new Float32Array(all[0].length);
    for (const weights of all)
      weights.forEach((weight, i) => {
        sum[i] += weight / all.length;
      });
    return sum;
  }

  /**
   * @param {Layer} layer
   * @param {number} head
   */
  const ofLayer = (layer, head) =>
    head < heads ? layer.head(head) : mean(Array.from({ length: heads }, (_, i) => layer.head(i)));

  /**
   * The weights of a head or mean, when the layers that they take are there; `coarse` are those of one byte.
   *
   * @param {string} name
   */
  async function weightsOf(name) {
    const [layer, head] = /** @type {[number, number]} */ (placeOf(name));
    if (layer < layers) {
      const own = await AG.layer(layer);
      return { weights: ofLayer(own, head), coarse: own.coarse };
    }
    const every = await Promise.all(Array.from({ length: layers }, (_, index) => AG.layer(index)));
    return {
      weights: mean(every.map((each) => ofLayer(each, head))),
      coarse: every.some((one) => one.coarse),
    };
  }

  /** @type {{ layer: number, weights: Float32Array } | null} */
  let known = null;

  /**
   * The mean over the heads of a layer; undefined until that layer is there.
   *
   * @param {number} layer
   */
  function layerMean(layer) {
    const own = AG.loadedLayer(layer);
    if (!own) return undefined;
    // Worked out once for a layer, as a pointer that moves asks for every cell on its way.
    if (known?.layer === layer) return known.weights;
    known = { layer, weights: ofLayer(own, heads) };
    return known.weights;
  }

  /**
   * What a mean is of; nothing for a head.
   *
   * @param {string} name
   */
  function meanTitle(name) {
    const [layer, head] = placeOf(name) || [0, 0];
    if (layer < layers) return head < heads ? "" : `mean of the heads of layer ${layer}`;
    return head < heads ? `mean of head ${head} over the layers` : "mean of all heads";
  }

  /** The heads themselves, without means, by layer and head. */
  const names = Array.from({ length: layers * heads }, (_, i) => nameOf(Math.floor(i / heads), i % heads));

  AG.heads = { names, layers, heads, placeOf, nameOf, meanTitle, weightsOf, layerMean };
})();
