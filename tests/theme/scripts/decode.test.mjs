import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { open } from "./page.mjs";

/** A figure that carries these bytes. */
function figureOf(bytes, dataset, deflate = false) {
  const packed = deflate ? deflateRawSync(Buffer.from(bytes)) : Buffer.from(bytes);
  const source = {
    textContent: `\n${packed.toString("base64")}\n`,
    remove() {
      figure.source = null;
    },
  };
  const figure = {
    source,
    dataset: deflate ? { ...dataset, deflated: "" } : dataset,
    querySelector: (selector) => (selector === ".figure-weights" ? figure.source : null),
  };
  return figure;
}

/** Numbers of 16 bits, the high bytes of all before the low bytes of all. */
const sixteen = (numbers) => [...numbers.map((n) => n >> 8), ...numbers.map((n) => n & 255)];
const near = (found, expected) => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) {
    if (Number.isNaN(value)) assert.ok(Number.isNaN(found[i]), `${found[i]} at ${i}`);
    else assert.ok(Math.abs(found[i] - value) < 1e-6, `${found[i]} is not ${value}, at ${i}`);
  }
};

for (const deflate of [false, true]) {
  test(`sixteen bits a weight, row by row${deflate ? ", deflated" : ""}`, async () => {
    const { AG } = open("decode.js");
    const numbers = [0, 1, 256, 65535, 32768, 257];
    const dataset = { queries: "2", keys: "3", causal: "0", codec: "linear16" };
    const weights = await AG.decode(figureOf(sixteen(numbers), dataset, deflate));
    const shares = numbers.map((n) => n / 65535);
    near(weights, shares);
  });
}

test("the heads of a layer lie one behind the other", () => {
  const { AG } = open("decode.js");
  const numbers = [0, 1, 256, 65535, 32768, 257, 65535, 0];
  const shape = { queries: 2, keys: 2, causal: false, codec: "linear16" };
  const shares = numbers.map((n) => n / 65535);
  near(AG.decodeHead(Uint8Array.from(sixteen(numbers)), 0, shape), shares.slice(0, 4));
  near(AG.decodeHead(Uint8Array.from(sixteen(numbers)), 1, shape), shares.slice(4));
});

test("of a causal model only what can be seen is stored; the rest is no number", async () => {
  const { AG } = open("decode.js");
  const rows = [65535, 13107, 52428, 0, 0, 65535];
  const dataset = { queries: "3", keys: "3", causal: "1", codec: "linear16" };
  near(await AG.decode(figureOf(sixteen(rows), dataset)), [1, NaN, NaN, 0.2, 0.8, NaN, 0, 0, 1]);
  const both = Uint8Array.from(sixteen([...rows, ...rows.toReversed()]));
  const shape = { queries: 3, keys: 3, causal: true, codec: "linear16" };
  near(AG.decodeHead(both, 1, shape), [1, NaN, NaN, 0, 0, NaN, 0.8, 0.2, 1]);
});

test("one byte holds the root of a weight, and rows sum to one again", async () => {
  const { AG } = open("decode.js");
  const dataset = { queries: "2", keys: "2", causal: "0", codec: "sqrt8" };
  near(await AG.decode(figureOf([100, 200, 0, 0], dataset)), [0.2, 0.8, 0, 0]);
});

test("differences have a sign, and places where there is none", async () => {
  const { AG } = open("decode.js");
  const dataset = { queries: "1", keys: "4", causal: "0", codec: "signed16" };
  near(await AG.decode(figureOf(sixteen([0, 32767, 65534, 65535]), dataset)), [-1, 0, 1, NaN]);
});

test("the text of the weights leaves the page", async () => {
  const { AG } = open("decode.js");
  const figure = figureOf(sixteen([1, 2]), { queries: "1", keys: "2", causal: "0", codec: "linear16" });
  await AG.decode(figure);
  assert.equal(figure.source, null);
});
