// needs: core.js, decode.js
/* The weights of whole layers, in files beside the page, loaded as scripts when they are looked at. */
(() => {
  const source = AG.one("[data-tiles]");
  if (!source) return;
  const shape = {
    queries: Number(source.dataset.queries),
    keys: Number(source.dataset.keys),
    causal: source.dataset.causal === "1",
  };
  // Heads that stay decoded: some 64 MB of weights.
  const most = Math.max(16, Math.floor(2 ** 24 / (shape.queries * shape.keys)));
  /** @type {Map<string, { resolve(layer: Layer): void, reject(reason: Error): void }>} */
  const expected = new Map();
  /** @type {Map<number, Promise<Layer>>} */
  const asked = new Map();
  /** @type {Map<number, Layer>} */
  const loaded = new Map();
  /** @type {Map<string, Float32Array>} */
  const decoded = new Map();

  /**
   * A layer whose heads are decoded when they are first asked for.
   *
   * @param {string} name
   * @param {Uint8Array} data
   * @param {string} codec
   * @returns {Layer}
   */
  function layerOf(name, data, codec) {
    const heads = Number(source.dataset.heads);
    return {
      coarse: codec === "sqrt8",
      head(index) {
        const key = `${name} ${index}`;
        const weights = decoded.get(key) || AG.decodeHead(data, index, { ...shape, codec, heads });
        decoded.delete(key); // the one that was asked for last stays longest
        decoded.set(key, weights);
        if (decoded.size > most) decoded.delete(String(decoded.keys().next().value));
        return weights;
      },
    };
  }

  /** Called by each tile with its name, the version of the capture, and its weights. */
  AG.tile = async (name, version, codec, deflated, base64) => {
    const waiting = expected.get(name);
    expected.delete(name);
    if (!waiting) return;
    if (version !== source.dataset.version) {
      waiting.reject(new Error("the weights are of a later build than the page"));
      return;
    }
    try {
      waiting.resolve(layerOf(name, await AG.unpacked(base64, deflated), codec));
    } catch {
      waiting.reject(new Error("this browser cannot unpack the weights"));
    }
  };

  /**
   * @param {number} index
   * @returns {Promise<Layer>}
   */
  function load(index) {
    const name = `0-${index}-0-0`;
    return new Promise((resolve, reject) => {
      expected.set(name, { resolve, reject });
      const src = `${source.dataset.tiles}${name}.js?${source.dataset.version}`;
      const script = AG.make("script", { src });
      // Its element says nothing more once it has run, or failed; and a file that was cut short runs without a call.
      for (const end of ["load", "error"])
        script.addEventListener(end, () => {
          script.remove();
          if (expected.delete(name)) reject(new Error("the weights of this layer cannot be loaded"));
        });
      document.head.append(script);
    });
  }

  /** The layer with this index; what cannot be loaded may be asked for again. */
  AG.layer = (index) => {
    let layer = asked.get(index);
    if (!layer) {
      layer = load(index);
      asked.set(index, layer);
      layer.then(
        (ready) => {
          loaded.set(index, ready);
          AG.emit("layer", index);
        },
        () => asked.delete(index),
      );
    }
    return layer;
  };
  AG.loadedLayer = (index) => loaded.get(index);
})();
