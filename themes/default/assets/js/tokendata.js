// needs: core.js
/* What every token looks at in every layer: a file beside the page, loaded when a table needs more than it shows. */
(() => {
  /** @type {{ src: string, version: string } | null} */
  const place = AG.json(document.getElementById("token-data"));
  if (!place) return;
  /** @type {Promise<TokenData> | null} */
  let loading = null;
  /** @type {((data: TokenData) => void) | null} */
  let arrived = null;

  /** Called by the file. */
  AG.tokenFile = (version, data) => {
    if (version !== place.version) return;
    arrived?.(data);
    arrived = null;
  };

  /** What a table says instead of the numbers of a token that could not be loaded. */
  AG.missing = (token) =>
    `What “${AG.isolated(token)}” looks at cannot be loaded; the table is of another token.`;

  AG.tokenData = () => {
    loading ||= new Promise((resolve, reject) => {
      arrived = resolve;
      const script = AG.make("script", { src: `${place.src}?${place.version}` });
      const end = () => {
        script.remove();
        if (!arrived) return;
        // It could not be had, or was cut short, or is of a later build. It may be asked for again.
        arrived = loading = null;
        reject(new Error("the numbers of the other tokens cannot be loaded"));
      };
      for (const event of ["load", "error"]) script.addEventListener(event, end);
      document.head.append(script);
    });
    return loading;
  };
})();
