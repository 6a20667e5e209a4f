"use strict";
/* The namespace: a few helpers and one bus of events that the features talk over. */
window.AG = (() => {
  const bus = new EventTarget();
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  /** An element with attributes and text; never with HTML. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /** Calls `draw` at most once a frame, however often it is asked to. */
  function framed(draw) {
    let asked = 0;
    return () => {
      if (!asked) asked = requestAnimationFrame(() => { asked = 0; draw(); });
    };
  }

  return {
    one, all, make, framed,
    on: (name, listener) => bus.addEventListener(name, (event) => listener(event.detail)),
    emit: (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail })),
    json: (element) => (element ? JSON.parse(element.textContent) : null),
    plain: (text) => text.replaceAll("\u200b", ""),
    press: (button, on) => button.setAttribute("aria-pressed", String(on)),
  };
})();
