/* What a reader who hears the page would miss. */
() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const seen = (one) => one.getClientRects().length > 0;
  const told = (one) => (one.getAttribute("aria-label") || one.textContent || one.title || "").trim();
  const faults = [];
  const fault = (what, one) => faults.push(`${what}: ${one ? one.outerHTML.slice(0, 120) : ""}`);
  const count = (selector, wanted) => { if (all(selector).length !== wanted) fault(`${all(selector).length} of ${selector}`); };
  for (const landmark of ["h1", "main", "body > header", "body > footer"]) count(landmark, 1);
  if (!document.documentElement.lang) fault("no language");
  if (!document.title.trim()) fault("no title");
  for (const one of all("button, a[href]")) if (seen(one) && !told(one) && !one.querySelector("img[alt]:not([alt=''])")) fault("no name", one);
  for (const one of all("img")) if (!one.alt.trim() && !one.closest("[aria-hidden=true]") && !one.closest("a")?.textContent.trim()) fault("no text for a picture", one);
  for (const one of all("[role=img], [role=application], [role=listbox], [role=group], nav, section.scroll")) {
    const by = one.getAttribute("aria-labelledby");
    if (!(one.getAttribute("aria-label") || (by && document.getElementById(by)?.textContent))?.trim()) fault("no label", one);
  }
  for (const table of all("main table")) {
    if (!table.querySelector("th[scope=col]") && !table.closest(".prose")) fault("no column headers", table);
    if (!table.caption && !table.closest(".prose")) fault("no caption", table);
    if (table.closest(".prose") && !table.querySelector("th")) fault("no headers", table);
  }
  for (const one of all("canvas")) if (!one.closest("[aria-hidden=true]") && !one.getAttribute("aria-label")) fault("a canvas that is neither told nor hidden", one);
  for (const one of all("input, select")) if (!one.labels.length) fault("no label", one);
  let level = 0;
  for (const one of all("h1, h2, h3, h4, h5, h6")) {
    const own = Number(one.tagName[1]);
    if (own > level + 1) fault("a heading skips a level", one);
    level = own;
  }
  const ids = all("[id]").map((one) => one.id);
  for (const id of new Set(ids)) if (ids.indexOf(id) !== ids.lastIndexOf(id)) fault(`twice the id ${id}`);
  for (const one of all("[aria-hidden=true] :is(a, button), a[aria-hidden=true]")) if (one.tabIndex >= 0) fault("hidden, yet reached", one);
  for (const one of all("[aria-current], [aria-selected], [aria-pressed]")) if (!told(one)) fault("a state of nothing", one);
  return faults;
}
