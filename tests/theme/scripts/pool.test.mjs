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

/** A picture of so many rows and columns; -1 stands for a block that cannot be seen. */
const picture = (levels, rows, columns) => ({
  levels: Uint8Array.from(levels, (level) => Math.max(0, level)),
  rows,
  columns,
  absent: (row, column) => levels[row * columns + column] < 0,
});

test("a strong cell never drops out of a small picture", () => {
  for (let cell = 0; cell < 100; cell += 1) {
    const levels = new Array(100).fill(0);
    levels[cell] = 255;
    for (const side of [1, 3, 7]) {
      const image = AG.thumbnail(picture(levels, 10, 10), side, side);
      assert.equal(pixels(image).filter(([red]) => red === 0).length, 1, `cell ${cell} at ${side} pixels`);
    }
  }
});

test("a picture larger than its matrix repeats the cells", () => {
  const found = pixels(AG.thumbnail(picture([0, 255, 255, 0], 2, 2), 4, 2));
  assert.deepEqual(found, [255, 255, 0, 0, 0, 0, 255, 255].map(grey));
});

test("what cannot be seen has a colour of its own, and hides nothing beside it", () => {
  const levels = [255, -1, -1, -1, 255, -1, -1, -1, 255, 0, 0, -1, 0, 0, 0, 255];
  const found = pixels(AG.thumbnail(picture(levels, 4, 4), 2, 2));
  assert.deepEqual(found, [grey(0), colours["--absent"], grey(0), grey(0)]);
});

test("a weight is as dark as it is beside the largest of its own picture", () => {
  // The roots of 0.04 and 0.16, which stand at a half and at the end.
  const [half, whole] = pixels(AG.thumbnail(picture([51, 102], 1, 2), 2, 1));
  assert.ok(Math.abs(half[0] - 128) <= 2, String(half));
  assert.deepEqual(whole, grey(0));
});

test("every pixel is opaque", () => {
  const { data, width, height } = AG.thumbnail(picture([-1, 128], 1, 2), 3, 2);
  assert.deepEqual([width, height], [3, 2]);
  assert.ok(data.every((value, i) => i % 4 < 3 || value === 255));
});
