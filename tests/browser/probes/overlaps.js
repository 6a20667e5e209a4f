/* Pairs of elements that lie on each other. */
(selector) => {
  const boxes = Array.from(document.querySelectorAll(selector)).map((one) => [one.textContent, one.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([text, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > a.height * 0.35) found.push(`${text} / ${other}`);
  }));
  return found;
}
