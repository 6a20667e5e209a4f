// needs: core.js
/* What is selected, kept in the address's fragment so that any view can be shared. */
(() => {
  /** @type {State & Record<string, string | number>} */
  const defaults = {
    head: "",
    token: -1,
    key: -1,
    layer: -1,
    relation: -1,
    view: "matrix",
    threshold: 0.05,
    direction: "from",
    trace: "content",
    scale: "head",
    curve: "root",
    special: "shown",
    colour: "pattern",
  };
  /** @type {Record<string, string[]>} */
  const allowed = {
    view: ["matrix", "lines", "table"],
    direction: ["from", "to"],
    trace: ["content", "all"],
    scale: ["head", "one"],
    curve: ["root", "linear", "log"],
    special: ["shown", "hidden"],
  };
  const state = { ...defaults };
  const explicit = new Set();

  /**
   * @param {string} name
   * @param {string} text
   */
  function readable(name, text) {
    if (["token", "key", "layer", "relation"].includes(name))
      return /^\d{1,5}$/.test(text) ? Number(text) : -1;
    if (name === "threshold") return Math.min(1, Math.max(0, Number(text) || 0));
    // A head, or a mean over the heads of a layer, over a head of all layers, or over all.
    if (name === "head") return /^(?:L\d+(?:H\d+)?|H\d+|mean)$/.test(text) ? text : "";
    if (name === "colour") return /^[a-z][a-z-]*$/.test(text) ? text : defaults[name];
    return allowed[name].includes(text) ? text : defaults[name];
  }

  function read() {
    const fragment = location.hash.slice(1);
    if (!fragment.includes("=")) return {};
    /** @type {Record<string, string | number>} */
    const found = {};
    for (const [name, text] of new URLSearchParams(fragment)) {
      if (Object.hasOwn(defaults, name)) found[name] = readable(name, text);
    }
    return found;
  }

  /** @param {Set<string>} among */
  function fragmentOf(among) {
    const names = Object.keys(defaults).filter(
      (name) => among.has(name) && state[name] !== "" && state[name] !== -1,
    );
    return names.map((name) => `${name}=${encodeURIComponent(state[name])}`).join("&");
  }
  const fragment = () => fragmentOf(explicit);

  /** What a link to exactly this needs: head and token also where the page opened with them. */
  function link() {
    const own = fragmentOf(new Set([...explicit, "head", "token"]));
    return own && `#${own}`;
  }

  /** @param {Record<string, any>} wanted */
  function apply(wanted) {
    const changed = Object.keys(wanted).filter((name) => state[name] !== wanted[name]);
    Object.assign(state, wanted);
    if (changed.length) AG.emit("state", new Set(changed));
    return changed;
  }

  /**
   * Changes the state; a new head becomes a step that the back button undoes.
   *
   * @param {Partial<State>} wanted
   */
  function set(wanted) {
    for (const name of Object.keys(wanted)) explicit.add(name);
    const changed = apply(wanted);
    if (!changed.length) return;
    const step = changed.includes("head") ? "pushState" : "replaceState";
    try {
      history[step](null, "", `#${fragment()}`);
    } catch {
      /* too many changes in a short time */
    }
    AG.emit("fragment", fragment());
  }

  /**
   * The state that a page begins with; the fragment goes before it.
   *
   * @param {Partial<State>} initial
   */
  function begin(initial) {
    Object.assign(defaults, initial);
    const found = read();
    for (const name of Object.keys(found)) explicit.add(name);
    Object.assign(state, initial, found);
  }

  addEventListener("popstate", () => {
    const found = read();
    explicit.clear();
    for (const name of Object.keys(found)) explicit.add(name);
    apply({ ...defaults, ...found });
    AG.emit("fragment", fragment());
  });

  Object.assign(AG, { state, set, begin, fragment, link });
})();
