// Arcs of relations: how they nest, and which of their names are shown.
import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./page.mjs";

const { arcs } = open("arcgeometry.js").AG;

test("the longer of two arcs stands above the shorter that it spans", () => {
  const spans = [
    { left: 0, right: 100 },
    { left: 10, right: 20 },
    { left: 20, right: 30 },
    { left: 5, right: 40 },
  ];
  assert.deepEqual(arcs.levels(spans), [3, 1, 1, 2]);
  assert.deepEqual(arcs.levels([]), []);
});

test("arcs that cross, or are the same, never lie on one another", () => {
  const spans = [
    { left: 0, right: 20 },
    { left: 10, right: 35 },
    { left: 0, right: 20 },
  ];
  assert.equal(new Set(arcs.levels(spans)).size, 3);
});

test("a label that would overlap an earlier one is left out", () => {
  const label = { x: 50, y: 10, width: 40 };
  assert.deepEqual(arcs.thinned([label, { ...label, x: 80 }, { ...label, x: 100 }, { ...label, y: 30 }]), [
    true,
    false,
    true,
    true,
  ]);
});
