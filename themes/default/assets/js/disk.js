// needs: core.js
/* Opened straight from disk there is no server to find index.html in a folder. */
(() => {
  const disk = location.protocol === "file:";

  /** The address that a link must have here. */
  AG.address = (href) => (disk ? href.replace(/\/(?=$|[?#])/, "/index.html") : href);

  if (!disk) return;
  for (const link of AG.all("a[href]")) {
    const href = link.getAttribute("href") || "";
    if (!/^[a-z][a-z0-9+.-]*:/i.test(href)) link.setAttribute("href", AG.address(href));
  }
})();
