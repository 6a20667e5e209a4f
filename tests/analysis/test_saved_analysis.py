"""An analysis survives being kept, and nothing else is taken for one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from attention_gallery.analysis import analyse
from attention_gallery.analysis.measures.analysis_codec import load, save
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()


def weights(seed=0):
    scores = np.exp(np.random.default_rng(seed).normal(size=(2, 3, 6, 6)))
    return scores / scores.sum(axis=-1, keepdims=True)


@pytest.fixture
def analysis(stored):
    return analyse(stored(weights()), SETTINGS)


def test_what_was_saved_is_loaded(analysis):
    loaded = load(save(analysis))
    for field in dataclasses.fields(analysis):
        before, after = getattr(analysis, field.name), getattr(loaded, field.name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
            np.testing.assert_array_equal(before, after)
        elif field.name == "metrics":
            for metric, other in zip(before, after, strict=True):
                np.testing.assert_array_equal(metric.values, other.values)
                assert dataclasses.replace(metric, values=None).definition == other.definition
                assert (metric.name, metric.range, metric.unit) == (other.name, other.range, other.unit)
        elif field.name in ("uniform", "queries"):
            assert list(before) == list(after)
            for name, row in before.items():
                assert row.dtype == after[name].dtype
                np.testing.assert_array_equal(row, after[name])
        else:
            assert before == after
    assert loaded.head_type(1, 2) == analysis.head_type(1, 2)
    assert loaded.notable() == analysis.notable()


def test_bytes_are_the_same_each_time(analysis, stored):
    assert save(analysis) == save(load(save(analysis))) == save(analyse(stored(weights()), SETTINGS))
    assert save(analysis) != save(analyse(stored(weights(1)), SETTINGS))


@pytest.mark.parametrize("position", [0, 40, 200, -1])
def test_a_changed_byte_is_damage(analysis, position):
    data = bytearray(save(analysis))
    data[position] ^= 1
    with pytest.raises(DamagedEntry):
        load(bytes(data))


@pytest.mark.parametrize("data", [b"", b"attention-gallery analysis 3\n", b"\x80\x04K\x01.", b"{}"])
def test_foreign_bytes_are_damage(data):
    with pytest.raises(DamagedEntry):
        load(data)


def test_cut_bytes_are_damage(analysis):
    data = save(analysis)
    for end in range(0, len(data), 97):
        with pytest.raises(DamagedEntry):
            load(data[:end])
