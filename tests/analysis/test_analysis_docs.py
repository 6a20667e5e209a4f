"""docs/analysis.md tells what the code does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from attention_gallery.analysis import KINDS, METRICS, Thresholds

TEXT = " ".join(Path(__file__).parents[2].joinpath("docs/analysis.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_measure_is_documented_as_readers_see_it(metric):
    for part in (metric.title, metric.definition, metric.caveat, metric.unit):
        assert part in TEXT


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_type_is_documented(kind):
    assert f"`{kind.name}`" in TEXT
    assert kind.definition in TEXT


@pytest.mark.parametrize("field", dataclasses.fields(Thresholds), ids=lambda field: field.name)
def test_every_threshold_is_stated(field):
    assert f"`{field.name}` {getattr(Thresholds(), field.name):g}" in TEXT
