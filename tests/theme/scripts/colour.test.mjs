import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./page.mjs";

const COLOURS = {
  "--heat-0": [255, 255, 255],
  "--heat-1": [200, 200, 255],
  "--heat-2": [150, 150, 255],
  "--heat-3": [100, 100, 255],
  "--heat-4": [0, 0, 255],
  "--fall-2": [255, 0, 0],
  "--fall-1": [255, 100, 100],
  "--rise-1": [100, 255, 100],
  "--rise-2": [0, 255, 0],
};
const opened = () => open("colour.js", { colours: { ...COLOURS } });
const at = (ramp, i) => Array.from(ramp.slice(i * 3, i * 3 + 3));

test("the ramp runs through the five colours of the style sheet", () => {
  const ramp = opened().AG.colour.ramp();
  assert.equal(ramp.length, 256 * 3);
  assert.deepEqual(at(ramp, 0), [255, 255, 255]);
  assert.deepEqual(at(ramp, 255), [0, 0, 255]);
  assert.deepEqual(at(ramp, 51), [211, 211, 255]); // four fifths of the way from the first to the second
  for (let i = 1; i < 256; i += 1) assert.ok(ramp[i * 3] <= ramp[i * 3 - 3], `red rises at ${i}`);
});

test("differences run from the largest fall over nothing to the largest rise", () => {
  const ramp = opened().AG.colour.diverging();
  assert.deepEqual(at(ramp, 0), [255, 0, 0]);
  assert.deepEqual(at(ramp, 255), [0, 255, 0]);
  const [red, green] = at(ramp, 128);
  assert.ok(red > 250 && green > 250);
});

test("colours are read once, and anew when the scheme changes", () => {
  const colours = { ...COLOURS };
  const { AG } = open("colour.js", { colours });
  const before = AG.colour.ramp();
  colours["--heat-0"] = [1, 2, 3];
  assert.equal(AG.colour.ramp(), before);
  AG.emit("scheme");
  assert.deepEqual(at(AG.colour.ramp(), 0), [1, 2, 3]);
  assert.deepEqual(AG.colour.rgb("--heat-0"), [1, 2, 3]);
  assert.equal(AG.colour.css("--heat-0", 0.5), "rgb(1 2 3 / 0.5)");
});

test("colours are read from every way in which browsers tell them", () => {
  const colours = {
    "--plain": "rgb(10, 20, 30)",
    "--clear": "rgba(10, 20, 30, 0.5)",
    "--mixed": "color(srgb 0.2 0.4 1)",
    "--wide": "color(srgb -0.01 0.50196 1.2e0 / 0.5)",
  };
  const { rgb } = open("colour.js", { colours }).AG.colour;
  assert.deepEqual(Object.keys(colours).map(rgb), [
    [10, 20, 30],
    [10, 20, 30],
    [51, 102, 255],
    [0, 128, 255],
  ]);
});

test("a ramp whose lightness turns around goes straight from end to end", () => {
  const turning = { ...COLOURS, "--heat-2": [255, 255, 255], "--rise-1": [0, 0, 0] };
  const { ramp, diverging } = open("colour.js", { colours: turning }).AG.colour;
  assert.deepEqual(at(ramp(), 128), [127, 127, 255]);
  assert.deepEqual(at(diverging(), 64), [255, 128, 128]);
  for (let i = 1; i < 256; i += 1) assert.ok(ramp()[i * 3] <= ramp()[i * 3 - 3]);
});

test("texts on any step of a ramp stand out", () => {
  const { AG } = open("colour.js", {
    colours: { ...COLOURS, "--ink": [29, 28, 34], "--paper": [252, 251, 248] },
  });
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (let i = 0; i < 256; i += 1) {
    for (const colour of [at(AG.colour.ramp(), i), [i, i, i]]) {
      const text = AG.colour.readable(colour).match(/\d+/g).map(Number);
      const [low, high] = [luminance(text), luminance(colour)].sort((one, other) => one - other);
      assert.ok((high + 0.05) / (low + 0.05) >= 4.5, `${colour}: ${text}`);
    }
  }
});

test("the square root keeps broad attention visible", () => {
  const { level, signed } = opened().AG.colour;
  assert.deepEqual(
    [0, 0.01, 0.25, 1, 2].map((weight) => level(weight, 1)),
    [0, 26, 128, 255, 255],
  );
  assert.equal(level(0.1, 0.1), 255);
  assert.deepEqual(
    [-2, -1, -0.25, 0, 0.25, 1, 2].map((one) => signed(one, 1)),
    [0, 0, 64, 128, 191, 255, 255],
  );
});

test("the darkest colour is for the largest weight of a head, for one, or for what a figure was told", () => {
  const { AG } = opened();
  const weights = Float32Array.of(NaN, 0.25, -0.5, 0);
  assert.equal(AG.colour.top(weights), 0.5);
  assert.equal(AG.colour.top(Float32Array.of(0, NaN)), 1);
  assert.equal(AG.colour.most({ weights }), 0.5);
  assert.equal(AG.colour.most({ weights, most: 0.75 }), 0.75);
  AG.set({ scale: "one" });
  assert.equal(AG.colour.top(weights), 1);
  assert.equal(AG.colour.most({ weights, most: 0.75 }), 1);
});
