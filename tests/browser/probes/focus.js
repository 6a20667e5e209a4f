/* What has the focus, whether that shows, and in which part of the page it is. */
() => {
  const parts = [".skip", ".site-header", ".tokens", ".heads", ".toolbar", ".figure-plot", ".trace", ".notable"];
  const one = document.activeElement;
  if (one === document.body) return null;
  const style = getComputedStyle(one);
  const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const part = one.closest(parts.join());
  return { shown, name: one.className || one.tagName, where: part ? part.className.split(" ")[0] : "" };
}
