// Scripts of the default theme on a page that has no more than they need.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";

const OWN = join(dirname(fileURLToPath(import.meta.url)), "../../../themes/default/assets/js");
const FOLDER = process.env.GALLERY_SCRIPTS ?? OWN;

/** The text of a script after those of all that it needs. */
function withNeeds(name, seen = new Set()) {
  if (seen.has(name)) return "";
  seen.add(name);
  const text = readFileSync(join(FOLDER, name), "utf-8");
  const needs = [...text.matchAll(/^\/\/ needs: (.*)$/gm)].flatMap((line) => line[1].split(", "));
  return needs.map((need) => withNeeds(need, seen)).join("") + text;
}

class Picture {
  constructor(width, height) {
    Object.assign(this, { width, height, data: new Uint8ClampedArray(width * height * 4) });
  }
}

/** The computed value of a colour that is mixed with itself: numbers as `rgb(…)`, texts as they are. */
function computed(colours, text) {
  const value = colours[text.match(/var\((--[\w-]+)\)/)[1]];
  return typeof value === "string" ? value : `rgb(${value.join(", ")})`;
}

/**
 * Runs a script on a new page at `hash` and gives what a test can look at: `AG`, the steps of the history as
 * method and address, and `go`, which leads to another hash as the back button does. `colours` are red, green and
 * blue by custom property, read anew whenever a script asks.
 */
export function open(name, { hash = "", colours = {}, crowded = false } = {}) {
  const events = new EventTarget();
  const steps = [];
  const step = (method) => (_state, _title, address) => {
    if (crowded) throw new Error("too many changes");
    steps.push([method, address]);
    location.hash = address;
  };
  const location = { hash };
  const element = () => ({ style: { setProperty() {} }, setAttribute() {}, append() {} });
  const globals = {
    window: globalThis,
    document: { createElement: element, body: { appendChild: (child) => child } },
    getComputedStyle: ({ style }) => ({ color: computed(colours, style.color) }),
    ImageData: Picture,
    location,
    history: { pushState: step("push"), replaceState: step("replace") },
    addEventListener: events.addEventListener.bind(events),
  };
  for (const [key, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, key, { value, configurable: true, writable: true });
  }
  runInThisContext(withNeeds(name), { filename: name });
  const go = (to) => {
    location.hash = to;
    events.dispatchEvent(new Event("popstate"));
  };
  return { AG: globalThis.AG, steps, go };
}
