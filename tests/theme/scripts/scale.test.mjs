// One scale for colours, tints and lines: there and back, and legends that can be read.
import assert from "node:assert/strict";
import test from "node:test";
import { open } from "./page.mjs";

const CURVES = ["root", "linear", "log"];

function scaleOf(curve) {
  const { AG } = open("scale.js", { hash: `#curve=${curve}` });
  AG.begin({});
  return AG.scale;
}

test("a place gives its weight back", () => {
  for (const curve of CURVES) {
    const scale = scaleOf(curve);
    for (const most of [1, 0.99, 0.04]) {
      for (const share of [0.002, 0.05, 0.3, 0.75, 1]) {
        const weight = share * most;
        const back = scale.weightAt(scale.place(weight, most), most);
        assert.ok(Math.abs(back - weight) < 1e-9, `${curve} ${weight} ${back}`);
      }
    }
    assert.equal(scale.place(0, 1), 0);
    assert.equal(scale.place(NaN, 1), 0);
    assert.equal(scale.place(2, 1), 1);
  }
});

test("what is chosen says how it goes", () => {
  assert.deepEqual(
    CURVES.map((curve) => Number(scaleOf(curve).place(0.25, 1).toFixed(3))),
    [0.5, 0.25, 0.799],
  );
  assert.equal(scaleOf("cubic").name(), "square-root scale");
});

test("a legend has round weights, and its largest", () => {
  assert.deepEqual(scaleOf("root").ticks(1), [0, 0.1, 0.25, 0.5, 1]);
  assert.deepEqual(scaleOf("linear").ticks(1), [0, 0.25, 0.5, 1]);
  assert.deepEqual(scaleOf("log").ticks(1), [0, 0.01, 0.1, 1]);
});

test("names of ticks keep apart, whatever is the largest", () => {
  for (const curve of CURVES) {
    const scale = scaleOf(curve);
    for (let i = 1; i <= 1000; i += 1) {
      const most = i / 1000;
      const ticks = scale.ticks(most);
      const places = ticks.map((weight) => scale.place(weight, most));
      assert.equal(ticks[0], 0);
      assert.equal(ticks.at(-1), most);
      assert.ok(ticks.length > 2, `${curve} ${most}`);
      for (let k = 1; k < places.length; k += 1) assert.ok(places[k] - places[k - 1] >= 0.18 - 1e-9);
    }
  }
});
