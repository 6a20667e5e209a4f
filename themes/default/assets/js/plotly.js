// needs: core.js
/* Plotly's script, loaded once and only when a figure asks for it. */
(() => {
  let loading = null;

  /** Plotly's script brings style sheets for maps; a strict policy would report each as an error. */
  function withoutStyles() {
    const create = document.createElement;
    document.createElement = (/** @type {string} */ tag, /** @type {any[]} */ ...rest) =>
      create.call(document, tag === "style" ? "meta" : tag, ...rest);
    return () => {
      document.createElement = create;
    };
  }

  AG.plotly = () => {
    loading ||= new Promise((resolve, reject) => {
      const script = AG.make("script", { src: document.body.dataset.plotly || "" });
      const restore = withoutStyles();
      const fail = () => {
        restore();
        loading = null;
        reject(new Error("Plotly"));
      };
      script.addEventListener("load", () => {
        if (!window.Plotly) {
          fail();
          return;
        }
        restore();
        resolve(window.Plotly);
      });
      script.addEventListener("error", fail);
      document.head.append(script);
    });
    return loading;
  };
})();
