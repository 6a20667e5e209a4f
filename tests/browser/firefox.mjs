/* Opens pages of a built gallery in Firefox, and prints what each says of itself as JSON.

   Driven by its address, the browser's path, the folder of puppeteer-core, and the pages. */
import { createRequire } from "node:module";

const [root, executablePath, modules, ...pages] = process.argv.slice(2);
const puppeteer = createRequire(`${modules}/`)("puppeteer-core");

/* How dark the darkest cell of the canvas is, where it stands, and what is chosen. */
function readPage() {
  const canvas = document.querySelector("[data-figure] canvas");
  const figure = window.AG?.figure;
  const seen = { title: document.title, links: document.links.length, canvas: Boolean(canvas) };
  if (!canvas || !figure?.box) return seen;
  const ratio = canvas.width / canvas.clientWidth;
  const pen = canvas.getContext("2d");
  const { box, queries, keys, weights } = figure;
  const lightness = Array.from({ length: queries * keys }, (_, i) => {
    const x = (box.left + ((i % keys) + 0.3) * box.cell) * ratio;
    const y = (box.top + (Math.floor(i / keys) + 0.3) * box.cell) * ratio;
    const [red, green, blue] = pen.getImageData(Math.round(x), Math.round(y), 1, 1).data;
    return red + green + blue;
  });
  const most = Array.from(weights, (weight) => (weight >= 0 ? weight : -1));
  return {
    ...seen,
    head: figure.name,
    strongest: most.indexOf(Math.max(...most)),
    darkest: lightness.indexOf(Math.min(...lightness)),
    fragment: location.hash,
  };
}

/* Weights are unpacked after a page has loaded, and drawn a frame later. Asked frame by frame, since the policy of
   the pages forbids what waits for an expression. */
async function whenDrawn() {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const { figure, state } = window.AG ?? {};
  const waiting = () => figure && (!figure.box || (state.head && state.head !== figure.name));
  for (let frames = 0; frames < 600 && waiting(); frames += 1) await frame();
  await frame();
  await frame();
}

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  headless: true,
  defaultViewport: null,
  args: ["--width=1280", "--height=900"],
});
const answers = [];
for (const address of pages) {
  const page = await browser.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warn", "assert"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(root + address, { waitUntil: "load" });
  await page.evaluate(whenDrawn);
  const before = await page.evaluate(readPage);
  let after = null;
  if (await page.$("[data-explorer]")) {
    // At the end of a row there is no next head, but one before it.
    await page.keyboard.press("l");
    if ((await page.evaluate(() => window.AG.state.head)) === before.head) await page.keyboard.press("h");
    await page.evaluate(whenDrawn);
    after = await page.evaluate(readPage);
  }
  // Firefox tells of pages that a policy of "none" keeps it from fetching ahead, which readers do not notice.
  const ahead = await page.$$eval("link[rel=prefetch], link[rel=next]", (links) => links.map((link) => link.href));
  const noticed = complaints.filter((complaint) => !ahead.some((href) => complaint.includes(` ${href} `)));
  answers.push({ address, before, after, complaints: noticed });
  await page.close();
}
await browser.close();
process.stdout.write(JSON.stringify(answers));
