"""Two heads of one model, on a sentence or on every one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis.result import Subject
from attention_gallery.analysis.similarity.distances import DISTANCES, two_head_distance
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.contrast_context import ContrastContext, SentenceDistance
from attention_gallery.pages.gallery import Capture, Contrast, GalleryData, Site
from attention_gallery.pages.kinds.contrast.contrast_reader import ContrastReader
from attention_gallery.pages.kinds.contrast.same_heads import base_context, precision
from attention_gallery.records import head_name

# Standard errors between a distance that was estimated and another for one to be clearly larger.
_CLEAR = 2


class _Apart(NamedTuple):
    """How far two heads are apart on one sentence, how many of all pairs are further, and the median.

    The distance is over all rows. `further` is the least and the most that it may be, and `typical_error` the
    standard error of the median: on a long sentence all pairs are compared on some rows only.
    """

    capture: Capture
    distance: float
    further: tuple[int, int]
    pairs: int
    typical: float
    typical_error: float


class HeadDistanceReader:
    """Reads how far the two heads of a contrast are apart in some captures of their model."""

    def __init__(
        self, site: Site, data: GalleryData, contrast: Contrast, captures: tuple[Capture, ...]
    ) -> None:
        self.contrast = contrast
        self.captures = captures
        self._site = site
        self._data = data

    def sides(self, capture: Capture) -> ContrastReader:
        """Both heads in one capture."""
        return ContrastReader(self._site, self._data, self.contrast, capture, capture)

    def measure(self, capture: Capture) -> _Apart:
        """How far they are apart in one capture."""
        heads = capture.model.facts.heads
        left, right = (layer * heads + head for layer, head in self.contrast.heads)
        distances = self._data.result(DISTANCES, Subject.from_key(capture.key))
        above = np.triu_indices(len(distances.distance), 1)
        every = distances.distance[above]
        median = float(np.median(every))
        # Every row was compared, and nothing is estimated.
        if distances.error is None:
            distance = float(distances.distance[left, right])
            further = int((every > distance).sum())
            return _Apart(capture, distance, (further, further), every.size, median, 0.0)
        # Of two heads all rows are soon compared, however long the text.
        distance = two_head_distance(self._data.entry(capture.key), *self.contrast.heads)
        error = _CLEAR * distances.error[above]
        least, most = int((every - error > distance).sum()), int((every + error > distance).sum())
        return _Apart(capture, distance, (least, most), every.size, median, distances.typical_error)


def heads_context(distances: HeadDistanceReader) -> ContrastContext:
    """What the page shows; label, notes and neighbours are left open."""
    contrast = distances.contrast
    measured = [distances.measure(capture) for capture in distances.captures]
    known = [apart for apart in measured if not np.isnan(apart.distance)]
    furthest = max(known, key=lambda apart: apart.distance) if known else measured[0]
    sides = distances.sides(furthest.capture)
    left, right = contrast.heads
    title = f"{head_name(*left)} and {head_name(*right)}"
    if contrast.across:
        title += f" on “{wording.shortened(furthest.capture.sentence.title, 60)}”"
    estimated = any(apart.typical_error for apart in known)
    return base_context(
        sides,
        kind="heads",
        summary=_summary(known, furthest, contrast),
        sentences=tuple(_sentences(sides, known)) if contrast.across else (),
        figures=(sides.figure_of(left, right, title),),
        method=(*_METHOD, *(_ESTIMATED if estimated else ()), precision(sides)),
    )


def _summary(known: list[_Apart], furthest: _Apart, contrast: Contrast) -> tuple[str, ...]:
    names = wording.listed(head_name(*head) for head in contrast.heads)
    if not known:
        return ("No row can be compared: no token sees more than itself.",)
    if not contrast.across:
        return (
            f"The rows of {names} are {wording.weight(furthest.distance)} apart. Of {furthest.pairs:,} pairs "
            f"of heads of this model on this sentence, {_range(furthest.further)} are further apart; the "
            f"median is {wording.estimate(furthest.typical, furthest.typical_error)}.",
        )
    distances = [apart.distance for apart in known]
    typical = float(np.mean([apart.typical for apart in known]))
    # Sentences are measured independently: variances of their sum add up.
    error = float(np.linalg.norm([apart.typical_error for apart in known])) / len(known)
    nearest = min(known, key=lambda apart: apart.distance)
    return (
        f"Over {wording.count(len(known), 'sentence')} the rows of {names} are on average "
        f"{wording.weight(float(np.mean(distances)))} apart, where the median pair of heads of this model is "
        f"{wording.estimate(typical, error)} apart. They are nearest on “{nearest.capture.sentence.title}” "
        f"({wording.weight(nearest.distance)}) and furthest on “{furthest.capture.sentence.title}” "
        f"({wording.weight(furthest.distance)}), which is the one shown.",
    )


def _range(further: tuple[int, int]) -> str:
    least, most = further
    return f"{least:,}" if least == most else f"between {least:,} and {most:,}"


def _sentences(sides: ContrastReader, known: list[_Apart]) -> Iterator[SentenceDistance]:
    left, right = sides.contrast.heads
    for apart in sorted(known, key=lambda apart: -apart.distance):
        capture = apart.capture
        yield SentenceDistance(
            sentence=Link(capture.sentence.title, routes.href(sides.route, capture.route)),
            left=Link(head_name(*left), sides.href(capture, left)),
            right=Link(head_name(*right), sides.href(capture, right)),
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
