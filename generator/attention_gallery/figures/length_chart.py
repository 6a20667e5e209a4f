"""One measure of a model over texts of several lengths: an SVG with a line for each layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from attention_gallery.records import Float32, Fragment

WIDTH, HEIGHT = 440.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 12.0, 44.0
FAINTEST = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class LengthLines:
    """What is drawn: tokens of each length, layers float32[layer, length], mean and even float32[length]."""

    tokens: tuple[int, ...]
    layers: Float32
    mean: Float32
    even: Float32


def length_chart(name: str, lines: LengthLines, alt_text: str) -> Fragment:
    """The lines, tokens along the bottom on a logarithmic scale, from 0 to the largest value upwards.

    Later layers are drawn stronger, the mean of all heads thick, even attention dashed. The picture is hidden
    from screen readers: `alt_text` tells it, and the page has all its numbers in a table.
    """
    top = _ceiling(max(float(lines.layers.max()), float(lines.even.max())))
    scale = _Scale(lines.tokens, top)
    count = len(lines.layers)
    drawn = [*scale.grid()]
    for index, row in enumerate(lines.layers.tolist()):
        # No line quite vanishes; a single layer is drawn at full strength.
        strength = FAINTEST + (1 - FAINTEST) * (index / (count - 1) if count > 1 else 1)
        drawn.append(
            f'<polyline class="length-layer" points="{scale.points(row)}" stroke-opacity="{strength:.2f}">'
            f"<title>Layer {index}</title></polyline>"
        )
    drawn.append(_line("length-even", "Spread evenly", scale.points(lines.even.tolist())))
    drawn.append(_line("length-mean", "Mean of all heads", scale.points(lines.mean.tolist())))
    html = (
        f'<figure class="length-chart"><svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" width="{WIDTH:.0f}" '
        f'height="{HEIGHT:.0f}" aria-hidden="true" focusable="false">{"".join(drawn)}</svg>'
        f"<figcaption>{escape(alt_text)}</figcaption></figure>"
    )
    return Fragment(f"length-{name}", html, alt_text)


def _line(kind: str, title: str, points: str) -> str:
    return f'<polyline class="{kind}" points="{points}"><title>{title}</title></polyline>'


def _ceiling(value: float) -> float:
    """The end of the upward scale: a round number of 1, 2 or 5 steps, not below the value."""
    if value <= 0:
        return 1.0
    step = 10.0 ** math.floor(math.log10(value))
    # A value that rounding carried over a round number asks for no further step.
    return next(step * factor for factor in (1, 2, 3, 4, 5, 6, 8, 10) if step * factor >= value * 0.999999)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Places on the picture of numbers of tokens and of values from 0 to `top`."""

    tokens: tuple[int, ...]
    top: float

    def points(self, values: Sequence[float]) -> str:
        """A line through the values at each length."""
        pairs = zip(self.tokens, values, strict=True)
        return " ".join(f"{self._across(tokens):.1f},{self._up(value):.1f}" for tokens, value in pairs)

    def grid(self) -> Sequence[str]:
        """Lines and numbers of both scales."""
        lines = []
        for quarter in range(5):
            value, end = self.top * quarter / 4, WIDTH - RIGHT
            y = self._up(value)
            lines.append(
                f'<line class="length-grid" x1="{LEFT:.0f}" x2="{end:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text class="length-up" x="{LEFT - 6:.0f}" y="{y:.1f}">{value:.3g}</text>'
            )
        for tokens in self.tokens:
            x, y = self._across(tokens), HEIGHT - BOTTOM + 18
            lines.append(f'<text class="length-across" x="{x:.1f}" y="{y:.0f}">{tokens}</text>')
        middle = (LEFT + WIDTH - RIGHT) / 2
        lines.append(f'<text class="length-across" x="{middle:.0f}" y="{HEIGHT - 8:.0f}">tokens</text>')
        return lines

    def _across(self, tokens: int) -> float:
        first, last = math.log(self.tokens[0]), math.log(self.tokens[-1])
        share = (math.log(tokens) - first) / (last - first) if last > first else 0.5
        # Half a number's width stays free at both ends.
        return LEFT + 10 + share * (WIDTH - RIGHT - LEFT - 24)

    def _up(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - BOTTOM - TOP)
