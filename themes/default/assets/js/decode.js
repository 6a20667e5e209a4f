// needs: core.js
/* Attention weights from text: base64, raw deflate where it pays, then one of two codecs (docs/themes.md). */
(() => {
  /** @param {string} base64 */
  function bytesOf(base64) {
    const text = atob(base64.trim());
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  /** @param {Uint8Array} bytes */
  async function inflate(bytes) {
    const stream = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)])
      .stream()
      .pipeThrough(new DecompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /**
   * A weight of 16 bits, or a difference from -1 to 1; NaN where there is none.
   *
   * @param {number} level
   * @param {string} codec
   */
  function sixteen(level, codec) {
    if (codec !== "signed16") return level / 65535;
    return level === 65535 ? NaN : (level - 32767) / 32767;
  }

  /**
   * One head as Float32Array[query × key]; NaN where a causal model cannot look.
   *
   * @param {Uint8Array} data
   * @param {number} index
   * @param {{ queries: number, keys: number, causal: boolean, codec: string }} shape
   */
  function head(data, index, { queries, keys, causal, codec }) {
    const cells = causal ? (queries * (queries + 1)) / 2 : queries * keys;
    const low = data.length / 2;
    const weights = new Float32Array(queries * keys).fill(NaN);
    let from = index * cells;
    for (let query = 0; query < queries; query += 1) {
      const seen = causal ? query + 1 : keys;
      const start = query * keys;
      let sum = 0;
      for (let key = 0; key < seen; key += 1, from += 1) {
        const weight =
          codec === "sqrt8" ? (data[from] / 255) ** 2 : sixteen(data[from] * 256 + data[low + from], codec);
        weights[start + key] = weight;
        sum += weight;
      }
      if (codec === "sqrt8" && sum > 0) {
        for (let key = 0; key < seen; key += 1) weights[start + key] /= sum;
      }
    }
    return weights;
  }

  AG.unpacked = async (base64, deflated) => (deflated ? inflate(bytesOf(base64)) : bytesOf(base64));
  AG.decodeHead = head;

  /** The weights of a figure of one head. */
  AG.decode = async (figure) => {
    const source = AG.one(".figure-weights", figure);
    const data = await AG.unpacked(source.textContent, "deflated" in figure.dataset);
    source.remove();
    return head(data, 0, {
      queries: Number(figure.dataset.queries),
      keys: Number(figure.dataset.keys),
      causal: figure.dataset.causal === "1",
      codec: figure.dataset.codec || "",
    });
  };
})();
