/* What reaches past the window, unless it lies in a box that scrolls. */
() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (one) => one && one !== document.body
    && (/auto|scroll|hidden/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const area = one.getBoundingClientRect();
    if (area.width < 2 || area.height < 2 || one.closest(".skip, .hidden, svg, math")) continue;
    if ((area.right > width + 1 || area.left < -1) && !scrolls(one.parentElement) && !scrolls(one)) {
      found.push(`${one.tagName}.${one.className} ${Math.round(area.left)}..${Math.round(area.right)}`);
    }
  }
  return { found, scroll: document.documentElement.scrollWidth - width };
}
