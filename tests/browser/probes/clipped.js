/* Text that its own box cuts off, in the strip of tokens; what a reader can scroll to is not. */
() => {
  const strip = document.querySelector(".tokens");
  const area = strip.getBoundingClientRect();
  const scroller = strip.closest(".strip-tokens");
  const reach = scroller ? scroller.scrollWidth - scroller.clientWidth : 0;
  return Array.from(strip.querySelectorAll(".token")).filter((token) =>
    Array.from(token.getClientRects()).some(
      (part) => part.left < area.left - reach - 3 || part.right > area.right + reach + 3,
    ),
  ).map((token) => token.textContent);
}
