/* Writes down when the canvas is painted and when Plotly is asked for. */
(() => {
  window.order = [];
  const put = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...rest) {
    if (this.canvas.isConnected) order.push("painted");
    return put.apply(this, rest);
  };
  const append = Element.prototype.append;
  Element.prototype.append = function (...rest) {
    if (rest.some((one) => one.tagName === "SCRIPT")) order.push("plotly asked for");
    return append.apply(this, rest);
  };
})();
