/* How many colours Plotly's picture has, and how large it stands on the page. */
async () => {
  const image = document.querySelector(".heatmaplayer image");
  const source = image.getAttribute("href") || image.getAttributeNS("http://www.w3.org/1999/xlink", "href");
  const picture = new Image();
  picture.src = source;
  await picture.decode();
  const { width, height } = picture;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const data = pen.getImageData(0, 0, width, height).data;
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]) colours.add(data.slice(i, i + 3).join());
  const area = image.getBoundingClientRect();
  return { colours: colours.size, width: area.width, height: area.height };
}
