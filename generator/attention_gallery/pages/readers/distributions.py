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
from attention_gallery.pages.readers.measured import Measured
from attention_gallery.pages.readers.model_reader import ModelView
from attention_gallery.pages.sections.measure_rows import told_unit
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.records import Float32, Int32

# Fewer values than these have no quartiles worth telling.
_LEAST_VALUES = 4


class Distributions:
    """The distributions of all heads of one model, found together when a page first asks."""

    def __init__(self, view: ModelView) -> None:
        self._view = view

    def of(self, place: Place, route: str) -> tuple[Distribution, ...]:
        """Every measure of one head, for the page at `route`."""
        return tuple(self._rows(place, route))

    @cached_property
    def _values(self) -> Float32:
        """Every measure on the sentences that differ: float32[sentence, measure, layer, head]."""
        return self._view.values[list(self._view.distinct)]

    @cached_property
    def _ordered(self) -> tuple[Int32, NDArray[np.int64]]:
        """Indices of the sentences, the lowest value first, undefined ones last: int32[sentence, …].

        With how many are defined, int64[…], for every (measure, layer, head).
        """
        values = self._values
        order = np.argsort(values, axis=0, kind="stable").astype(np.int32)
        return order, (~np.isnan(values)).sum(axis=0)

    @cached_property
    def _quartiles(self) -> Float32:
        """First quartile, median and third: float32[3, measure, layer, head]; NaN for nothing defined."""
        order, defined = self._ordered
        ordered = np.take_along_axis(self._values, order, axis=0)
        return np.stack([_quantile(ordered, defined, share) for share in (0.25, 0.5, 0.75)])

    def _rows(self, place: Place, route: str) -> Iterator[Distribution]:
        for one in self._view.measured:
            if math.isnan(float(one.metric.values[place])):
                yield Distribution(one.metric.title, wording.UNDEFINED)
            elif one.place is None:
                yield self._row(one, place, [float(one.metric.values[place])], None)
            else:
                yield self._over_sentences(one, (one.place, *place), route)

    def _over_sentences(self, one: Measured, at: tuple[int, int, int], route: str) -> Distribution:
        order, defined = self._ordered
        values = self._values[(slice(None), *at)].tolist()
        count = int(defined[at])
        quartiles = self._quartiles[(slice(None), *at)].tolist() if count >= _LEAST_VALUES else None
        row = self._row(one, at[1:], values, quartiles)
        lowest, highest = (int(order[(end, *at)]) for end in (0, count - 1))
        if values[lowest] == values[highest]:
            return row
        weakest, strongest = (
            self._example(self._view.distinct[index], values[index], one.metric.unit, at[1:], route)
            for index in (lowest, highest)
        )
        return row._replace(strongest=strongest, weakest=weakest)

    def _row(
        self, one: Measured, place: Place, values: list[float], quartiles: list[float] | None
    ) -> Distribution:
        metric, layer = one.metric, place[0]
        unit, even = metric.unit, float(one.even[layer])
        chance = float(one.shuffled[place]), float(one.shuffled_deviation[place])
        shuffled = chance if metric.ordered else None
        middle = None if quartiles is None else (quartiles[0], quartiles[2])
        return Distribution(
            title=metric.title,
            value=wording.measure(float(metric.values[place]), unit),
            unit=told_unit(metric, int(one.queries[layer])),
            figure=Markup(strip_svg(Strip(values, metric.range, middle, even, shuffled))),
            middle="" if quartiles is None else _middle(quartiles, unit),
            chance=_chance(even, shuffled, unit),
        )

    def _example(self, sentence: int, value: float, unit: str, place: Place, route: str) -> Link:
        title = wording.shortened(self._view.pairs[sentence].sentence.title, 60)
        return Link(
            title, routes.href(route, self._view.target(sentence, place)), wording.measure(value, unit)
        )


def _quantile(ordered: Float32, defined: NDArray[np.int64], share: float) -> Float32:
    """A quantile along the first axis of ascending values, of which so many are defined; NaN where none is.

    Between two values it is interpolated: definition 7 of Hyndman & Fan 1996, Sample Quantiles in Statistical
    Packages, numpy's own. Here since numpy's function for values with NaN takes them column by column.
    """
    place = np.maximum(defined - 1, 0) * share
    below = np.floor(place).astype(np.int64)
    ends = [
        np.take_along_axis(ordered, np.minimum(at, np.maximum(defined - 1, 0))[None], axis=0)[0]
        for at in (below, below + 1)
    ]
    found: Float32 = (ends[0] + (ends[1] - ends[0]) * (place - below)).astype(np.float32)
    return found


def _chance(even: float, shuffled: tuple[float, float] | None, unit: str) -> str:
    """Both baselines in words; one where they are the same, or where shuffling changes nothing."""
    evenly = wording.measure(even, unit)
    if shuffled is None:
        return f"Spread evenly {evenly}"
    told = wording.spread(*shuffled, unit)
    if wording.measure(shuffled[0], unit) == evenly:
        return f"By chance {told}"
    return f"Spread evenly {evenly}, shuffled {told}"


def _middle(quartiles: list[float], unit: str) -> str:
    first, median, third = (wording.measure(one, unit) for one in quartiles)
    return f"Median {median}, middle half {first} to {third}" if first != third else f"Median {median}"
