# ruff: noqa: PT012 - the writer is a context manager: what must fail is its body and its exit
"""The store keeps captures whole or not at all, and notices when one changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from attention_gallery.errors import DamagedEntry, OutputError
from attention_gallery.records import (
    AttentionLayer,
    ModelFacts,
    NumericEnvironment,
    Precision,
    Predictions,
    Provenance,
    SideOutputs,
    TextInput,
    Tokens,
)
from attention_gallery.store import AttentionStore, SideOutputShape, capture_key
from attention_gallery.store.halves import widened
from attention_gallery.store.memory_capture import MemoryCapture

KEY = "ab" + "0" * 62
FACTS = ModelFacts("BertModel", "bert", 3, 2, 2, False, 512, 32, 100, 1000, "safetensors")
ENVIRONMENT = NumericEnvironment("2.13.0", "5.23.0", "cpu", "float32", "interface", "equal lengths", 4)
PROVENANCE = Provenance("w" * 64, "t" * 64, "", None, ENVIRONMENT, 1e-7)


def make_tokens(count: int, *, offsets: bool = True, splits: bool = True) -> Tokens:
    return Tokens(
        ids=np.arange(count, dtype=np.int64) + 7,
        texts=tuple(f"t{n}🙂" for n in range(count)),
        special=np.arange(count) == 0,
        continues=np.zeros(count, bool) if offsets else np.arange(count) % 2 == 1,
        offsets=np.arange(2 * count, dtype=np.int32).reshape(count, 2) if offsets else None,
        splits=np.arange(count) % 3 == 0 if splits else None,
        unread=((1, 3), (5, 6)) if splits else (),
    )


def make_layers(facts: ModelFacts, count: int) -> list[AttentionLayer]:
    noise = np.random.default_rng(3).random((facts.layers, facts.heads, count, count), dtype=np.float32)
    return [AttentionLayer(n, "encoder", layer) for n, layer in enumerate(noise)]


def fill(
    store: AttentionStore, key: str = KEY, facts: ModelFacts = FACTS, count: int = 5
) -> list[AttentionLayer]:
    layers = make_layers(facts, count)
    with store.writer(key, "a text", make_tokens(count), facts) as out:
        for layer in layers:
            out.write(layer)
        out.finish(PROVENANCE)
    return layers


def data_file(store: AttentionStore, key: str = KEY) -> Path:
    return store.folder / key[:2] / f"{key}.safetensors"


def sidecar_file(store: AttentionStore, key: str = KEY) -> Path:
    return store.folder / key[:2] / f"{key}.json"


def all_files(store: AttentionStore) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path) -> AttentionStore:
    return AttentionStore(tmp_path / "store")


@settings(max_examples=25)
@given(
    layers=st.integers(1, 4),
    heads=st.integers(1, 3),
    count=st.integers(1, 9),
    offsets=st.booleans(),
    splits=st.booleans(),
)
def test_round_trip_for_any_shape(
    tmp_path_factory: pytest.TempPathFactory, layers: int, heads: int, count: int, offsets: bool, splits: bool
) -> None:
    store = AttentionStore(tmp_path_factory.mktemp("store"))
    facts = replace(FACTS, layers=layers, heads=heads)
    tokens = make_tokens(count, offsets=offsets, splits=splits)
    written = make_layers(facts, count)
    with store.writer(KEY, "text\n🙂", tokens, facts) as out:
        for layer in written:
            out.write(layer)
        out.finish(PROVENANCE)
    store.verify(KEY)
    entry = store.open(KEY)
    assert (entry.key, entry.text, entry.facts, entry.provenance) == (KEY, "text\n🙂", facts, PROVENANCE)
    assert (entry.tokens.texts, entry.tokens.unread) == (tokens.texts, tokens.unread)
    tokens = tokens.worded("text\n🙂")
    for name in ("ids", "special", "continues", "offsets", "words", "splits"):
        kept, given_array = getattr(entry.tokens, name), getattr(tokens, name)
        assert (kept is None) == (given_array is None)
        if kept is not None:
            assert kept.dtype == given_array.dtype
            np.testing.assert_array_equal(kept, given_array)
    for layer in written:
        np.testing.assert_array_equal(entry.layer(layer.index).weights, layer.weights)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.booleans())
@settings(max_examples=20)
def test_cross_attention_and_half_precision(
    tmp_path_factory: pytest.TempPathFactory, seed: int, queries: int, keys: int, half: bool
) -> None:
    store = AttentionStore(tmp_path_factory.mktemp("store"))
    facts = replace(FACTS, cross=True, windows=(None, 4, None), skipped=(2,))
    looking = replace(make_tokens(queries), segments=np.zeros(queries, np.int32), segment_names=("first",))
    looked_at = replace(make_tokens(keys), left_out=3)
    random = np.random.default_rng(seed).random((3, 2, queries, keys), dtype=np.float32)
    precision: Precision = "float16" if half else "float32"
    with store.writer(KEY, "x", looking, facts, looked_at, precision, key_text="a b, c") as out:
        for number, weights in enumerate(random):
            out.write(AttentionLayer(number, "cross", weights))
        out.finish(PROVENANCE)
    store.verify(KEY)
    entry = store.open(KEY)
    assert entry.facts == facts
    assert (entry.tokens.segment_names, entry.keys.left_out) == (("first",), 3)
    assert (entry.text, entry.key_text) == ("x", "a b, c")
    np.testing.assert_array_equal(entry.keys.words, looked_at.worded("a b, c").words)
    np.testing.assert_array_equal(entry.tokens.segments, looking.segments)
    np.testing.assert_array_equal(entry.keys.ids, looked_at.ids)
    kept = np.stack([entry.layer(number).weights for number in range(3)])
    assert kept.dtype == np.float32
    assert {entry.layer(0).kind, entry.provenance.precision} == {"cross", precision}
    assert entry.provenance.storage_error == pytest.approx(float(np.abs(kept - random).max()), abs=1e-9)
    assert entry.provenance.storage_error <= (2**-12 if half else 0)


def test_queries_are_their_own_keys(store: AttentionStore) -> None:
    fill(store)
    entry = store.open(KEY)
    assert entry.keys is entry.tokens


def test_the_file_is_valid_safetensors(store: AttentionStore) -> None:
    layers = fill(store)
    with safe_open(data_file(store), "np") as opened:
        assert {"layer.000", "layer.001", "layer.002", "tokens.ids"} <= set(opened.keys())
        np.testing.assert_array_equal(opened.get_tensor("layer.001"), layers[1].weights)
        np.testing.assert_array_equal(opened.get_tensor("tokens.special"), make_tokens(5).special)


def test_kind_follows_causality(store: AttentionStore) -> None:
    fill(store, facts=replace(FACTS, causal=True))
    assert store.open(KEY).layer(0).kind == "decoder"


def test_same_capture_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = AttentionStore(tmp_path / "1"), AttentionStore(tmp_path / "2")
    fill(one)
    fill(two)
    assert data_file(one).read_bytes() == data_file(two).read_bytes()
    assert sidecar_file(one).read_bytes() == sidecar_file(two).read_bytes()


def test_missing_layers_and_shapes_are_refused(store: AttentionStore) -> None:
    layers = make_layers(FACTS, 5)
    with (
        pytest.raises(ValueError, match="2 layers were written, 3 are due"),
        store.writer(KEY, "x", make_tokens(5), FACTS) as out,
    ):
        out.write(layers[0])
        out.write(layers[1])
        out.finish(PROVENANCE)
    with (
        pytest.raises(ValueError, match="layer 1 came where layer 0 of 3 was due"),
        store.writer(KEY, "x", make_tokens(5), FACTS) as out,
    ):
        out.write(layers[1])
    with pytest.raises(ValueError, match="shape"), store.writer(KEY, "x", make_tokens(4), FACTS) as out:
        out.write(layers[0])
    with (
        pytest.raises(ValueError, match="not finished"),
        store.writer(KEY, "x", make_tokens(5), FACTS) as out,
    ):
        out.write(layers[0])
    assert all_files(store) == []


def test_more_layers_than_due_are_refused(store: AttentionStore) -> None:
    layers = make_layers(replace(FACTS, layers=4), 5)
    with pytest.raises(ValueError, match="layer 3"), store.writer(KEY, "x", make_tokens(5), FACTS) as out:
        for layer in layers:
            out.write(layer)
    assert not store.has(KEY)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_older_entry_whole(store: AttentionStore, error: type[BaseException]) -> None:
    fill(store)
    before = sorted((path, path.read_bytes()) for path in all_files(store))
    with pytest.raises(error), store.writer(KEY, "x", make_tokens(5), FACTS) as out:
        out.write(make_layers(FACTS, 5)[0])
        raise error
    assert sorted((path, path.read_bytes()) for path in all_files(store)) == before


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(store: AttentionStore) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, before[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written") as caught:
            fill(store, count=40)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.exit_code == 1
    assert all_files(store) == []


def test_an_error_of_whoever_computes_is_not_the_stores(store: AttentionStore) -> None:
    error = FileNotFoundError(2, "No such file", "table.bin")
    with pytest.raises(FileNotFoundError) as caught, store.writer(KEY, "x", make_tokens(5), FACTS) as out:
        out.write(make_layers(FACTS, 5)[0])
        raise error
    assert caught.value is error
    assert all_files(store) == []


def test_a_store_that_cannot_exist_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        fill(AttentionStore(tmp_path / "file"))


def test_every_flipped_byte_is_noticed(store: AttentionStore) -> None:
    fill(store, count=2)
    path = data_file(store)
    whole = path.read_bytes()
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedEntry):
            store.verify(KEY)
    path.write_bytes(whole)
    store.verify(KEY)


def test_reading_a_flipped_layer_is_noticed_without_verify(store: AttentionStore) -> None:
    layers = fill(store)
    path = data_file(store)
    data = bytearray(path.read_bytes())
    place = data.index(layers[1].weights.tobytes())
    data[place] ^= 1
    path.write_bytes(data)
    entry = store.open(KEY)
    np.testing.assert_array_equal(entry.layer(0).weights, layers[0].weights)
    with pytest.raises(DamagedEntry, match="layer 1 does not match its checksum"):
        entry.layer(1)


def test_a_large_layer_is_summed_up_as_a_small_one_is(store: AttentionStore) -> None:
    layers = fill(store, count=400)  # more than a megabyte each
    for index, layer in enumerate(layers):
        np.testing.assert_array_equal(store.open(KEY).layer(index).weights, layer.weights)
    path = data_file(store)
    data = bytearray(path.read_bytes())
    data[data.index(layers[2].weights[-1, -1].tobytes())] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedEntry, match="layer 2 does not match its checksum"):
        store.verify(KEY)


@pytest.mark.parametrize("heads", [1, 2, 3, 5])
def test_layers_are_read_in_parts(store: AttentionStore, heads: int) -> None:
    facts = replace(FACTS, heads=5)
    layers = fill(store, facts=facts)
    entry = store.open(KEY)
    for index, layer in enumerate(layers):
        parts = [part.copy() for part in entry.parts(index, index + 1, heads)]
        assert [part.shape[:2] for part in parts[:-1]] == [(1, heads)] * (len(parts) - 1)
        np.testing.assert_array_equal(np.concatenate(parts, axis=1)[0], layer.weights)
    (whole,) = entry.parts(0, 3, heads)
    np.testing.assert_array_equal(whole, np.stack([layer.weights for layer in layers]))
    memory = MemoryCapture(KEY, "", make_tokens(5), facts, PROVENANCE, tuple(layers))
    for first, end in ((1, 2), (0, 3)):
        given, kept = (list(map(np.copy, one.parts(first, end, heads))) for one in (entry, memory))
        assert all(map(np.array_equal, given, kept))
        assert len(given) == len(kept)


def test_damage_shows_before_the_last_part_is_given(store: AttentionStore) -> None:
    layers = fill(store, facts=replace(FACTS, heads=3))
    path = data_file(store)
    data = bytearray(path.read_bytes())
    data[data.index(layers[1].weights.tobytes())] ^= 1  # in the first head
    path.write_bytes(data)
    parts = store.open(KEY).parts(1, 2, 1)
    assert [next(parts).shape[1] for _ in range(2)] == [1, 1]
    with pytest.raises(DamagedEntry, match="layer 1 does not match its checksum"):
        next(parts)
    with pytest.raises(DamagedEntry, match="layer 1 does not match its checksum"):
        next(store.open(KEY).parts(0, 3, 1))


def test_truncated_data_is_damaged(store: AttentionStore) -> None:
    fill(store)
    path = data_file(store)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedEntry, match="bytes instead of"):
        store.open(KEY)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"schema":1}', b'{"schema":1,"key":3}']
)
def test_a_broken_description_is_damaged(store: AttentionStore, content: bytes) -> None:
    fill(store)
    sidecar_file(store).write_bytes(content)
    with pytest.raises(DamagedEntry, match=KEY[:12]):
        store.open(KEY)
    store.remove(KEY)
    assert all_files(store) == []


def test_every_flipped_byte_of_the_description_is_noticed(store: AttentionStore) -> None:
    fill(store)
    whole = sidecar_file(store).read_bytes()
    for place in range(0, len(whole) - 1, 7):
        sidecar_file(store).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedEntry):
            store.open(KEY)


def test_flipped_tokens_are_noticed_on_opening(store: AttentionStore) -> None:
    fill(store)
    data = bytearray(data_file(store).read_bytes())
    data[-1] ^= 1
    data_file(store).write_bytes(data)
    with pytest.raises(DamagedEntry, match="tokens"):
        store.open(KEY)


def test_a_newer_schema_is_told(store: AttentionStore) -> None:
    fill(store)
    value = json.loads(sidecar_file(store).read_text())
    sidecar_file(store).write_text(json.dumps({**value, "schema": 99}))
    with pytest.raises(DamagedEntry, match="a newer version"):
        store.open(KEY)


def test_an_entry_moved_to_another_key_is_damaged(store: AttentionStore) -> None:
    fill(store)
    other = "ab" + "1" * 62
    data_file(store).rename(data_file(store, other))
    sidecar_file(store).rename(sidecar_file(store, other))
    with pytest.raises(DamagedEntry, match="describes another capture"):
        store.open(other)


def test_half_an_entry_does_not_exist_and_is_swept(store: AttentionStore) -> None:
    fill(store)
    sidecar_file(store).unlink()
    assert not store.has(KEY)
    assert store.keys() == ()
    with pytest.raises(KeyError):
        store.open(KEY)
    assert store.sweep() == 1
    assert all_files(store) == []


def test_no_layer_beyond_the_last(store: AttentionStore) -> None:
    fill(store)
    for index in (-1, 3):
        with pytest.raises(IndexError):
            store.open(KEY).layer(index)


def test_prune_keeps_what_is_wanted(store: AttentionStore) -> None:
    other = "cd" + "0" * 62
    fill(store)
    fill(store, other)
    stranger = store.folder / "ab" / "notes.txt"
    stranger.write_text("mine")
    size = data_file(store, other).stat().st_size + sidecar_file(store, other).stat().st_size
    assert store.keys() == (KEY, other)
    assert store.prune({KEY}) == size
    assert store.keys() == (KEY,)
    assert store.prune(set()) > 0
    assert all_files(store) == [stranger]
    assert store.prune(set()) == 0


def test_keys_are_checked(store: AttentionStore) -> None:
    with pytest.raises(ValueError, match="not a capture key"):
        store.has("../../etc/passwd")


def test_a_killed_writer_leaves_no_entry(store: AttentionStore) -> None:
    program = f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_store import *
        store = AttentionStore(Path({str(store.folder)!r}))
        fill(store, "cd" + "0" * 62)
        with store.writer(KEY, "x", make_tokens(5), FACTS) as out:
            for layer in make_layers(FACTS, 5):
                out.write(layer)
            out.finish(PROVENANCE)
            print("written", flush=True)
            time.sleep(60)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"written\n"
        os.kill(child.pid, signal.SIGKILL)
    assert store.keys() == ("cd" + "0" * 62,)
    store.verify("cd" + "0" * 62)
    assert store.sweep() == 1
    assert len(all_files(store)) == 2


BASE = {
    "weights": "w",
    "tokenizer": "t",
    "given": TextInput("x"),
    "dtype": "float32",
    "precision": "float32",
}


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "v"},
        {"tokenizer": "u"},
        {"given": TextInput("x ")},
        {"given": TextInput("x", pair="y")},
        {"given": TextInput("x", chat=(("user", "x"),))},
        {"given": TextInput("x", target="y")},
        {"given": TextInput("x", generate=1)},
        {"given": TextInput("x", truncate=True)},
        {"given": TextInput("x", chat_options=(("enable_thinking", False),))},
        {"dtype": "float16"},
        {"precision": "float16"},
        {"kind": "cross"},
        {"predictions": 5},
    ],
)
def test_the_key_depends_on_all_that_changes_the_numbers(change: dict[str, object]) -> None:
    assert capture_key(**{**BASE, **change}) != capture_key(**BASE)  # type: ignore[arg-type]


def test_the_key_never_drifts() -> None:
    assert capture_key(**BASE) == capture_key(**BASE, kind="self")
    assert capture_key(**BASE) == "6f37e02289d854b181221d1a6d6f969bee6b9c4f38582040775c7060ddeb94cc"


def test_every_half_is_read_exactly() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    positive = halves[:0x7C00]
    for some in (positive, halves[:0], halves[halves <= 1], positive.reshape(2, -1)):
        np.testing.assert_array_equal(widened(some), some.astype(np.float32))
    np.testing.assert_array_equal(widened(halves), halves.astype(np.float32))
    single = positive.astype(np.float32)
    assert not np.shares_memory(widened(single), single)


def make_side_outputs(facts: ModelFacts, keys: int, positions: int | None, ranks: int = 2) -> SideOutputs:
    random = np.random.default_rng(9)
    norms = random.random((facts.layers, facts.heads, keys), dtype=np.float32)
    if positions is None:
        return SideOutputs(norms, None, "", "it has no head")
    return SideOutputs(
        norms,
        Predictions(
            positions=np.arange(positions, dtype=np.int32),
            ids=random.integers(0, 99, (positions, ranks), dtype=np.int32),
            probabilities=random.random((positions, ranks), dtype=np.float32),
            actual=np.full(positions, np.nan, np.float32),
            texts=tuple(tuple(f"🙂{p}{r}" for r in range(ranks)) for p in range(positions)),
        ),
    )


@pytest.mark.parametrize("positions", [None, 0, 4])
@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_what_lies_beside_the_weights_comes_back(
    store: AttentionStore, positions: int | None, precision: Precision
) -> None:
    side_outputs = make_side_outputs(FACTS, 5, positions)
    layers = make_layers(FACTS, 5)
    with store.writer(
        KEY, "x", make_tokens(5), FACTS, None, precision, SideOutputShape.of(side_outputs)
    ) as out:
        for layer in layers:
            out.write(layer)
        out.finish(PROVENANCE, side_outputs)
    store.verify(KEY)
    entry = store.open(KEY)
    found = entry.side_outputs
    assert (found.no_norms, found.no_predictions) == (side_outputs.no_norms, side_outputs.no_predictions)
    assert found.norms is not None
    assert side_outputs.norms is not None
    np.testing.assert_array_equal(found.norms, side_outputs.norms)
    assert (found.predictions is None) == (positions is None)
    if found.predictions is not None and side_outputs.predictions is not None:
        assert found.predictions.texts == side_outputs.predictions.texts
        for name in ("positions", "ids", "probabilities", "actual"):
            np.testing.assert_array_equal(
                getattr(found.predictions, name), getattr(side_outputs.predictions, name)
            )
    np.testing.assert_allclose(entry.layer(2).weights, layers[2].weights, atol=0.0003)
    with safe_open(data_file(store), "numpy") as file:  # other programs read it
        np.testing.assert_array_equal(file.get_tensor("norms"), side_outputs.norms)


def test_damage_beside_the_weights_is_noticed(store: AttentionStore) -> None:
    side_outputs = make_side_outputs(FACTS, 5, None)
    with store.writer(KEY, "x", make_tokens(5), FACTS, side_outputs=SideOutputShape.of(side_outputs)) as out:
        for layer in make_layers(FACTS, 5):
            out.write(layer)
        out.finish(PROVENANCE, side_outputs)
    assert side_outputs.norms is not None
    data = data_file(store).read_bytes()
    place = data.index(side_outputs.norms.tobytes())
    data_file(store).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    store.open(KEY).layer(0)
    with pytest.raises(DamagedEntry, match="beside its weights"):
        _ = store.open(KEY).side_outputs
    with pytest.raises(DamagedEntry):
        store.verify(KEY)


def test_only_what_was_announced_can_be_kept(store: AttentionStore) -> None:
    with pytest.raises(ValueError, match="was due"), store.writer(KEY, "x", make_tokens(5), FACTS) as out:
        for layer in make_layers(FACTS, 5):
            out.write(layer)
        out.finish(PROVENANCE, make_side_outputs(FACTS, 5, None))
    assert not store.has(KEY)


def test_of_two_writers_the_first_stays(store: AttentionStore) -> None:
    tokens = Tokens(
        ids=np.arange(3, dtype=np.int64),
        texts=("a", "small", "text"),
        special=np.zeros(3, bool),
        continues=np.zeros(3, bool),
        offsets=None,
    )
    first, second = make_layers(FACTS, 3), make_layers(FACTS, 3)[::-1]
    writers = []
    for layers in (first, second, first):
        with store.writer(KEY, "a text", tokens, FACTS) as out:
            for number, layer in enumerate(layers):
                out.write(replace(layer, index=number))
            out.finish(PROVENANCE)
        found = store.open(KEY)
        for number, layer in enumerate(first):
            np.testing.assert_array_equal(found.layer(number).weights, layer.weights)
        writers.append(out)
    assert [out.other is None for out in writers] == [True, False, True]


def test_words_are_not_kept_so_that_their_rule_can_change(
    store: AttentionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Tokens(
        ids=np.arange(3, dtype=np.int64),
        texts=("un", "fold", "ed"),
        special=np.zeros(3, bool),
        continues=np.zeros(3, bool),
        offsets=np.array([(0, 2), (2, 6), (6, 8)], np.int32),
        words=np.array([7, 8, 9], np.int32),
    )
    with store.writer(KEY, "unfolded", tokens, FACTS) as out:
        for layer in make_layers(FACTS, 3):
            out.write(layer)
        out.finish(PROVENANCE)
    with safe_open(data_file(store), "np") as opened:
        assert not {"tokens.words", "tokens.continues"} & set(opened.keys())
    read = store.open(KEY).tokens
    assert (read.words.tolist(), read.continues.tolist()) == ([0, 0, 0], [False, True, True])
    monkeypatch.setattr("attention_gallery.records.words_of_tokens", lambda *_: np.arange(3, dtype=np.int32))
    again = store.open(KEY).tokens
    assert (again.words.tolist(), again.continues.any()) == ([0, 1, 2], False)
