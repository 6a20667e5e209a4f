"""docs/analysis.md tells what the code does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from attention_gallery.analysis import KINDS, METRICS, VIEWS, Thresholds
from attention_gallery.analysis.probe_scores import LEAST_EXAMPLES, LEAST_SENTENCES, RESAMPLES
from attention_gallery.analysis.relations import KINDS_OF_GROUP

PAGE = Path(__file__).parents[2].joinpath("docs/analysis.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_measure_is_documented_as_readers_see_it(metric):
    for part in (metric.title, metric.definition, metric.caveat, metric.unit):
        assert part in TEXT


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_of_the_flow_is_documented_as_readers_see_it(view):
    for part in (f"{view.title} (`{view.name}`)", view.definition, view.caveat, view.source):
        assert part in TEXT


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_type_is_documented(kind):
    assert f"`{kind.name}`" in TEXT
    assert kind.definition in TEXT


@pytest.mark.parametrize("field", dataclasses.fields(Thresholds), ids=lambda field: field.name)
def test_every_threshold_is_stated(field):
    assert f"`{field.name}` {getattr(Thresholds(), field.name):g}" in TEXT


@pytest.mark.parametrize("group", KINDS_OF_GROUP)
def test_every_kind_of_relation_is_listed_with_its_group(group):
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {group} |"))
    assert all(f"`{kind}`" in row for kind in KINDS_OF_GROUP[group])


def test_the_least_numbers_of_a_probe_are_stated():
    assert f"At least {LEAST_EXAMPLES} examples in {LEAST_SENTENCES} sentences" in TEXT
    assert f"of {RESAMPLES} samples of sentences" in TEXT
