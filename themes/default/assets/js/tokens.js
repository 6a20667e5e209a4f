/* The token strip: choose a token and the others take the tint of its attention. */
(() => {
  const strip = AG.one(".tokens");
  if (!strip || !AG.figure) return;
  const tokens = AG.all(".token", strip);
  const choices = [["from", "looks at"], ["to", "is looked at by"]];
  AG.one("[data-direction-tools]").replaceChildren(AG.segmented("Direction of attention", "direction", choices, (direction) => AG.set({ direction })));
  const buttons = AG.all("[data-direction]");
  let hovered = -1;

  strip.setAttribute("role", "listbox");
  strip.setAttribute("aria-label", "Tokens. Choose one to see what it looks at.");
  strip.setAttribute("aria-orientation", "horizontal");
  tokens.forEach((token, i) => {
    token.setAttribute("role", "option");
    token.setAttribute("tabindex", i ? "-1" : "0");
    token.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") { hovered = i; tint(); } });
    token.addEventListener("pointerleave", () => { hovered = -1; tint(); });
    token.addEventListener("click", () => choose(i));
  });

  function choose(index) {
    AG.set({ token: index });
  }

  function shareOf(weights, size, token, other) {
    return AG.state.direction === "from" ? weights[token * size + other] : weights[other * size + token];
  }

  const tint = AG.framed(() => {
    const { whole: weights, cell } = AG.figure;
    const size = tokens.length;
    const seen = new Set(AG.figure.tokens);
    const pointed = cell ? AG.figure.tokens[AG.state.direction === "from" ? cell[0] : cell[1]] : -1;
    const token = hovered >= 0 ? hovered : pointed >= 0 ? pointed : AG.state.token;
    const shares = tokens.map((_, other) => (weights && token >= 0 && token < size && seen.has(other) ? shareOf(weights, size, token, other) : 0) || 0);
    const most = Math.max(...shares) || 1;
    tokens.forEach((element, i) => {
      element.classList.toggle("tinted", shares[i] > 0);
      element.style.setProperty("--share", Math.sqrt(shares[i] / most).toFixed(3));
      element.setAttribute("aria-selected", String(i === AG.state.token));
      element.classList.toggle("pointed", i === token);
    });
  });

  function reach() {
    const shown = AG.figure.tokens;
    const first = shown.includes(AG.state.token) ? AG.state.token : shown[0];
    tokens.forEach((token, i) => token.setAttribute("tabindex", i === first ? "0" : "-1"));
    for (const button of buttons) AG.press(button, button.dataset.direction === AG.state.direction);
    tint();
  }

  strip.addEventListener("keydown", (event) => {
    const shown = AG.figure.tokens;
    const at = shown.indexOf(tokens.indexOf(event.target));
    const last = shown.length - 1;
    const wanted = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last, Enter: at, " ": at }[event.key];
    if (at < 0 || wanted === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const index = shown[Math.min(last, Math.max(0, wanted))];
    choose(index);
    tokens[index].focus();
  });
  AG.on("begin", reach);
  AG.on("weights", reach);
  AG.on("point", tint);
  AG.on("state", (changed) => { if (["token", "direction", "special"].some((name) => changed.has(name))) reach(); });
})();
