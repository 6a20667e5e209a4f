// needs: core.js, arcgeometry.js, figure.js, heads.js, state.js, strip.js, tokens.js
/* Relations of the sentence as arcs over its tokens: whole where the selected head agrees, dashed where not. */
(() => {
  const box = AG.one("[data-arcs]");
  /** @type {Relation[]} */
  const relations = AG.json(document.getElementById("relation-arcs")) || [];
  if (!box || !relations.length) return;
  AG.relations = relations;
  const svg = /** @type {SVGElement} */ (AG.one("svg", box));
  const RISE = 34; // of the highest arc, above the tokens
  const rows = AG.one(".strip-tokens");
  const tokens = AG.all(".strip-tokens .tokens .token");

  /**
   * Whether the selected head agrees: 1 where the source looks most at the target, 2 the other way, 3 both; -1 where
   * it is a mean, of which nothing is known.
   *
   * @param {Relation} relation
   */
  const agreement = ({ heads }) => heads[AG.heads.names.indexOf(AG.figure.name)] ?? -1;

  /** @param {number[]} side */
  const text = (side) => side.map((token) => tokens[token].textContent).join(" ");

  /** @param {Relation} relation */
  function name(relation) {
    const agrees = agreement(relation);
    const words = `${relation.kind}: ${text(relation.source)} to ${text(relation.target)}`;
    if (agrees < 0) return words;
    return `${words}, ${agrees ? "this head agrees" : "this head looks elsewhere"}`;
  }

  /** Gold relations always; of parsed ones, which are many, those of the selected token. */
  const drawn = () =>
    relations
      .map((relation, index) => ({ relation, index }))
      .filter(
        ({ relation: { parser, source, target }, index }) =>
          !parser || index === AG.state.relation || [...source, ...target].includes(AG.state.token),
      );

  /**
   * @param {string} tag
   * @param {Record<string, string | number>} attributes
   * @param {(Node | string)[]} children
   */
  function shape(tag, attributes, ...children) {
    const element = document.createElementNS(svg.namespaceURI, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    element.append(...children);
    return element;
  }

  /**
   * Where the ends of a relation stand over the strip; null where they are not on its first row, or out of sight.
   *
   * @param {Relation} relation
   */
  function ends({ source, target }) {
    const origin = box.getBoundingClientRect();
    const [from, to] = [source, target].map((side) => {
      const areas = side.map((token) => tokens[token].getBoundingClientRect());
      const [first, last] = [areas[0], areas[areas.length - 1]];
      return {
        x: (first.left + last.right) / 2 - origin.left,
        top: first.top - origin.bottom,
        height: first.height,
      };
    });
    const near = (/** @type {{ top: number, height: number }} */ end) => Math.abs(end.top) < end.height / 2;
    return near(from) && near(to) ? [from.x, to.x] : null;
  }

  /**
   * @param {Relation} relation
   * @param {number} index
   * @param {{ from: number, to: number, rise: number }} span
   */
  function arc(relation, index, { from, to, rise }) {
    const bottom = box.clientHeight;
    // Its ends pull a curve of this kind up to three quarters of their height.
    const high = bottom - (4 / 3) * rise;
    const path = `M${from} ${bottom}C${from} ${high} ${to} ${high} ${to} ${bottom}`;
    const agrees = agreement(relation);
    const chosen = index === AG.state.relation;
    const group = shape(
      "g",
      {
        role: "button",
        tabindex: "-1",
        "aria-label": name(relation),
        "aria-pressed": String(chosen),
        "data-relation": index,
        class: `arc${agrees ? "" : " elsewhere"}${agrees < 0 ? " unknown" : ""}${chosen ? " chosen" : ""}`,
      },
      shape("path", { d: path, class: "arc-hit" }),
      shape("path", { d: path, class: "arc-line" }),
      shape(
        "text",
        { x: (from + to) / 2, y: bottom - rise - 3, "text-anchor": "middle" },
        `${relation.kind}${agrees > 0 ? " ✓" : ""}`,
      ),
    );
    return group;
  }

  /** Names that would lie on each other are left out but for the first; pointing at an arc tells its own. */
  function thin() {
    const labels = /** @type {any[]} */ (AG.all("text", box));
    const places = labels.map((label) => ({
      x: Number(label.getAttribute("x")),
      y: Number(label.getAttribute("y")),
      width: /** @type {SVGTextElement} */ (label).getComputedTextLength(),
    }));
    AG.arcs.thinned(places).forEach((fits, i) => {
      labels[i].classList.toggle("crowded", !fits);
    });
  }

  function focusable() {
    const arcs = AG.all("[data-relation]", box);
    const current = arcs.find((each) => each.getAttribute("aria-pressed") === "true") || arcs[0];
    for (const each of arcs) each.setAttribute("tabindex", each === current ? "0" : "-1");
  }

  const draw = AG.framed(() => {
    if (!AG.figure.weights) return;
    const focused = box.contains(document.activeElement)
      ? /** @type {HTMLElement} */ (document.activeElement).dataset.relation
      : undefined;
    const here = drawn().flatMap(({ relation, index }) => {
      const across = ends(relation);
      return across ? [{ relation, index, from: across[0], to: across[1] }] : [];
    });
    const levels = AG.arcs.levels(
      here.map(({ from, to }) => ({ left: Math.min(from, to), right: Math.max(from, to) })),
    );
    const step = RISE / Math.max(1, ...levels);
    svg.replaceChildren(
      ...here.map(({ relation, index, from, to }, i) =>
        arc(relation, index, { from, to, rise: levels[i] * step }),
      ),
    );
    thin();
    focusable();
    if (focused !== undefined) AG.one(`[data-relation="${focused}"]`, box)?.focus();
  });

  /** @param {number} index */
  function choose(index) {
    if (index === AG.state.relation) AG.set({ relation: -1 });
    else AG.set({ relation: index, token: relations[index].source[0] });
  }

  /** @param {Event} event */
  const at = (event) =>
    /** @type {SVGGElement | null} */ (/** @type {Element} */ (event.target).closest("[data-relation]"));
  box.addEventListener("click", (/** @type {Event} */ event) => {
    const group = at(event);
    if (group) choose(Number(group.dataset.relation));
  });
  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const group = at(event);
    if (!group || event.ctrlKey || event.metaKey || event.altKey) return;
    const arcs = AG.all("[data-relation]", box);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const place = arcs.findIndex((each) => each.dataset.relation === group.dataset.relation);
    if (event.key === "Enter" || event.key === " ") choose(Number(group.dataset.relation));
    else if (step) arcs[(place + step + arcs.length) % arcs.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  new ResizeObserver(draw).observe(rows);
  rows.addEventListener("scroll", draw, { passive: true });
  document.fonts?.ready.then(draw);
  AG.on("weights", draw);
  AG.on("state", (changed) => {
    if (["token", "relation", "special"].some((name) => changed.has(name))) draw();
  });
})();
