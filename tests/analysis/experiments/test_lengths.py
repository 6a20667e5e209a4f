"""What length does, on attention whose answer is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import hand_made, layout_for
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis.codec import pack, unpack_fields
from attention_gallery.analysis.experiments.prefix_sweep import (
    MEASURES,
    PREFIX_READING,
    LengthReading,
    read_length,
)
from attention_gallery.analysis.measures.attention_layout import Layout
from attention_gallery.errors import DamagedEntry

WINDOW = 2


def measured(reading: LengthReading) -> dict[str, np.ndarray]:
    """float32[layer, head] by name."""
    return dict(zip(MEASURES, reading.values, strict=True))


def even(layout: Layout) -> np.ndarray:
    return layout.uniform()[None, None]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("count", [2, 5, 16, 33])
def test_even_attention_reads_as_even(stored, count: int, causal: bool) -> None:
    made = stored(even(layout_for(count, causal=causal)), causal=causal)
    reading = read_length(made, WINDOW)
    np.testing.assert_allclose(reading.values[:, 0, 0], reading.even, rtol=1e-5)
    assert reading.tokens == count
    assert measured(reading)["entropy"][0, 0] == pytest.approx(1, abs=1e-5)


def test_even_attention_of_an_encoder_by_hand(stored) -> None:
    values = measured(read_length(stored(even(layout_for(16))), WINDOW))
    near = [sum(abs(i - j) <= WINDOW for j in range(16)) for i in range(16)]
    assert values["bits"][0, 0] == pytest.approx(4)
    assert values["local"][0, 0] == pytest.approx(np.mean(near) / 16)
    assert values["first"][0, 0] == values["sink"][0, 0] == pytest.approx(1 / 16)


def test_only_the_second_half_of_a_causal_text_counts(stored) -> None:
    # The first half looks at itself, the second at the first token.
    weights = np.eye(8)
    weights[4:] = 0
    weights[4:, 0] = 1
    reading = read_length(stored(weights[None, None], causal=True), WINDOW)
    values = measured(reading)
    assert reading.asked == 5  # tokens 3 to 7 see four keys or more
    assert values["first"][0, 0] == pytest.approx(4 / 5)
    assert values["bits"][0, 0] == 0
    assert reading.even[MEASURES.index("bits")] == pytest.approx(np.mean(np.log2([4, 5, 6, 7, 8])))


def test_a_sink_that_is_not_first_is_found(stored) -> None:
    weights = np.zeros((1, 2, 6, 6))
    weights[0, :, :, 3] = 1
    weights[0, 1, :, 3] = 0
    weights[0, 1] += np.eye(6)
    values = measured(read_length(stored(weights), WINDOW))
    assert values["sink"].tolist() == [[1, 0]]  # a look at itself draws nobody else
    assert values["first"].tolist() == [[0, 0]]


def test_a_single_token_has_no_length_to_speak_of(stored) -> None:
    reading = read_length(stored(np.ones((1, 1, 1, 1))), WINDOW)
    assert np.isnan(reading.values).all()
    assert np.isnan(reading.even).all()


@given(st.integers(2, 24), st.booleans(), st.integers(0, 2**32 - 1))
def test_shares_are_shares_and_entropy_is_at_most_that_of_even_attention(
    count: int, causal: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    weights = random.random((2, 3, count, count)) ** 3
    if causal:
        weights *= np.tri(count)
    weights /= weights.sum(axis=-1, keepdims=True)
    reading = read_length(hand_made(weights, causal=causal), WINDOW)
    values = measured(reading)
    for name in ("entropy", "local", "first", "sink"):
        assert (values[name] >= 0).all()
        assert (values[name] <= 1 + 1e-5).all()
    assert (values["bits"] <= reading.even[0] + 1e-4).all()
    assert (values["sink"] >= values["first"] - 1e-6).all()


def test_a_cached_reading_comes_back_and_damage_is_noticed(stored) -> None:
    reading = read_length(stored(even(layout_for(5))), WINDOW)
    data = PREFIX_READING.dump(reading)
    again = PREFIX_READING.load(data, None)
    assert (again.tokens, again.left_out, again.asked) == (5, 0, 5)
    np.testing.assert_array_equal(again.values, reading.values)
    np.testing.assert_array_equal(again.even, reading.even)
    assert PREFIX_READING.dump(again) == data
    for broken in (data[:-1], data[:-1] + b"?", b"", b"x" + data):
        with pytest.raises(DamagedEntry):
            PREFIX_READING.load(broken, None)


def test_a_reading_that_lacks_a_fact_is_damaged() -> None:
    empty = np.zeros(0, np.float32)
    data = pack(b"magic\n", {"tokens": 5}, {"values": empty, "even": empty})
    with pytest.raises(DamagedEntry, match="left_out"):
        unpack_fields(b"magic\n", LengthReading, data)
