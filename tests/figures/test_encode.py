"""Weights survive their encoding within the error that is stated."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest
from decoding import decode_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from attention_gallery.figures import encode
from attention_gallery.figures.encode import (
    EXPLORER_ERROR,
    EncodedWeights,
    encode_heads,
    encode_layer,
    encode_pooled,
    head_of_layer,
    visible_cells,
)
from attention_gallery.records import Float32

# Below this must lie what pages of heads round.
HEAD_ERROR = 0.0001


def softmax_rows(seed: int, shape: tuple[int, ...], sharpness: float, *, causal: bool) -> Float32:
    """Softmax rows of shape [..., query, key]; what a causal query cannot see is exactly 0."""
    scores = np.random.default_rng(seed).normal(size=shape) * sharpness
    if causal:
        scores = np.where(np.tri(shape[-1], dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def decoded_head(encoded: EncodedWeights, tokens: int, *, causal: bool) -> NDArray[np.float64]:
    return decode_grid(encoded, (1, 1, tokens, tokens), causal)[0, 0]


def encode_grid(weights: Float32, causal: bool) -> list[EncodedWeights]:
    """The layers of float32[layer, head, query, key]."""
    return [encode_layer(layer, causal) for layer in weights]


def decoded_layers(layers: list[EncodedWeights], shape: tuple[int, ...], causal: bool) -> NDArray[np.float64]:
    """What a reader sees of them: float64[layer, head, query, key]."""
    heads, queries, keys = shape[1:]
    return np.concatenate([decode_grid(layer, (1, heads, queries, keys), causal) for layer in layers])


def bytes_of(encoded: EncodedWeights) -> bytes:
    data = base64.b64decode(encoded.data)
    return zlib.decompress(data, -15) if encoded.deflated else data


CASES = {
    "seed": st.integers(0, 2**32 - 1),
    "tokens": st.integers(1, 40),
    "heads": st.integers(1, 3),
    "sharpness": st.floats(0, 40),
    "causal": st.booleans(),
}


@settings(max_examples=60)
@given(**CASES)
def test_head_pages_are_right_to_a_ten_thousandth(
    seed: int, tokens: int, heads: int, sharpness: float, causal: bool
) -> None:
    weights = softmax_rows(seed, (heads, tokens, tokens), sharpness, causal=causal)
    for head, encoded in enumerate(encode_heads(weights, causal)):
        found = decoded_head(encoded, tokens, causal=causal)
        error = float(np.abs(found - weights[head]).max())
        assert encoded.codec == "linear16"
        assert encoded.error == pytest.approx(error, abs=1e-7)
        assert encoded.error < HEAD_ERROR
        assert np.abs(found.sum(axis=-1) - 1).max() < tokens / 65535
        if causal:
            assert not np.triu(found, 1).any()


@settings(max_examples=60)
@given(layers=st.integers(1, 3), **CASES)
def test_the_grid_states_its_own_error(
    layers: int, seed: int, tokens: int, heads: int, sharpness: float, causal: bool
) -> None:
    weights = softmax_rows(seed, (layers, heads, tokens, tokens), sharpness, causal=causal)
    encoded = encode_grid(weights, causal)
    found = decoded_layers(encoded, weights.shape, causal)
    for layer, decoded, exact in zip(encoded, found, weights, strict=True):
        assert layer.error == pytest.approx(float(np.abs(decoded - exact).max()), abs=1e-7)
        assert layer.error < EXPLORER_ERROR
        limit = 1e-9 if layer.codec == "sqrt8" else tokens / 65535
        assert np.abs(decoded.sum(axis=-1) - 1).max() < limit
    if causal:
        assert not np.triu(found, 1).any()


@settings(max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 20), st.integers(1, 20)),
    seed=st.integers(0, 2**32 - 1),
    sharpness=st.floats(0, 40),
)
def test_cross_attention_keeps_its_queries_and_keys_apart(
    shape: tuple[int, int, int, int], seed: int, sharpness: float
) -> None:
    weights = softmax_rows(seed, shape, sharpness, causal=False)
    grid = encode_grid(weights, False)
    found = decoded_layers(grid, shape, False)
    error = max(layer.error for layer in grid)
    assert error == pytest.approx(float(np.abs(found - weights).max()), abs=1e-7)
    assert error < EXPLORER_ERROR
    for head, encoded in enumerate(encode_heads(weights[0], False)):
        alone = decode_grid(encoded, (1, 1, *shape[2:]), False)[0, 0]
        assert float(np.abs(alone - weights[0, head]).max()) < HEAD_ERROR


@pytest.mark.parametrize("causal", [False, True])
def test_the_grid_takes_two_bytes_where_one_is_not_enough(
    monkeypatch: pytest.MonkeyPatch, causal: bool
) -> None:
    weights = softmax_rows(2, (3, 7, 7), 2, causal=causal)
    one = encode_layer(weights, causal)
    monkeypatch.setattr(encode, "EXPLORER_ERROR", one.error)
    two = encode_layer(weights, causal)
    assert (one.codec, two.codec) == ("sqrt8", "linear16")
    found = decode_grid(two, (1, 3, 7, 7), causal)[0]
    assert two.error == pytest.approx(float(np.abs(found - weights).max()), abs=1e-7)
    assert two.error < one.error / 50


def test_small_weights_are_right_within_three_percent_at_148_tokens() -> None:
    weights = softmax_rows(5, (6, 12, 148, 148), 2.5, causal=False)
    found = decoded_layers(encode_grid(weights, False), weights.shape, False)
    small = weights > 0.001
    assert small.mean() > 0.3
    assert np.median(np.abs(found[small] - weights[small]) / weights[small]) < 0.03


@pytest.mark.parametrize("tokens", [3, 50])
@pytest.mark.parametrize("causal", [False, True])
def test_the_layout_is_the_one_that_the_scripts_read(causal: bool, tokens: int) -> None:
    weights = softmax_rows(1, (2, tokens, tokens), 1, causal=causal)
    cells = [(q, k) for q in range(tokens) for k in range(tokens) if k <= q or not causal]
    for head, encoded in enumerate(encode_heads(weights, causal)):
        data = bytes_of(encoded)
        assert encoded.deflated == (len(data) > 2048)
        high, low = data[: len(cells)], data[len(cells) :]
        found = [h * 256 + low[index] for index, h in enumerate(high)]
        assert found == [round(float(weights[head, q, k]) * 65535) for q, k in cells]
    grid = encode_layer(weights, causal)
    data = bytes_of(grid)
    once = [round(float(weights[head, q, k]) ** 0.5 * 255) for head in range(2) for q, k in cells]
    assert grid.codec == "sqrt8"
    strongest = [weights[head, q, k] == weights[head, q].max() for head in range(2) for q, k in cells]
    off = [abs(byte - root) for byte, root in zip(data, once, strict=True)]
    assert not any(steps for steps, top in zip(off, strongest, strict=True) if not top)
    assert max(off) <= 1


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 150), st.floats(0, 8))
def test_the_strongest_weight_of_a_row_is_nearest_to_the_truth(seed: int, tokens: int, sharp: float) -> None:
    weights = softmax_rows(seed, (2, tokens, tokens), sharp, causal=False)
    found = decode_grid(encode_layer(weights, False), (1, 2, tokens, tokens), False)[0]
    roots = np.rint(np.sqrt(weights) * 255.0).astype(np.int64)
    plain = roots**2 / (roots**2).sum(axis=-1, keepdims=True)
    top = weights.argmax(axis=-1)[..., None]
    exact = np.take_along_axis(weights, top, -1)
    ours = np.abs(np.take_along_axis(found, top, -1) - exact)
    assert (ours <= np.abs(np.take_along_axis(plain, top, -1) - exact) + 1e-7).all()


@given(st.integers(1, 30))
def test_visible_cells_are_the_lower_triangle(tokens: int) -> None:
    cells = visible_cells(tokens)
    assert [divmod(int(cell), tokens) for cell in cells] == [
        (q, k) for q in range(tokens) for k in range(q + 1)
    ]


def test_the_same_weights_give_the_same_text() -> None:
    weights = softmax_rows(3, (2, 9, 9), 2, causal=True)
    assert list(encode_heads(weights, True)) == list(encode_heads(weights.copy(), True))
    assert encode_layer(weights, True) == encode_layer(weights.copy(), True)


def test_reading_does_not_need_writable_weights() -> None:
    weights = softmax_rows(3, (2, 9, 9), 2, causal=False)
    weights.flags.writeable = False
    assert len(list(encode_heads(weights, False))) == 2
    assert encode_layer(weights, False).error < EXPLORER_ERROR


def test_what_the_explorer_shows_is_within_what_is_promised_of_captures_in_half_precision() -> None:
    """Both errors at once: that of float16, at most half a step below 1, and that of eight bits."""
    half_step = float(np.spacing(np.float16(0.75))) / 2
    assert EXPLORER_ERROR + half_step < 0.004


@settings(max_examples=30)
@given(limit=st.sampled_from([EXPLORER_ERROR, 0.0]), **CASES)
def test_one_head_is_cut_out_of_its_layer(
    seed: int, tokens: int, heads: int, sharpness: float, causal: bool, limit: float
) -> None:
    weights = softmax_rows(seed, (heads, tokens, tokens), sharpness, causal=causal)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "EXPLORER_ERROR", limit)
        layer = encode_layer(weights, causal)
    assert layer.codec == ("sqrt8" if limit else "linear16")
    whole = decode_grid(layer, (1, heads, tokens, tokens), causal)[0]
    for head in range(heads):
        own = head_of_layer(layer, head, heads)
        assert (own.codec, own.error) == (layer.codec, layer.error)
        assert np.array_equal(decoded_head(own, tokens, causal=causal), whole[head])


def test_small_pictures_hold_the_root_of_each_weight() -> None:
    weights = np.array([[0.0, 0.0001, 0.25], [1.0, 0.5, 0.04]], np.float32)
    pooled = encode_pooled(weights)
    assert list(bytes_of(pooled)) == [0, 3, 128, 255, 180, 51]
    shown = (np.frombuffer(bytes_of(pooled), np.uint8).reshape(2, 3) / 255) ** 2
    assert pooled.error == pytest.approx(float(np.abs(shown - weights).max()), abs=1e-7)
    assert pooled.error < 0.004
