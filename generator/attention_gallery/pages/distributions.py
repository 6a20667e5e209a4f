"""How each measure of a head spreads over the sentences, beside chance, with the sentences at its ends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from attention_gallery.analysis import metric_named
from attention_gallery.figures.strip import Strip, strip_svg
from attention_gallery.pages import routes, words
from attention_gallery.pages.atlas_pieces import Distribution
from attention_gallery.pages.measures import told_unit
from attention_gallery.pages.model_view import ModelView
from attention_gallery.pages.neighbours import Place
from attention_gallery.pages.pieces import Link
from attention_gallery.records import Float32, HeadMetric, Int32

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
    def _ordered(self) -> tuple[Int32, NDArray[np.int64]]:
        """Indices of the sentences, the lowest value first, undefined ones last: int32[sentence, …].

        With how many are defined, int64[…], for every (measure, layer, head).
        """
        values = self._view.values
        order = np.argsort(values, axis=0, kind="stable").astype(np.int32)
        return order, (~np.isnan(values)).sum(axis=0)

    @cached_property
    def _quartiles(self) -> Float32:
        """First quartile, median and third: float32[3, measure, layer, head]; NaN for nothing defined."""
        values = self._view.values
        nothing = np.isnan(values).all(axis=0)
        found = np.nanquantile(np.where(nothing, np.float32(0), values), [0.25, 0.5, 0.75], axis=0)
        return np.where(nothing, np.float32(np.nan), found.astype(np.float32))

    def _rows(self, place: Place, route: str) -> Iterator[Distribution]:
        for index, metric in enumerate(self._view.across.metrics):
            value = float(metric.values[place])
            if math.isnan(value):
                yield Distribution(metric.title, words.UNDEFINED)
            else:
                yield self._row(index, metric, place, route)

    def _row(self, index: int, metric: HeadMetric, place: Place, route: str) -> Distribution:
        across, unit = self._view.across, metric.unit
        even = across.uniform[metric.name]
        chance = (
            float(across.shuffled_mean[metric.name][place]),
            float(across.shuffled_deviation[metric.name][place]),
        )
        ordered = metric_named(metric.name).ordered
        order, defined = self._ordered
        count = int(defined[(index, *place)])
        first, median, third = self._quartiles[(slice(None), index, *place)].tolist()
        enough = count >= _LEAST_VALUES
        values = self._view.values[(slice(None), index, *place)].tolist()
        strip = Strip(
            values, metric.range, (first, third) if enough else None, even, chance if ordered else None
        )
        lowest, highest = (int(order[(at, index, *place)]) for at in (0, count - 1))
        differ = values[lowest] < values[highest]
        return Distribution(
            title=metric.title,
            value=words.measure(float(metric.values[place]), unit),
            unit=told_unit(metric, across.queries),
            figure=Markup(strip_svg(strip)),
            middle=_middle((first, median, third), unit) if enough else "",
            chance=_chance(even, chance if ordered else None, unit),
            strongest=self._example(highest, values[highest], unit, place, route) if differ else None,
            weakest=self._example(lowest, values[lowest], unit, place, route) if differ else None,
        )

    def _example(self, sentence: int, value: float, unit: str, place: Place, route: str) -> Link:
        title = words.shortened(self._view.pairs[sentence].sentence.title, 60)
        return Link(title, routes.href(route, self._view.target(sentence, place)), words.measure(value, unit))


def _chance(even: float, shuffled: tuple[float, float] | None, unit: str) -> str:
    """Both baselines in words; one where they are the same, or where shuffling changes nothing."""
    evenly = words.measure(even, unit)
    if shuffled is None:
        return f"Spread evenly {evenly}"
    told = words.spread(*shuffled, unit)
    if words.measure(shuffled[0], unit) == evenly:
        return f"By chance {told}"
    return f"Spread evenly {evenly}, shuffled {told}"


def _middle(quartiles: tuple[float, float, float], unit: str) -> str:
    first, median, third = (words.measure(one, unit) for one in quartiles)
    return f"Median {median}, middle half {first} to {third}" if first != third else f"Median {median}"
