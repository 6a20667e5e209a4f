"""Which sentence shows a head best: decided by what makes its type, on attention made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attention_gallery.analysis import Across, analyse
from attention_gallery.analysis.measures.head_types import KINDS
from attention_gallery.analysis.measures.sentence_analysis import clearest_sentences
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()
CODES = {kind.name: code for code, kind in enumerate(KINDS)}


def looking(tokens: int, offset: int, share: float) -> np.ndarray:
    """A head that gives `share` to the token at an offset, held inside, and the rest to all others alike."""
    weights = np.full((tokens, tokens), (1 - share) / (tokens - 1))
    keys = np.clip(np.arange(tokens) + offset, 0, tokens - 1)
    weights[np.arange(tokens), keys] = share
    return weights[None, None]


def order(analyses) -> list[int]:
    across = Across()
    for analysis in analyses:
        across.add(analysis)
    sentences: list[int] = clearest_sentences(across.result().types, analyses)[0, 0].tolist()
    return sentences


def test_a_typed_head_is_shown_best_where_its_measure_is_largest(stored) -> None:
    analyses = [analyse(stored(looking(10, -1, share)), SETTINGS) for share in (0.7, 0.95, 0.6, 0.8)]
    assert order(analyses) == [1, 3, 0, 2]


def test_sentences_on_which_it_is_of_another_type_come_last(stored) -> None:
    # A duplicate head on three sentences; on the last one it rests on too few tokens to be called that.
    many = ("a", "b", "c", "d") * 3
    few = (*"abcdefghijk", "a")
    analyses = []
    for texts, share in ((many, 0.6), (many, 0.7), (few, 0.99)):
        ids = np.array([texts.index(text) for text in texts])
        equal = (ids[:, None] == ids[None, :]) & ~np.eye(len(ids), dtype=bool)
        rest = np.ones((len(ids), len(ids))) * (1 - share) / len(ids)
        weights = rest + np.where(equal, share / np.maximum(1, equal.sum(axis=1, keepdims=True)), 0)
        analyses.append(
            analyse(stored((weights / weights.sum(axis=1, keepdims=True))[None, None], texts=texts), SETTINGS)
        )
    assert analyses[2].values["duplicate"][0, 0] > analyses[1].values["duplicate"][0, 0]
    assert order(analyses) == [1, 0, 2]


def test_a_focused_head_is_shown_best_where_its_entropy_is_least(stored) -> None:
    random = np.random.default_rng(4)
    analyses = []
    for sharpness in (60, 200, 90):
        scores = random.random((1, 1, 24, 24)) * sharpness
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        analyses.append(analyse(stored(weights / weights.sum(axis=-1, keepdims=True)), SETTINGS))
    assert {analysis.type_name(0, 0) for analysis in analyses} == {"focused"}
    entropies = [float(analysis.values["entropy"][0, 0]) for analysis in analyses]
    assert order(analyses) == np.argsort(entropies).tolist()


def test_a_mixed_head_is_shown_best_by_its_strongest_far_pair(stored) -> None:
    analyses = []
    for share in (0.3, 0.9, 0.5):
        weights = np.full((1, 1, 12, 12), 1 / 12)
        # Some rows rest on their neighbours, so that no type fits; one looks far.
        for row in range(1, 5):
            weights[0, 0, row] = 0
            weights[0, 0, row, row - 1] = 1
        weights[0, 0, 11] = (1 - share) / 11
        weights[0, 0, 11, 4] = share
        analyses.append(analyse(stored(weights), SETTINGS))
    assert {analysis.type_name(0, 0) for analysis in analyses} == {"mixed"}
    assert order(analyses) == [1, 2, 0]


@pytest.mark.parametrize("name", ["broad", "mixed"])
def test_equal_sentences_stay_in_their_order(stored, name: str) -> None:
    same = analyse(stored(np.full((2, 2, 6, 6), 1 / 6)), SETTINGS)
    types = np.full((2, 2), CODES[name], np.int8)
    ranked = clearest_sentences(types, [same, same, same])
    assert ranked.shape == (2, 2, 3)
    assert (ranked == [0, 1, 2]).all()
