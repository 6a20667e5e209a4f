"""Distances between heads, and the map, groups and neighbours made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import hand_crossed, hand_made, layout_for
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis.similarity.distances import (
    compared_rows,
    load_distances,
    mean_of,
    measure_distances,
    save_distances,
    two_head_distance,
)
from attention_gallery.analysis.similarity.head_map import load_map, map_heads, save_map
from attention_gallery.errors import DamagedEntry


def softmax(shape, *, causal=False, seed=0, sharpness=3.0):
    scores = np.random.default_rng(seed).normal(size=shape) * sharpness
    if causal:
        scores = np.where(np.tril(np.ones(shape[-2:], dtype=bool)), scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def entropy(row):
    row = row[row > 0]
    return -float((row * np.log2(row)).sum())


def plainly(head, other, rows):
    apart = [entropy((head[q] + other[q]) / 2) - (entropy(head[q]) + entropy(other[q])) / 2 for q in rows]
    return np.mean(apart)


@given(st.integers(2, 6), st.booleans(), st.integers(0, 10**6), st.sampled_from([0.5, 3.0, 100.0]))
def test_distances_are_those_of_the_definition(tokens, causal, seed, sharpness):
    weights = softmax((2, 2, tokens, tokens), causal=causal, seed=seed, sharpness=sharpness)
    distance = measure_distances(hand_made(weights, causal=causal)).distance
    heads = weights.reshape(4, tokens, tokens).astype(np.float32).astype(np.float64)
    rows = range(1 if causal else 0, tokens)
    for head in range(4):
        for other in range(4):
            assert distance[head, other] == pytest.approx(plainly(heads[head], heads[other], rows), abs=1e-5)
    assert distance.min() >= 0
    assert distance.max() <= 1 + 1e-6
    np.testing.assert_array_equal(distance, distance.T)


def test_equal_heads_are_at_no_distance_and_disjoint_ones_at_one():
    looking = np.stack([np.eye(5)[[0] * 5], np.eye(5)[[0] * 5], np.eye(5)[[3] * 5]])
    assert measure_distances(hand_made(looking[None])).distance.tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_cross_attention_has_distances_too():
    weights = softmax((1, 2, 3, 7))
    expected = plainly(weights[0, 0], weights[0, 1], range(3))
    assert measure_distances(hand_crossed(weights)).distance[0, 1] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_a_single_token_tells_nothing(causal):
    alone = measure_distances(hand_made(np.ones((1, 2, 1, 1)), causal=causal))
    assert np.isnan(alone.distance).all()
    assert mean_of([alone]) is None
    some = measure_distances(hand_made(softmax((1, 2, 4, 4))))
    mean = mean_of([alone, some, alone])
    assert mean.sentences == 1
    np.testing.assert_array_equal(mean.distance, some.distance)


def test_sentences_count_the_same_whatever_their_length():
    short, long = (measure_distances(hand_made(softmax((1, 3, n, n), seed=n))) for n in (3, 30))
    expected = (short.distance.astype(float) + long.distance) / 2
    np.testing.assert_allclose(mean_of([short, long]).distance, expected)


def test_long_sentences_are_compared_on_rows_at_even_distances():
    assert compared_rows(layout_for(40), 12).tolist() == list(range(40))
    some = compared_rows(layout_for(400), 300)
    assert len(some) == 4
    assert some.tolist() == [0, 133, 266, 399]
    causal = compared_rows(layout_for(400, causal=True), 300)
    assert causal[0] == 1
    assert causal[-1] == 399
    assert len(causal) > 4 or len(causal) == 4


@pytest.mark.parametrize("causal", [False, True])
def test_the_distance_of_a_single_pair_is_over_all_rows(causal):
    weights = softmax((18, 16, 200, 200), causal=causal)
    attention = hand_made(weights, causal=causal)
    assert measure_distances(attention).rows < 100
    heads = weights.reshape(-1, 200, 200).astype(np.float32).astype(np.float64)
    for head, other in ((0, 1), (5, 250), (287, 40)):
        distance = two_head_distance(attention, divmod(head, 16), divmod(other, 16))
        expected = plainly(heads[head], heads[other], range(1 if causal else 0, 200))
        assert distance == pytest.approx(expected, rel=1e-9)


def test_an_estimated_distance_knows_its_error():
    attention = hand_made(softmax((12, 12, 256, 256), causal=True), causal=True)
    distances = measure_distances(attention)
    assert 4 < distances.rows < distances.choosing == 255
    random = np.random.default_rng(0)
    pairs = random.integers(0, 144, (200, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    exact = np.array([two_head_distance(attention, divmod(a, 12), divmod(b, 12)) for a, b in pairs.tolist()])
    head, other = pairs.T
    off = np.abs(distances.distance[head, other] - exact) / distances.error[head, other]
    # Beyond two standard errors lie about 5 % of a normal distribution; errors are estimated themselves.
    assert (off > 2).mean() < 0.2
    assert np.median(off) > 0.1, "an error far too large would tell nothing"
    np.testing.assert_array_equal(distances.error, distances.error.T)
    assert 0 < distances.typical_error < distances.error.max()


def test_a_mean_over_sentences_knows_which_were_estimated():
    short, long = (measure_distances(hand_made(softmax((12, 12, n, n), seed=n))) for n in (8, 400))
    assert short.error is None
    mean = mean_of([short, long, short])
    assert (mean.sentences, mean.estimated) == (3, 1)
    np.testing.assert_allclose(mean.error, long.error / 3)
    np.testing.assert_allclose(mean.distance, (2 * short.distance.astype(float) + long.distance) / 3)
    nearest = map_heads(mean.distance, mean)
    assert (nearest.sentences, nearest.estimated) == (3, 1)
    assert (nearest.nearest_error > 0).all()
    assert nearest.typical_error == pytest.approx(long.typical_error / 3)


def test_heads_that_are_nearly_alike_are_as_far_apart_as_they_are():
    even = np.full((1, 3, 40, 40), 1 / 40)
    even[0, 1, :, ::2] += 1e-4
    even[0, 1, :, 1::2] -= 1e-4
    weights = even.astype(np.float32).astype(np.float64)
    expected = plainly(weights[0, 0], weights[0, 1], range(40))
    assert 0 < expected < 1e-5
    assert measure_distances(hand_made(even)).distance[0, 1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("layers", "heads"), [(12, 12), (24, 16), (32, 32)])
@pytest.mark.parametrize("sharpness", [1e-4, 3e-3, 1e-2])
@pytest.mark.parametrize("causal", [False, True])
def test_heads_of_a_random_baseline_have_a_map_or_are_all_alike(layers, heads, sharpness, causal):
    weights = softmax((layers, heads, 7, 7), causal=causal, sharpness=sharpness)
    distance = mean_of([measure_distances(hand_made(weights.astype(np.float16), causal=causal))]).distance
    head_map = map_heads(distance)
    assert (head_map is None) == (distance.max() < 1e-6)
    if head_map is not None:
        assert np.isfinite(head_map.positions).all()
        assert len(head_map.groups) == layers * heads
        assert 0 < head_map.explained <= 1


def planted(copies=6, groups=4, noise=0.02):
    """Heads of four kinds that look at four different places, each copy a little off: divergences."""
    random = np.random.default_rng(3)
    heads = []
    for group in range(groups):
        for _ in range(copies):
            row = np.full(8, 0.02) + random.random(8) * noise
            row[2 * group] += 1
            heads.append(np.tile(row / row.sum(), (8, 1)))
    order = random.permutation(len(heads))
    distances = measure_distances(hand_made(np.stack(heads)[order].reshape(2, -1, 8, 8)))
    return mean_of([distances]).distance, np.repeat(np.arange(groups), copies)[order]


def test_groups_are_those_that_were_planted_numbered_by_their_first_head():
    distance, own = planted()
    head_map = map_heads(distance)
    renumbered = {group: number for number, group in enumerate(dict.fromkeys(own.tolist()))}
    assert head_map.groups.tolist() == [renumbered[group] for group in own.tolist()]
    for head, others in enumerate(head_map.nearest.tolist()):
        assert head not in others
        assert {own[other] for other in others} == {own[head]}
    assert (np.diff(head_map.nearest_distance, axis=1) >= 0).all()
    assert head_map.typical == pytest.approx(distance[np.triu_indices(len(distance), 1)].mean())


def test_the_map_keeps_distances_as_far_as_two_directions_can():
    distance, _ = planted()
    head_map = map_heads(distance)
    apart = np.linalg.norm(head_map.positions[:, None] - head_map.positions, axis=2)
    assert (apart <= np.sqrt(distance) + 1e-5).all()
    assert 0 < head_map.explained < 1
    three = map_heads(distance[:3, :3])
    apart = np.linalg.norm(three.positions[:, None] - three.positions, axis=2)
    np.testing.assert_allclose(apart, np.sqrt(distance[:3, :3]), atol=1e-5)  # three points lie in a plane
    assert three.explained == pytest.approx(1)


def test_a_map_is_the_same_each_time():
    distance, _ = planted()
    assert save_map(map_heads(distance)) == save_map(map_heads(distance.copy()))


def test_few_or_equal_heads_have_no_map():
    distance, _ = planted()
    assert map_heads(distance[:2, :2]) is None
    assert map_heads(np.zeros((5, 5))) is None


def test_two_equal_heads_among_others_are_placed():
    distance, _ = planted()
    twice = distance[np.ix_([0, 0, 1, 7], [0, 0, 1, 7])]
    head_map = map_heads(twice)
    np.testing.assert_allclose(head_map.positions[0], head_map.positions[1], atol=1e-6)
    assert head_map.nearest[0, 0] == 1


def test_maps_and_distances_survive_being_kept():
    distance, _ = planted()
    head_map = map_heads(distance)
    loaded = load_map(save_map(head_map))
    for name in ("positions", "groups", "nearest", "nearest_distance"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(head_map, name))
    assert (loaded.explained, loaded.typical) == (head_map.explained, head_map.typical)
    assert load_map(save_map(None)) is None
    for tokens in (6, 300):
        exact = measure_distances(hand_made(softmax((12, 12, tokens, tokens))))
        loaded = load_distances(save_distances(exact))
        np.testing.assert_array_equal(loaded.distance, exact.distance)
        np.testing.assert_array_equal(loaded.error, exact.error)
        assert (loaded.typical_error, loaded.rows, loaded.choosing) == (
            exact.typical_error,
            exact.rows,
            exact.choosing,
        )


@pytest.mark.parametrize("load", [load_map, load_distances])
def test_anything_else_is_damage(load):
    distance, _ = planted()
    some = measure_distances(hand_made(softmax((2, 2, 4, 4))))
    good = save_map(map_heads(distance)) if load is load_map else save_distances(some)
    changed = bytearray(good)
    changed[-1] ^= 1
    for data in (b"", good[:-1], bytes(changed), save_map(None)[:40]):
        with pytest.raises(DamagedEntry):
            load(data)
