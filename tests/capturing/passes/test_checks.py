"""The checks of a layer say what numpy in float64 says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_gallery.capturing.passes import checks

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 200))


def random(seed: int, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.softmax(torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 4, -1)


@settings(max_examples=80)
@given(st.integers(0, 2**31), SHAPES, st.floats(-1e-3, 1e-3))
def test_row_sums_are_those_of_float64(seed: int, shape: tuple[int, int, int], off: float) -> None:
    weights = random(seed, shape)
    weights[0, 0, 0] += off
    exact = np.abs(weights.numpy().sum(axis=-1, dtype=np.float64) - 1).max()
    assert checks.row_sum_error(weights) == pytest.approx(float(exact), abs=1e-12)
    turned = weights.transpose(0, 1)  # a view that is not contiguous
    assert checks.row_sum_error(turned) == pytest.approx(float(exact), abs=1e-12)


def test_what_is_no_number_is_no_small_error() -> None:
    weights = random(0, (1, 2, 3))
    weights[0, 1, 2] = float("nan")
    assert not checks.row_sum_error(weights) <= 1
    assert checks.row_sum_error(torch.zeros(2, 0, 0)) == 0


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.integers(1, 9), st.integers(1, 9))
def test_the_hidden_parts(seed: int, tokens: int, window: int) -> None:
    weights = random(seed, (2, tokens, tokens))
    hidden = checks.future(tokens, weights.device)
    assert checks.sees_ahead(weights, hidden) == (tokens > 1)
    assert not checks.sees_ahead(weights.tril(), hidden)
    assert checks.reaches_beyond(weights, window) == (tokens > window)
    assert not checks.reaches_beyond(weights.triu(1 - window), window)
    assert not checks.has_negative(weights)
    assert checks.has_negative(-weights)
    assert not checks.has_negative(torch.zeros(2, 0, 0))


@pytest.mark.parametrize(
    ("query", "key"), [(0, 1), (255, 256), (10, 599), (300, 511), (511, 512), (598, 599)]
)
def test_a_single_look_ahead_is_found(query: int, key: int) -> None:
    weights = torch.ones(2, 600, 600).tril()
    hidden = checks.future(600, weights.device)
    assert not checks.sees_ahead(weights, hidden)
    weights[1, query, key] = 1e-30
    assert checks.sees_ahead(weights, hidden)


@settings(max_examples=60)
@given(st.integers(0, 2**31), SHAPES)
def test_rounding_is_that_of_the_store(seed: int, shape: tuple[int, int, int]) -> None:
    weights = random(seed, shape)
    expected = weights.numpy().astype(np.float16)
    error = checks.rounding_error(weights, weights.half())
    np.testing.assert_array_equal(weights.half().numpy(), expected)
    exact = float(np.abs(expected.astype(np.float32) - weights.numpy()).max())
    assert error == pytest.approx(exact, abs=1e-9)
    assert error <= 2**-12
    assert checks.rounding_error(torch.zeros(1, 0, 0), torch.zeros(1, 0, 0)) == 0


@given(st.integers(1, 40), st.integers(0, 700))
def test_pieces_are_all_heads_in_order(heads: int, tokens: int) -> None:
    weights = torch.empty(1).expand(heads, tokens, tokens)
    pieces = list(checks.in_pieces(weights))
    assert [head for piece in pieces for head in range(heads)[piece]] == list(range(heads))
    assert all(len(range(heads)[piece]) == 1 or weights[piece].numel() <= 1 << 18 for piece in pieces)
