// needs: core.js, grid.js, heads.js
/* A larger picture of the head that is pointed at or has the focus, where the grid is small. */
(() => {
  const { grid } = AG;
  if (!grid) return;
  const SIDE = 160;
  const canvas = AG.make("canvas", {});
  const name = AG.make("b", {});
  const title = AG.make("span", {});
  const box = AG.make(
    "div",
    { class: "preview", "aria-hidden": "true", hidden: "" },
    canvas,
    name,
    " ",
    title,
  );
  document.body.append(box);

  /** @param {HTMLElement} cell */
  function show(cell) {
    const index = grid.cells.indexOf(cell);
    const area = cell.getBoundingClientRect();
    if (index < 0 || area.width > 40 || !grid.table.classList.contains("drawn")) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(SIDE * ratio);
    canvas.style.width = canvas.style.height = `${SIDE}px`;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    grid.drawPicture(pen, index, { left: 0, top: 0, side: canvas.width });
    name.textContent = grid.names[index];
    title.textContent = cell.title || AG.heads.meanTitle(grid.names[index]);
    box.hidden = false;
    const right = area.right + 12;
    box.style.left = `${right + box.offsetWidth < innerWidth ? right : area.left - box.offsetWidth - 12}px`;
    box.style.top = `${Math.max(8, Math.min(area.top - 40, innerHeight - box.offsetHeight - 8))}px`;
  }
  const hide = () => {
    box.hidden = true;
  };

  /** @param {Event} event */
  const at = (event) =>
    /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("tbody td > *"));
  grid.table.addEventListener("pointerover", (/** @type {PointerEvent} */ event) => {
    const cell = event.pointerType === "mouse" && at(event);
    if (cell) show(cell);
  });
  grid.table.addEventListener("focusin", (/** @type {FocusEvent} */ event) => {
    const cell = at(event);
    if (cell?.matches(":focus-visible")) show(cell);
  });
  for (const end of ["pointerleave", "focusout"]) grid.table.addEventListener(end, hide);
  addEventListener("scroll", hide, { passive: true });
})();
