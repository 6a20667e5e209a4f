import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./page.mjs";

const grey = (value) => [value, value, value];
const colours = {
  "--heat-0": grey(255),
  "--heat-1": grey(191),
  "--heat-2": grey(128),
  "--heat-3": grey(64),
  "--heat-4": grey(0),
  "--absent": [9, 8, 7],
};
const { AG } = open("pool.js", { colours });
const pixels = ({ data }) =>
  Array.from({ length: data.length / 4 }, (_, i) => [...data.slice(i * 4, i * 4 + 3)]);

test("a strong cell never drops out of a small picture", () => {
  for (let cell = 0; cell < 100; cell += 1) {
    const weights = new Float32Array(100);
    weights[cell] = 1;
    for (const side of [1, 3, 7]) {
      const image = AG.thumbnail(weights, 10, 10, side, side);
      assert.equal(pixels(image).filter(([red]) => red === 0).length, 1, `cell ${cell} at ${side} pixels`);
    }
  }
});

test("a picture larger than its matrix repeats the cells", () => {
  const found = pixels(AG.thumbnail(Float32Array.of(0, 1, 1, 0), 2, 2, 4, 2));
  assert.deepEqual(found, [255, 255, 0, 0, 0, 0, 255, 255].map(grey));
});

test("what cannot be seen has a colour of its own, and hides nothing beside it", () => {
  const weights = Float32Array.of(1, NaN, NaN, NaN, 1, NaN, NaN, NaN, 1, 0, 0, NaN, 0, 0, 0, 1);
  const found = pixels(AG.thumbnail(weights, 4, 4, 2, 2));
  assert.deepEqual(found, [grey(0), colours["--absent"], grey(0), grey(0)]);
});

test("every pixel is opaque", () => {
  const { data, width, height } = AG.thumbnail(Float32Array.of(NaN, 0.5), 1, 2, 3, 2);
  assert.deepEqual([width, height], [3, 2]);
  assert.ok(data.every((value, i) => i % 4 < 3 || value === 255));
});
