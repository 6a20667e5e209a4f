"""What a capture answers: heads, words, top keys, figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_gallery.analysis import to_words, word_groups, words_of
from attention_gallery.errors import UserError
from attention_gallery.library import Attention
from attention_gallery.records import AttentionLayer, Float32, ModelFacts, Provenance, Tokens
from attention_gallery.store.memory_capture import MemoryCapture
from sample_environment import sample_environment

TEXT = "the catfish slept"
FACTS = ModelFacts("Bert", "bert", 2, 2, 2, False, 8, 4, 10, 10, "safetensors")
ORIGIN = Provenance("w", "t", "./m", None, sample_environment(), 0.0)


def make_tokens(words: bool = True) -> Tokens:
    return Tokens(
        ids=np.arange(6),
        texts=("[CLS]", "the", "cat", "fish", "slept", "[SEP]"),
        special=np.array([True, False, False, False, False, True]),
        continues=np.array([False, False, False, True, False, False]),
        offsets=np.array([(0, 0), (0, 3), (4, 7), (7, 11), (12, 17), (17, 17)], np.int32),
        words=np.array([-1, 0, 1, 1, 2, -1], np.int32) if words else None,
    )


def softmax(seed: int, *shape: int) -> Float32:
    scores = np.exp(np.random.default_rng(seed).normal(size=shape) * 3)
    return (scores / scores.sum(axis=-1, keepdims=True)).astype(np.float32)


def attention(words: bool = True, causal: bool = False) -> Attention:
    layers = []
    for index in range(2):
        weights = softmax(index, 2, 6, 6)
        if causal:
            weights = np.tril(weights)
            weights /= weights.sum(axis=-1, keepdims=True)
        layers.append(AttentionLayer(index, "decoder" if causal else "encoder", weights))
    facts = ModelFacts("Gpt", "gpt", 2, 2, 2, causal, 8, 4, 10, 10, "safetensors")
    return Attention(MemoryCapture("key", TEXT, make_tokens(words), facts, ORIGIN, tuple(layers)))


def test_tokens_layers_and_heads() -> None:
    seen = attention()
    assert seen.tokens == seen.keys == ("[CLS]", "the", "cat", "fish", "slept", "[SEP]")
    assert [weights.shape for weights in seen.layers] == [(2, 6, 6)] * 2
    np.testing.assert_array_equal(seen.head(1, 0), seen.layers[1][0])
    np.testing.assert_allclose(
        seen.average(), np.mean([w.mean(axis=0) for w in seen.layers], axis=0), atol=1e-6
    )
    assert repr(seen) == "<encoder attention of Gpt: 2 layers × 2 heads, 6 tokens>"


def test_rollout_goes_through_the_layers() -> None:
    seen = attention()
    mixed = [(weights.mean(axis=0) + np.eye(6)) / 2 for weights in seen.layers]
    np.testing.assert_allclose(seen.rollout(0), mixed[0], atol=1e-6)
    np.testing.assert_allclose(seen.rollout(), mixed[1] @ mixed[0], atol=1e-6)
    with pytest.raises(UserError, match="there is no layer 2"):
        seen.rollout(2)


def test_top_keys_go_through_the_layers() -> None:
    seen = attention()
    rows = seen.top_keys("catfish", limit=2)
    assert [(row.layer, row.query) for row in rows] == [
        (layer, query) for layer in (0, 1) for query in ("cat", "cat", "fish", "fish")
    ]
    for row in rows:
        mean = seen.layers[row.layer].mean(axis=0)[row.query_index]
        assert row.weight == pytest.approx(float(mean[row.key_index]), abs=1e-7)
        assert row.weight >= sorted(mean)[-2]
        assert row.key == seen.keys[row.key_index]
    (best,) = seen.top_keys(4, layer=1, head=1, limit=1)
    assert (best.head, best.weight) == (1, pytest.approx(float(seen.head(1, 1)[4].max())))


@pytest.mark.parametrize("causal", [False, True])
def test_sinks_are_left_out_when_asked(causal: bool) -> None:
    rows = attention(causal=causal).top_keys(4, limit=6, sinks=False)
    assert {row.key for row in rows} == {"the", "cat", "fish", "slept"}
    assert {row.key for row in attention(causal=causal).top_keys(4, limit=6)} >= {"[CLS]", "cat"}


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda seen: seen.head(2, 0), r"there is no layer 2.*layers are 0 to 1"),
        (lambda seen: seen.head(-1, 0), "there is no layer -1"),
        (lambda seen: seen.head(0, 2), r"there is no head 2.*heads are 0 to 1"),
        (lambda seen: seen.top_keys("dog"), 'there is no token "dog"'),
        (lambda seen: seen.top_keys(6), "there is no token 6"),
        (lambda seen: seen.figure(head=1), "a head is one of a layer"),
    ],
)
def test_what_is_not_there_is_told(ask, told) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=f"(?s){told}"):
        ask(attention())


def test_words_sum_columns_and_average_rows() -> None:
    words = attention().to_words()
    assert words.tokens == ("[CLS]", "the", "catfish", "slept", "[SEP]")
    exact = attention().head(0, 1)
    catfish = exact[[2, 3]].mean(axis=0)
    np.testing.assert_allclose(
        words.head(0, 1)[2],
        [catfish[0], catfish[1], catfish[2] + catfish[3], catfish[4], catfish[5]],
        atol=1e-6,
    )
    assert words.top_keys("catfish", layer=0)[0].query == "catfish"
    again = words.to_words()
    np.testing.assert_allclose(again.head(1, 1), words.head(1, 1), atol=1e-7)
    with pytest.raises(UserError, match="which tokens belong to one word"):
        attention(words=False).to_words()


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-1, 3), st.booleans()), min_size=1, max_size=12), st.integers(0, 2**32 - 1)
)
def test_words_keep_all_attention(marks: list[tuple[int, bool]], seed: int) -> None:
    words = np.array([number for number, _ in marks], np.int32)
    count = len(words)
    flags = words < 0
    tokens = Tokens(
        np.arange(count), tuple("abcdefghijkl"[:count]), flags, np.zeros(count, bool), None, words
    )
    groups = word_groups(tokens)
    assert groups is not None
    assert groups[0] == 0
    assert set(np.diff(groups)) <= {0, 1}
    merged = to_words(softmax(seed, 3, count, count), groups, groups)
    assert merged.shape == (3, groups[-1] + 1, groups[-1] + 1)
    np.testing.assert_allclose(merged.sum(axis=-1), 1, atol=1e-5)
    assert len(words_of(tokens, "")) == groups[-1] + 1


def test_a_figure_is_one_of_plotly() -> None:
    figure = attention(causal=True).figure(1, 0)
    (trace,) = figure.data
    assert trace.type == "heatmap"
    assert np.isnan(trace.z[0][1])
    assert trace.z[5][0] == pytest.approx(float(attention(causal=True).head(1, 0)[5, 0]))
    assert figure.layout.title.text == "L1H0"
    assert figure.layout.yaxis.autorange == "reversed"
    assert attention().figure(0).layout.title.text == "Layer 0, heads averaged"
    assert not np.isnan(attention().figure().data[0].z).any()


def test_words_of_cross_attention_are_those_of_either_text() -> None:
    facts = ModelFacts("T5", "t5", 1, 2, 2, False, 8, 4, 10, 10, "safetensors", cross=True)
    target = Tokens(
        ids=np.arange(3),
        texts=("<pad>", "le", "chat"),
        special=np.array([True, False, False]),
        continues=np.zeros(3, bool),
        offsets=np.array([(0, 0), (0, 2), (3, 7)], np.int32),
        words=np.array([-1, 0, 1], np.int32),
    )
    layer = AttentionLayer(0, "cross", softmax(0, 2, 3, 6))
    seen = Attention(MemoryCapture("k", "le chat", target, facts, ORIGIN, (layer,), make_tokens()))
    words = seen.to_words()
    assert words.tokens == ("<pad>", "le", "chat")
    assert words.keys == ("[CLS]", "the", "catfish", "slept", "[SEP]")
    exact = seen.head(0, 1)
    np.testing.assert_allclose(words.head(0, 1)[1, 2], exact[1, 2] + exact[1, 3], atol=1e-6)
