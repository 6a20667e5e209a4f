/* How many elements would move by themselves. */
() => Array.from(document.querySelectorAll("*")).filter((one) => {
  const { transitionDuration, animationName, animationDuration } = getComputedStyle(one);
  return /[1-9]/.test(transitionDuration) || (animationName !== "none" && /[1-9]/.test(animationDuration));
}).length
