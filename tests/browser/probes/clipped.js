/* Text that its own box cuts off, in the strip of tokens. */
() => {
  const strip = document.querySelector(".tokens");
  const area = strip.getBoundingClientRect();
  return Array.from(strip.querySelectorAll(".token")).filter((token) =>
    Array.from(token.getClientRects()).some((part) => part.left < area.left - 3 || part.right > area.right + 3)
  ).map((token) => token.textContent);
}
