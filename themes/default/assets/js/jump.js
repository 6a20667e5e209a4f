// needs: core.js, grid.js, heads.js, keys.js, menus.js
/* One way to everything near: type a part of a name and choose. On a page of all heads these come first. */
(() => {
  const opener = AG.one("[data-jump]");
  if (!opener) return;
  const MOST = 12;
  /** @typedef {{ text: string, about: string, go(): void }} Place */

  /** @returns {Place[]} */
  const heads = () =>
    (AG.grid?.names || []).map((name, i) => ({
      text: name,
      about: AG.grid.cells[i].title || AG.heads.meanTitle(name),
      go: () => AG.set({ head: name }),
    }));
  /** @returns {Place[]} */
  const links = () =>
    AG.all(".menu-list a, .desk-sections a, #notes h2 a, .site-nav a").map((link) => ({
      text: link.textContent.trim(),
      about: "",
      go: () => link.click(),
    }));

  const input = AG.make("input", {
    type: "text",
    id: "jump-text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-expanded": "true",
    "aria-controls": "jump-places",
    placeholder: "L3H1, entropy, notes …",
  });
  const list = AG.make("ul", { id: "jump-places", role: "listbox", "aria-label": "Places" });
  const dialog = AG.make(
    "dialog",
    { class: "jump", "aria-labelledby": "jump-title" },
    AG.make("label", { id: "jump-title", for: "jump-text" }, "Jump to"),
    input,
    list,
  );
  /** @type {Place[]} */
  let places = [];
  /** @type {Place[]} */
  let listed = [];
  let chosen = 0;

  /**
   * How well a place fits, 0 best; -1 where a word of what was typed is missing.
   *
   * @param {Place} place
   * @param {string[]} words
   */
  function fit({ text, about }, words) {
    const [name, all] = [text.toLowerCase(), `${text} ${about}`.toLowerCase()];
    if (!words.every((word) => all.includes(word))) return -1;
    const whole = words.join(" ");
    if (name === whole) return 0;
    return name.startsWith(whole) ? 1 : 2;
  }

  function show() {
    list.replaceChildren(
      ...listed.map(({ text, about }, i) =>
        AG.make(
          "li",
          { role: "option", id: `jump-${i}`, "aria-selected": String(i === chosen) },
          AG.make("bdi", {}, text),
          AG.make("span", { class: "muted" }, about),
        ),
      ),
    );
    if (!listed.length) list.append(AG.make("li", { class: "muted" }, "Nothing here has that name."));
    input.setAttribute("aria-activedescendant", listed.length ? `jump-${chosen}` : "");
  }

  function find() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    listed = places
      .map((place, i) => ({ place, i, fit: fit(place, words) }))
      .filter((each) => each.fit >= 0)
      .sort((a, b) => a.fit - b.fit || a.i - b.i)
      .slice(0, MOST)
      .map(({ place }) => place);
    chosen = 0;
    show();
  }

  function open() {
    if (!dialog.isConnected) document.body.append(dialog);
    places = [...heads(), ...links()];
    input.value = "";
    find();
    dialog.showModal();
    input.focus();
  }

  /** @param {Place | undefined} place */
  function go(place) {
    if (!place) return;
    dialog.close();
    place.go();
  }

  opener.addEventListener("click", open);
  input.addEventListener("input", find);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") go(listed[chosen]);
    else if (!step || !listed.length) return;
    else {
      chosen = (chosen + step + listed.length) % listed.length;
      show();
    }
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const item = /** @type {Element} */ (event.target).closest("[role=option]");
    if (item) go(listed[Array.from(list.children).indexOf(item)]);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || AG.one("dialog[open]")) return;
    if (target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    open();
  });
})();
