// needs: core.js, figure.js, state.js
/* What the selected token looks at most in the selected head, or what looks most at it. */
(() => {
  const MOST = 5;
  const card = AG.one("[data-strongest]");
  if (!card || !AG.figure) return;
  const title = AG.make("h3", { class: "label" });
  const list = AG.make("ol", {});
  card.replaceChildren(title, list);

  const show = AG.framed(() => {
    const { figure } = AG;
    const picked = figure.weights ? figure.picked() : -1;
    card.hidden = picked < 0;
    if (picked < 0) return;
    const from = AG.state.direction === "from";
    const labels = from ? figure.keyLabels : figure.labels;
    const token = AG.isolated((from ? figure.labels : figure.keyLabels)[picked]);
    title.textContent = from ? `Strongest for “${token}”` : `What looks most at “${token}”`;
    const pairs = labels
      .map((text, other) => ({
        text,
        weight: from ? figure.weight(picked, other) : figure.weight(other, picked),
      }))
      .filter(({ weight }) => weight > 0)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, MOST);
    list.replaceChildren(
      ...pairs.map(({ text, weight }) =>
        AG.make(
          "li",
          {},
          AG.make("bdi", {}, text),
          AG.make("span", { class: "number" }, figure.number(weight)),
        ),
      ),
    );
  });

  AG.on("weights", show);
  AG.on("state", (changed) => {
    if (["token", "key", "direction", "special"].some((name) => changed.has(name))) show();
  });
})();
