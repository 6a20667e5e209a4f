/* The contrast (WCAG 2) of every text with the ground that it stands on; the lowest first. */
() => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const painted = (...layers) => {
    pen.clearRect(0, 0, 1, 1);
    for (const layer of layers) { pen.fillStyle = layer; pen.fillRect(0, 0, 1, 1); }
    return Array.from(pen.getImageData(0, 0, 1, 1).data.slice(0, 3));
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = (one) => (one ? [...grounds(one.parentElement), getComputedStyle(one).backgroundColor] : ["white"]);
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const text = Array.from(one.childNodes).filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    const area = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    if (!text || area.width < 2 || area.height < 2 || style.visibility === "hidden") continue;
    if (parseFloat(style.fontSize) < 1 || one.closest("script, :disabled, svg, .skip")) continue;
    const below = grounds(one);
    const [a, b] = [light(painted(...below)), light(painted(...below, style.color))].sort((x, y) => y - x);
    found.push([Number(((a + 0.05) / (b + 0.05)).toFixed(2)), `${one.tagName}.${one.className}: ${text.slice(0, 30)}`]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}
