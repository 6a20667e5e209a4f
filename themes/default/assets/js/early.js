/* Before the page is painted: the colours that the reader chose earlier, so that none flash. */
try {
  const scheme = localStorage.getItem("scheme");
  if (scheme === "light" || scheme === "dark") document.documentElement.dataset.theme = scheme;
} catch {
  /* from disk, storage may be forbidden */
}
