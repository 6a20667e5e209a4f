"""Two heads of one model, on a sentence or on every one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.contrast_context import ContrastContext, SentenceDistance
from attention_gallery.pages.gallery import Contrast, Gallery, Pair
from attention_gallery.pages.kinds.contrast.contrast_reader import ContrastView
from attention_gallery.pages.kinds.contrast.same_heads import base_context, precision
from attention_gallery.records import head_name

# Standard errors between a distance that was estimated and another for one to be clearly larger.
_CLEAR = 2


class _Apart(NamedTuple):
    """How far two heads are apart on one sentence, how many of all pairs are further, and the median.

    The distance is over all rows. `further` is the least and the most that it may be, and `typical_error` the
    standard error of the median: on a long sentence all pairs are compared on some rows only.
    """

    pair: Pair
    distance: float
    further: tuple[int, int]
    pairs: int
    typical: float
    typical_error: float


def heads_context(gallery: Gallery, contrast: Contrast) -> ContrastContext:
    """What the page shows; label, notes and neighbours are left open."""
    pairs = gallery.of_model(contrast.left.model) if contrast.across else (contrast.left,)
    measured = [_measure(gallery, contrast, pair) for pair in pairs]
    known = [one for one in measured if not np.isnan(one.distance)]
    shown = max(known, key=lambda one: one.distance) if known else measured[0]
    view = ContrastView(gallery, contrast, shown.pair, shown.pair)
    one, other = contrast.heads
    title = f"{head_name(*one)} and {head_name(*other)}"
    if contrast.across:
        title += f" on “{wording.shortened(shown.pair.sentence.title, 60)}”"
    return base_context(
        view,
        kind="heads",
        summary=_summary(known, shown, contrast),
        sentences=tuple(_sentences(view, known)) if contrast.across else (),
        figures=(view.figure_of(one, other, title),),
        method=(*_METHOD, *(_ESTIMATED if any(one.typical_error for one in known) else ()), precision(view)),
    )


def _measure(gallery: Gallery, contrast: Contrast, pair: Pair) -> _Apart:
    heads = pair.model.facts.heads
    one, other = (layer * heads + head for layer, head in contrast.heads)
    found = gallery.data.head_distances(pair)
    above = np.triu_indices(len(found.distance), 1)
    every = found.distance[above]
    if found.error is None:
        distance = float(found.distance[one, other])
        further = int((every > distance).sum())
        return _Apart(pair, distance, (further, further), every.size, float(np.median(every)), 0.0)
    distance = gallery.data.pair_distance(pair, *contrast.heads)
    error = _CLEAR * found.error[above]
    least, most = int((every - error > distance).sum()), int((every + error > distance).sum())
    return _Apart(pair, distance, (least, most), every.size, float(np.median(every)), found.typical_error)


def _summary(known: list[_Apart], shown: _Apart, contrast: Contrast) -> tuple[str, ...]:
    names = wording.listed(head_name(*place) for place in contrast.heads)
    if not known:
        return ("No row can be compared: no token sees more than itself.",)
    if not contrast.across:
        return (
            f"The rows of {names} are {wording.weight(shown.distance)} apart. Of {shown.pairs:,} pairs of "
            f"heads of this model on this sentence, {_range(shown.further)} are further apart; the median is "
            f"{wording.estimate(shown.typical, shown.typical_error)}.",
        )
    distances = [one.distance for one in known]
    typical = float(np.mean([one.typical for one in known]))
    error = float(np.linalg.norm([one.typical_error for one in known])) / len(known)
    nearest = min(known, key=lambda one: one.distance)
    return (
        f"Over {wording.count(len(known), 'sentence')} the rows of {names} are on average "
        f"{wording.weight(float(np.mean(distances)))} apart, where the median pair of heads of this model is "
        f"{wording.estimate(typical, error)} apart. They are nearest on “{nearest.pair.sentence.title}” "
        f"({wording.weight(nearest.distance)}) and furthest on “{shown.pair.sentence.title}” "
        f"({wording.weight(shown.distance)}), which is the one shown.",
    )


def _range(further: tuple[int, int]) -> str:
    least, most = further
    return f"{least:,}" if least == most else f"between {least:,} and {most:,}"


def _sentences(view: ContrastView, known: list[_Apart]) -> Iterator[SentenceDistance]:
    one, other = view.contrast.heads
    for apart in sorted(known, key=lambda found: -found.distance):
        pair = apart.pair
        yield SentenceDistance(
            sentence=Link(pair.sentence.title, routes.href(view.route, pair.route)),
            left=Link(head_name(*one), view.href(pair, one)),
            right=Link(head_name(*other), view.href(pair, other)),
            distance=wording.weight(apart.distance),
            percent=round(100 * apart.distance),
            typical=wording.estimate(apart.typical, apart.typical_error),
        )


_METHOD = (
    "A distance is the Jensen-Shannon divergence in bits of what a token gives to all others in both "
    "heads, averaged over the tokens that see more than one: 0 for heads that do the same, 1 for heads "
    "that never look at the same token (Clark et al. 2019, section 6).",
    "Both heads read the same tokens and are compared token by token.",
)
_ESTIMATED = (
    "The distance of these two heads is over all rows. On long sentences all pairs of heads are compared on "
    "some rows at even distances: what is said of these is estimated, with a standard error after ±, and a "
    "pair counts as further apart for certain where it is by more than two of them.",
)
