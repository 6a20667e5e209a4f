"""docs/analysis.md tells what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hand_made import layout_for

from attention_gallery.analysis import KINDS, METRICS, LayerView
from attention_gallery.analysis.attribution.view_registry import VIEWS
from attention_gallery.analysis.contrast.head_contrast import _PERMUTATIONS, _SHUFFLED_ROWS, CELLS
from attention_gallery.analysis.experiments.repeated_tokens import ENCODER_CAVEAT, REPEATS
from attention_gallery.analysis.measures.head_types import Thresholds
from attention_gallery.analysis.probing.examples import OFFSETS, POSITIONS
from attention_gallery.analysis.probing.gold_relations import KINDS_OF_GROUP
from attention_gallery.analysis.probing.intervals import (
    LEAST_EVEN_TEXTS,
    LEAST_EVEN_TEXTS_FOR_A_LEAD,
    LEAST_TEXTS,
    NEARLY_ONE,
)
from attention_gallery.analysis.probing.probe import LEAST_EXAMPLES, LEAST_SENTENCES
from attention_gallery.analysis.probing.relation_tests import LEVEL
from attention_gallery.analysis.similarity.distances import FEWEST_ROWS

PAGE = Path(__file__).parents[2].joinpath("docs/analysis.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_measure_is_documented_as_readers_see_it(metric):
    for wording in (metric.title, metric.definition, metric.caveat, metric.unit):
        assert wording in TEXT


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_of_the_flow_is_documented_as_readers_see_it(view):
    for wording in (f"{view.title} (`{view.name}`)", view.definition, view.caveat, view.source):
        assert wording in TEXT


@pytest.mark.parametrize("score", REPEATS, ids=lambda score: score.name)
def test_every_score_on_random_tokens_is_documented_as_readers_see_it(score):
    for wording in (score.title, score.definition, score.caveat, ENCODER_CAVEAT.strip()):
        assert wording in TEXT


def test_the_example_of_own_measures_is_one_that_works():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    scope: dict[str, object] = {}
    exec(next(block for block in blocks if "two_back" in block), scope)
    where = layout_for(5, causal=True)
    view = LayerView.from_weights(where.uniform()[None], where)
    assert scope["last_key"](view) == pytest.approx([np.mean([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])])
    assert scope["two_back"](view) == pytest.approx([np.mean([1 / 3, 1 / 4, 1 / 5])])


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
    assert f"A head with a corrected p-value of {LEVEL} or less is better than guessing" in TEXT
    assert (len(OFFSETS), len(POSITIONS)) == (6, 6)
    assert "are the six fixed offsets, and six fixed places" in TEXT
    assert LEAST_TEXTS == 5
    assert "is one from five texts on" in TEXT
    assert f"from {LEAST_EVEN_TEXTS} even texts on" in TEXT
    assert f"from {LEAST_EVEN_TEXTS_FOR_A_LEAD} even texts on where" in TEXT
    assert f"(`Σn² / Σn` at most {NEARLY_ONE} for" in TEXT


def test_the_numbers_of_a_contrast_are_stated():
    assert f"({_PERMUTATIONS} fixed orders, on at most {_SHUFFLED_ROWS} rows)" in TEXT
    assert (CELLS, FEWEST_ROWS) == (6, 4)
    assert "list the six largest differences" in TEXT
    assert "at even distances, no fewer than four" in " ".join(TEXT.split())
