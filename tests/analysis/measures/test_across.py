"""Heads over many sentences: means, extremes, types, and sentences where a measure is absent."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from attention_gallery.analysis import Across, HeadsAcross, SentenceAnalysis, analyse
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()


def looking_back(tokens, share):
    weights = np.full((tokens, tokens), (1 - share) / max(1, tokens - 1))
    weights[np.arange(tokens), np.maximum(np.arange(tokens) - 1, 0)] = share
    return weights[None, None]


def across(analyses: Iterable[SentenceAnalysis]) -> HeadsAcross:
    gathered = Across()
    for analysis in analyses:
        gathered.add(analysis)
    return gathered.result()


@pytest.fixture
def analyses(stored):
    cases = [(8, 0.9, [0, 7]), (12, 0.7, [0, 11]), (10, 0.2, [0])]
    return [analyse(stored(looking_back(t, share), special=special), SETTINGS) for t, share, special in cases]


def test_means_and_extremes(analyses):
    gathered = across(analyses)
    assert gathered.sentences == 3
    assert gathered.values["previous"][0, 0] == pytest.approx(0.6)
    assert gathered.lowest["previous"][0, 0] == pytest.approx(0.2)
    assert gathered.highest["previous"][0, 0] == pytest.approx(0.9)
    assert {metric.name: metric.range for metric in gathered.metrics}["distance"] == (0.0, 11.0)


def test_a_measure_counts_only_where_it_is_defined(analyses):
    separator = [analysis.values["separator"][0, 0] for analysis in analyses]
    assert np.isnan(separator).tolist() == [False, False, True]
    gathered = across(analyses)
    assert gathered.values["separator"][0, 0] == pytest.approx(np.mean(separator[:2]))
    assert gathered.uniform["separator"] == pytest.approx((1 / 8 + 1 / 12) / 2)
    only = across(analyses[2:])
    assert np.isnan(only.values["separator"][0, 0])
    assert np.isnan(only.lowest["separator"][0, 0])
    assert np.isnan(only.uniform["separator"])


def test_the_type_is_that_of_the_means_with_counts(analyses):
    gathered = across(analyses)
    head = gathered.head_type(0, 0)
    assert head.name == gathered.type_name(0, 0) == "previous-token"
    assert head.evidence == (
        "0.60 of its attention goes to the previous token (threshold 0.5), "
        "mean over 3 sentences; of this type on 2 of them"
    )
    assert gathered.type_sentences[:, 0, 0].sum() == 3
    assert gathered.type_counts == (("previous-token", 1),)


def test_one_sentence_speaks_for_itself(analyses):
    assert across(analyses[:1]).head_type(0, 0) == analyses[0].head_type(0, 0)


def test_gathering_step_by_step_is_the_same(analyses):
    gathered = Across()
    for analysis in analyses[:2]:
        gathered.add(analysis)
    early = gathered.result()
    gathered.add(analyses[2])
    late = gathered.result()
    assert early.sentences == 2
    assert early.highest["previous"] is not late.highest["previous"]
    np.testing.assert_array_equal(late.values["entropy"], across(analyses).values["entropy"])
    assert early.lowest["previous"][0, 0] == pytest.approx(0.7)


def test_other_models_and_no_sentences_are_refused(analyses, stored):
    gathered = Across()
    with pytest.raises(ValueError, match="no analysis"):
        gathered.result()
    gathered.add(analyses[0])
    with pytest.raises(ValueError, match="same model"):
        gathered.add(analyse(stored(np.repeat(looking_back(5, 0.9), 2, axis=1)), SETTINGS))
    with pytest.raises(ValueError, match="same model"):
        gathered.add(analyse(stored(looking_back(5, 0.9)), AnalysisSettings(window=2)))
    assert gathered.result().sentences == 1
