import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./page.mjs";

const INITIAL = { head: "L0H0", token: 3, special: "shown" };

test("a page begins with what it is told, and the address goes before it", () => {
  const { AG } = open("state.js", { hash: "#head=L2H11&view=table&threshold=0.2" });
  AG.begin(INITIAL);
  assert.equal(AG.state.head, "L2H11");
  assert.equal(AG.state.token, 3);
  assert.deepEqual([AG.state.view, AG.state.threshold], ["table", 0.2]);
  assert.equal(AG.fragment(), "head=L2H11&view=table&threshold=0.2");
});

test("an address says nothing until something is chosen", () => {
  const { AG, steps } = open("state.js");
  AG.begin(INITIAL);
  assert.equal(AG.fragment(), "");
  AG.set({ token: 3 });
  assert.deepEqual(steps, []);
  AG.set({ token: 4, view: "lines" });
  assert.deepEqual(steps, [["replace", "#token=4&view=lines"]]);
  AG.set({ token: -1 });
  assert.equal(AG.fragment(), "view=lines");
});

for (const [given, name, expected] of [
  ["token=-4", "token", -1],
  ["token=123456", "token", -1],
  ["key=2e1", "key", -1],
  ["layer=07", "layer", 7],
  ["threshold=7", "threshold", 1],
  ["threshold=-1", "threshold", 0],
  ["threshold=much", "threshold", 0],
  ["head=%3Cb%3E", "head", ""],
  ["view=picture", "view", "matrix"],
  ["direction=to", "direction", "to"],
  ["special=constructor", "special", "hidden"],
  ["place", "view", "matrix"],
]) {
  test(`#${given} means ${name} ${JSON.stringify(expected)}`, () => {
    const { AG } = open("state.js", { hash: `#${given}` });
    AG.begin({ ...INITIAL, special: "hidden" });
    assert.equal(AG.state[name], expected);
  });
}

test("names that the state does not have are passed over", () => {
  const { AG } = open("state.js", { hash: "#__proto__=x&toString=y&token=1" });
  AG.begin(INITIAL);
  assert.deepEqual([AG.state.token, AG.fragment()], [1, "token=1"]);
  assert.equal(typeof AG.state.toString, "function");
});

test("listeners hear the names of what changed, and nothing where nothing did", () => {
  const { AG } = open("state.js");
  const heard = [];
  AG.begin(INITIAL);
  AG.on("state", (changed) => heard.push([...changed]));
  AG.set({ token: 3, view: "matrix" });
  AG.set({ token: 5, view: "lines", direction: "from" });
  assert.deepEqual(heard, [["token", "view"]]);
});

test("another head is a step back, and the way back leads to what was", () => {
  const { AG, steps, go } = open("state.js");
  AG.begin(INITIAL);
  AG.set({ token: 5 });
  AG.set({ head: "L1H0" });
  assert.deepEqual(
    steps.map(([method]) => method),
    ["replace", "push"],
  );
  const told = [];
  AG.on("fragment", (fragment) => told.push(fragment));
  go("#token=5");
  assert.deepEqual([AG.state.head, AG.state.token], ["L0H0", 5]);
  go("");
  assert.equal(AG.state.token, 3);
  assert.deepEqual(told, ["token=5", ""]);
});

test("a browser that wants no more steps does not stop the page", () => {
  const { AG } = open("state.js", { crowded: true });
  AG.begin(INITIAL);
  AG.set({ token: 7 });
  assert.equal(AG.state.token, 7);
});
