"""How each measure of a head spreads over the sentences, beside chance, with the sentences at its ends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.evidence import wording
from attention_gallery.figures.strip import Strip, strip_svg
from attention_gallery.pages.contexts.atlas_context import Distribution
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.readers.measured import Measured
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.pages.sections.measure_rows import unit_in_words
from attention_gallery.records import Float32, Int32

# Fewer values than these have no quartiles worth telling.
_LEAST_VALUES = 4


class Distributions:
    """The distributions of all heads of one model, found together when a page first asks."""

    def __init__(self, reader: ModelReader) -> None:
        self._reader = reader

    def of(self, head: HeadIndex, route: str) -> tuple[Distribution, ...]:
        """Every measure of one head, for the page at `route`."""
        return tuple(self._rows(head, route))

    @cached_property
    def _values(self) -> Float32:
        """Every measure on the sentences that differ: float32[sentence, measure, layer, head]."""
        return self._reader.values[list(self._reader.distinct)]

    @cached_property
    def _ordered(self) -> tuple[Int32, NDArray[np.int64]]:
        """Indices of the sentences, the lowest value first, undefined ones last: int32[sentence, …].

        With how many are defined, int64[…], for every (measure, layer, head).
        """
        values = self._values
        # NaN sorts last. As int32, since there is one for each sentence, measure and head.
        order = np.argsort(values, axis=0, kind="stable").astype(np.int32)
        return order, (~np.isnan(values)).sum(axis=0)

    @cached_property
    def _quartiles(self) -> Float32:
        """First quartile, median and third: float32[3, measure, layer, head]; NaN for nothing defined."""
        order, defined = self._ordered
        # Of all heads together: page after page would sort each by itself.
        ordered = np.take_along_axis(self._values, order, axis=0)
        return np.stack([_quantile(ordered, defined, share) for share in (0.25, 0.5, 0.75)])

    def _rows(self, head: HeadIndex, route: str) -> Iterator[Distribution]:
        for measured in self._reader.measured:
            value = float(measured.metric.values[head])
            if math.isnan(value):
                yield Distribution(measured.metric.title, wording.UNDEFINED)
            elif measured.index is None:
                yield self._row(measured, head, [value], None)
            else:
                yield self._over_sentences(measured, (measured.index, *head), route)

    def _over_sentences(self, measured: Measured, at: tuple[int, int, int], route: str) -> Distribution:
        order, defined = self._ordered
        values = self._values[(slice(None), *at)].tolist()
        count = int(defined[at])
        quartiles = self._quartiles[(slice(None), *at)].tolist() if count >= _LEAST_VALUES else None
        row = self._row(measured, at[1:], values, quartiles)
        lowest, highest = (int(order[(end, *at)]) for end in (0, count - 1))
        # Where all are equal no sentence is an example of more or less.
        if values[lowest] == values[highest]:
            return row
        weakest, strongest = (
            self._example(self._reader.distinct[index], values[index], measured.metric.unit, at[1:], route)
            for index in (lowest, highest)
        )
        return row._replace(strongest=strongest, weakest=weakest)

    def _row(
        self, measured: Measured, head: HeadIndex, values: list[float], quartiles: list[float] | None
    ) -> Distribution:
        metric, layer = measured.metric, head[0]
        unit, even = metric.unit, float(measured.even[layer])
        chance = float(measured.shuffled[head]), float(measured.shuffled_deviation[head])
        shuffled = chance if metric.ordered else None
        middle = None if quartiles is None else (quartiles[0], quartiles[2])
        return Distribution(
            title=metric.title,
            value=wording.measure(float(metric.values[head]), unit),
            unit=unit_in_words(metric, int(measured.queries[layer])),
            figure=Markup(strip_svg(Strip(values, metric.range, middle, even, shuffled))),
            middle="" if quartiles is None else _middle(quartiles, unit),
            chance=_chance(even, shuffled, unit),
        )

    def _example(self, sentence: int, value: float, unit: str, head: HeadIndex, route: str) -> Link:
        capture = self._reader.captures[sentence]
        title = wording.shortened(capture.sentence.title, 60)
        return Link(title, routes.href(route, capture.target(head)), wording.measure(value, unit))


def _quantile(ordered: Float32, defined: NDArray[np.int64], share: float) -> Float32:
    """A quantile along the first axis of ascending values, of which so many are defined; NaN where none is.

    Between two values it is interpolated: definition 7 of Hyndman & Fan 1996, Sample Quantiles in Statistical
    Packages, numpy's own. Here since numpy's function for values with NaN takes them column by column.
    """
    rank = np.maximum(defined - 1, 0) * share
    below = np.floor(rank).astype(np.int64)
    ends = [
        np.take_along_axis(ordered, np.minimum(at, np.maximum(defined - 1, 0))[None], axis=0)[0]
        for at in (below, below + 1)
    ]
    quantile: Float32 = (ends[0] + (ends[1] - ends[0]) * (rank - below)).astype(np.float32)
    return quantile


def _chance(even: float, shuffled: tuple[float, float] | None, unit: str) -> str:
    """Both baselines in words; one where they are the same, or where shuffling changes nothing."""
    evenly = wording.measure(even, unit)
    if shuffled is None:
        return f"Spread evenly {evenly}"
    by_chance = wording.spread(*shuffled, unit)
    if wording.measure(shuffled[0], unit) == evenly:
        return f"By chance {by_chance}"
    return f"Spread evenly {evenly}, shuffled {by_chance}"


def _middle(quartiles: list[float], unit: str) -> str:
    first, median, third = (wording.measure(quartile, unit) for quartile in quartiles)
    return f"Median {median}, middle half {first} to {third}" if first != third else f"Median {median}"
