"""The map of heads: an SVG with a dot for every head, each a link, coloured by the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from attention_gallery.figures.embed import Fragment
from attention_gallery.records import Float32

WIDTH, TALLEST, MARGIN, RADIUS = 720.0, 560.0, 16.0, 9.0


@dataclass(frozen=True, slots=True)
class Dot:
    """One head on the map: `group` is a letter, `title` what is said when it is pointed at."""

    href: str
    family: str
    group: str
    title: str


def head_map_fragment(positions: Float32, dots: Sequence[Dot], alt_text: str) -> Fragment:
    """The heads at `positions` float32[head, 2], both directions to the same scale, the second upwards.

    The picture is hidden from screen readers and the keyboard: the page names all heads with their groups in
    text, which `alt_text` leads to.
    """
    low = positions.min(axis=0)
    across, up = (positions.max(axis=0) - low).tolist()
    # One scale for both, since distances are what the map is for; heads on a line have no height.
    scale = min((WIDTH - 2 * MARGIN) / max(across, 1e-9), (TALLEST - 2 * MARGIN) / max(up, 1e-9))
    left = (WIDTH - across * scale) / 2
    height = up * scale + 2 * MARGIN
    drawn = [
        _dot(dot, left + (x - low[0]) * scale, height - MARGIN - (y - low[1]) * scale)
        for dot, (x, y) in zip(dots, positions.tolist(), strict=True)
    ]
    html = (
        f'<figure class="head-map"><svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" width="{WIDTH:.0f}" '
        f'height="{height:.0f}" aria-hidden="true" focusable="false">{"".join(drawn)}</svg>'
        f"<figcaption>{escape(alt_text)}</figcaption></figure>"
    )
    return Fragment("head-map", html, alt_text)


def _dot(dot: Dot, x: float, y: float) -> str:
    return (
        f'<a href="{escape(dot.href)}" tabindex="-1" class="f-{escape(dot.family)}">'
        f"<title>{escape(dot.title)}</title>"
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS:.0f}"/>'
        f'<text x="{x:.1f}" y="{y:.1f}">{escape(dot.group)}</text></a>'
    )
