"use strict";
/* The namespace: a few helpers and one bus of events that the features talk over. */
window.AG = (() => {
  const bus = new EventTarget();
  /**
   * @param {string} selector
   * @param {ParentNode} [root]
   */
  const one = (selector, root = document) => root.querySelector(selector);
  /**
   * @param {string} selector
   * @param {ParentNode} [root]
   */
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  /**
   * An element with attributes and text; never with HTML.
   *
   * @param {string} tag
   * @param {Record<string, string | number>} [attributes]
   * @param {(Node | string)[]} children
   */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    element.append(...children);
    return element;
  }

  /**
   * A row of buttons of which one is pressed; `choices` are value and text.
   *
   * @param {string} label
   * @param {string} name
   * @param {string[][]} choices
   * @param {(value: string) => void} choose
   */
  function segmented(label, name, choices, choose) {
    const group = make("div", { class: "segmented", role: "group", "aria-label": label });
    for (const [value, text] of choices) {
      const button = make("button", { type: "button", [`data-${name}`]: value }, text);
      button.addEventListener("click", () => choose(value));
      group.append(button);
    }
    return group;
  }

  /**
   * Calls `draw` at most once a frame, however often it is asked to.
   *
   * @param {() => void} draw
   */
  function framed(draw) {
    let asked = 0;
    return () => {
      if (!asked)
        asked = requestAnimationFrame(() => {
          asked = 0;
          draw();
        });
    };
  }

  /** @type {Core} */
  const core = {
    one,
    all: /** @type {any} */ (all),
    make: /** @type {any} */ (make),
    segmented,
    framed,
    on: (name, listener) =>
      bus.addEventListener(name, (event) => listener(/** @type {CustomEvent} */ (event).detail)),
    emit: (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail })),
    json: (element) => (element ? JSON.parse(element.textContent) : null),
    /** A token inside a sentence: one that runs from right to left does not turn the rest around. */
    isolated: (text) =>
      /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(text) ? `\u2068${text}\u2069` : text,
    ordinal: (rank) => {
      const teen = Math.floor(rank / 10) % 10 === 1;
      return `${rank}${(!teen && ["th", "st", "nd", "rd"][rank % 10]) || "th"}`;
    },
    plain: (text) => text.replaceAll("\u200b", ""),
    press: (button, on) => button.setAttribute("aria-pressed", String(on)),
  };
  return /** @type {Gallery} */ (core); // the other scripts add the rest
})();
