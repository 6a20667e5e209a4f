"""Decoders read a given target, or go on by themselves, the same way every time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_families import ENCODER_DECODERS
from tiny_models import make_tokenizer, resolved_tiny, save_tiny
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from attention_gallery.capturing import capture_kinds, capture_one, read_input
from attention_gallery.capturing.reading.decoded import decode, written_tokens
from attention_gallery.errors import ModelError, Problem
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.records import TextInput, Tokens


@pytest.fixture(scope="module")
def writer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("writer") / "llama", "llama", head=True)


@pytest.fixture(scope="module")
def writer(writer_folder: Path) -> LoadedModel:
    return load(resolved_tiny(writer_folder), continues=True)


@pytest.fixture(scope="module")
def bart_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("bart") / "bart", "bart")


@pytest.fixture(scope="module")
def bart(bart_folder: Path) -> LoadedModel:
    return load(resolved_tiny(bart_folder))


def tokens_of(loaded: LoadedModel, given: TextInput) -> tuple[Tokens, str]:
    read = read_input(loaded, given, "Tiny", Problem)
    return (read.tokens, read.text) if read.target is None else (read.target, read.target_text)


def greedy(folder: Path, auto: type, ids: Sequence[int], count: int) -> list[int]:
    """What transformers itself writes."""
    with quiet_libraries():
        model = auto.from_pretrained(folder).eval()  # type: ignore[attr-defined]
        model.generation_config.forced_eos_token_id = None
        written = model.generate(
            input_ids=torch.tensor([list(ids)]), max_new_tokens=count, do_sample=False, num_beams=1
        )
    return [int(number) for number in written[0]]


def test_a_prompt_is_continued_as_transformers_does(writer_folder: Path, writer: LoadedModel) -> None:
    prompt, _ = tokens_of(writer, TextInput("The trophy"))
    tokens, text = tokens_of(writer, TextInput("The trophy", generate=6))
    expected = greedy(writer_folder, AutoModelForCausalLM, prompt.ids.tolist(), 6)
    assert tokens.ids.tolist() == expected
    assert tokens.segment_names == ("prompt", "continuation")
    assert tokens.segments is not None
    assert tokens.segments.tolist() == [0] * len(prompt) + [1] * 6
    assert tokens.texts[: len(prompt)] == prompt.texts
    assert text == "The trophy" + decode(writer.tokenizer, expected)[len("The trophy") :]


def test_a_continuation_is_captured_with_its_prompt(writer: LoadedModel) -> None:
    given = TextInput("it fits", generate=5)
    first, second = capture_one(writer, given), capture_one(writer, given)
    assert first.tokens.ids.tolist() == second.tokens.ids.tolist()
    assert (
        first.layer(0).weights.shape[1] == len(first.tokens) == len(capture_one(writer, "it fits").tokens) + 5
    )
    np.testing.assert_array_equal(first.layer(2).weights, second.layer(2).weights)
    assert first.text.startswith("it fits")


def test_the_head_changes_no_facts(writer_folder: Path, writer: LoadedModel) -> None:
    bare = load(resolved_tiny(writer_folder))
    assert bare.writer is None
    assert bare.parts == writer.parts


def test_a_continuation_stops_where_the_text_ends(
    writer: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt, _ = tokens_of(writer, TextInput("it fits"))
    tokens, _ = tokens_of(writer, TextInput("it fits", generate=8))
    written = tokens.ids[len(prompt) :].tolist()
    last = next(index for index in range(1, 8) if written[index] not in written[:index])
    monkeypatch.setattr(writer.writer.generation_config, "eos_token_id", [written[last], 2])
    stopped, _ = tokens_of(writer, TextInput("it fits", generate=8))
    assert stopped.ids.tolist() == tokens.ids[: len(prompt) + last].tolist()
    monkeypatch.setattr(writer.writer.generation_config, "eos_token_id", written[0])
    nothing, text = tokens_of(writer, TextInput("it fits", generate=8))
    assert (nothing.ids.tolist(), text) == (prompt.ids.tolist(), "it fits")
    assert nothing.segment_names == ("prompt", "continuation")


def test_a_continuation_stays_within_the_context(writer: LoadedModel) -> None:
    tokens, _ = tokens_of(writer, TextInput("The trophy " * 18, generate=100))
    assert len(tokens) == 64


@pytest.mark.parametrize(
    ("name", "head", "reason"),
    [
        ("bert", True, "it is not a causal model"),
        ("mpnet", False, "transformers knows no language-modelling head for it"),
    ],
)
def test_an_encoder_cannot_continue(tmp_path: Path, name: str, head: bool, reason: str) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path / name, name, head)), continues=True)
    with pytest.raises(ModelError, match=f"cannot continue a text: {reason}"):
        capture_one(loaded, TextInput("it fits", generate=3))
    assert len(capture_one(loaded, "it fits").layers) == 3


def test_weights_without_a_head_cannot_continue(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "llama", "llama")
    for continues, reason in ((True, "its weights have no language"), (False, "it was loaded without")):
        with pytest.raises(ModelError, match=reason):
            capture_one(load(resolved_tiny(folder), continues=continues), TextInput("it fits", generate=3))


def test_a_target_is_read_after_the_start_token(bart: LoadedModel) -> None:
    captured = capture_kinds(bart, TextInput("The trophy is big", target="it fits"))
    source, target = captured["encoder"], captured["decoder"]
    assert target.tokens.ids[0] == bart.model.config.decoder_start_token_id == 2
    assert target.tokens.special.tolist() == [True] + [False] * (len(target.tokens) - 1)
    assert target.tokens.texts[0] == "</s>"
    assert "".join(target.tokens.texts[1:]) == "itfits"
    assert (target.text, captured["cross"].text, source.text) == ("it fits", "it fits", "The trophy is big")
    assert captured["cross"].keys is source.tokens
    assert captured["cross"].tokens is target.tokens
    assert captured["cross"].layer(1).weights.shape == (2, len(target.tokens), len(source.tokens))
    assert [layer.kind for layer in captured["cross"].layers] == ["cross", "cross"]


def test_a_language_that_ends_a_target_begins_it(tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    folder = save_tiny(tmp_path / "mbart", "mbart")
    tokenizer = make_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="$A </s> <s>", special_tokens=[("</s>", 2), ("<s>", 1)]
    )
    tokenizer.save_pretrained(folder)
    captured = capture_kinds(load(resolved_tiny(folder)), TextInput("The trophy", target="it fits"))
    assert captured["decoder"].tokens.texts[0] == "<s>"
    assert captured["decoder"].tokens.texts[-1] == "</s>"


def test_special_tokens_belong_to_no_segment(tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    folder = save_tiny(tmp_path / "llama", "llama", head=True)
    tokenizer = make_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    tokenizer.save_pretrained(folder)
    tokens, _ = tokens_of(load(resolved_tiny(folder), continues=True), TextInput("it fits", generate=2))
    assert tokens.segments is not None
    assert tokens.segments.tolist() == [-1] + [0] * (len(tokens) - 3) + [1, 1]


def test_the_token_that_ends_a_target_is_not_read(tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    folder = save_tiny(tmp_path / "t5", "t5")
    tokenizer = make_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    tokenizer.save_pretrained(folder)
    captured = capture_kinds(load(resolved_tiny(folder)), TextInput("The trophy", target="it fits"))
    assert captured["encoder"].tokens.texts[-1] == "</s>"
    assert captured["decoder"].tokens.texts[0] == "<pad>"
    assert "</s>" not in captured["decoder"].tokens.texts
    assert "".join(captured["decoder"].tokens.texts[1:]) == "itfits"


@pytest.mark.parametrize("name", ["bart", "t5", "marian"])
def test_without_a_target_the_decoder_writes_as_transformers_does(tmp_path: Path, name: str) -> None:
    # A random model that starts with the token that ends a text would end it at once.
    folder = save_tiny(tmp_path / name, name, decoder_start_token_id=7)
    loaded = load(resolved_tiny(folder))
    tokens, text = tokens_of(loaded, TextInput("The trophy is big"))
    ids = read_input(loaded, TextInput("The trophy is big"), "Tiny", Problem).tokens.ids.tolist()
    expected = greedy(folder, AutoModelForSeq2SeqLM, ids, 32)
    while len(expected) > 1 and expected[-1] == 2:
        expected.pop()
    assert tokens.ids.tolist() == expected
    assert 1 < len(tokens) <= 33
    assert bool(tokens.special[0])
    assert text == decode(loaded.tokenizer, expected).removeprefix(decode(loaded.tokenizer, [7]))


def test_a_target_for_a_model_without_a_decoder_is_an_error(tiny_loaded: LoadedModel) -> None:
    with pytest.raises(ModelError, match="has no decoder that reads one"):
        capture_one(tiny_loaded, TextInput("it fits", target="it is big"))


def test_a_target_and_a_continuation_exclude_each_other(bart: LoadedModel) -> None:
    with pytest.raises(ModelError, match="cannot both read a given target and write one"):
        capture_kinds(bart, TextInput("it fits", target="it is big", generate=4))


def test_a_target_that_is_too_long_is_an_error(bart: LoadedModel) -> None:
    with pytest.raises(ModelError, match=r"the target has .* tokens .* can read 64"):
        capture_kinds(bart, TextInput("it fits", target="word " * 80))


def test_a_kind_that_the_model_has_not_is_an_error(bart: LoadedModel) -> None:
    with pytest.raises(ModelError, match="has no self attention"):
        capture_one(bart, "it fits", kind="self")


def test_an_encoder_decoder_without_a_head_needs_a_target(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_tiny(tmp_path / "bart", "bart", tie_word_embeddings=False)
    weights = load_file(folder / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    loaded = load(resolved_tiny(folder))
    with pytest.raises(
        ModelError,
        match="cannot write what its decoder should read: its weights have no language-modelling head",
    ):
        capture_kinds(loaded, "it fits")
    assert len(capture_kinds(loaded, TextInput("it fits", target="it is big"))) == 3


def test_kinds_are_known_without_loading(bart_folder: Path, tiny_folder: Path) -> None:
    assert resolved_tiny(bart_folder).kinds == ("encoder", "decoder", "cross")
    assert resolved_tiny(tiny_folder).kinds == ("self",)


def test_written_tokens_know_their_places() -> None:
    tokenizer = make_tokenizer()
    before, text = tokenizer("it fits")["input_ids"], " in 🙂 trophies"
    ids = tokenizer(text)["input_ids"]
    tokens, written = written_tokens(tokenizer, before, ids, 7)
    assert written == text
    assert tokens.offsets is not None
    assert tokens.words is not None
    pieces = [
        (("it fits" + text)[start:end], word)
        for (start, end), word in zip(tokens.offsets.tolist(), tokens.words.tolist(), strict=True)
    ]
    assert {word: "".join(piece for piece, other in pieces if other == word).strip() for _, word in pieces}[
        0
    ] == "in"
    emoji = [index for index, (piece, _) in enumerate(pieces) if "🙂" in piece]
    assert len(emoji) >= 1
    assert all(tokens.words[index] == tokens.words[emoji[0]] for index in emoji)
    assert not tokens.special.any()
    assert "".join(tokens.texts).endswith("ies")


def _save_target_reader(folder: Path, name: str, template: str = "", **changes: object) -> LoadedModel:
    """A tiny encoder-decoder whose tokenizer puts around a text what `template` says, nothing without one."""
    from tokenizers.processors import TemplateProcessing

    save_tiny(folder, name, **changes)
    if template:
        tokenizer = make_tokenizer()
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=template, special_tokens=[("<s>", 1), ("</s>", 2)]
        )
        tokenizer.save_pretrained(folder)
    return load(resolved_tiny(folder))


def target_ids(loaded: LoadedModel) -> list[int]:
    return tokens_of(loaded, TextInput("The trophy", target="it fits"))[0].ids.tolist()


@pytest.mark.parametrize("name", [name for name in ENCODER_DECODERS if name != "encoder-decoder"])
def test_a_target_without_an_end_begins_with_the_configured_start(tmp_path: Path, name: str) -> None:
    start = {} if name == "t5gemma" else {"decoder_start_token_id": 9}
    loaded = _save_target_reader(tmp_path / name, name, **start)
    own = loaded.tokenizer("it fits")["input_ids"]
    assert target_ids(loaded) == [start.get("decoder_start_token_id", 1), *own]


@pytest.mark.parametrize("name", ["mbart", "plbart", "fsmt"])
def test_an_end_of_the_tokenizer_is_wrapped_around(tmp_path: Path, name: str) -> None:
    loaded = _save_target_reader(tmp_path / name, name, "$A </s> <s>", decoder_start_token_id=9)
    own = loaded.tokenizer("it fits", add_special_tokens=False)["input_ids"]
    assert target_ids(loaded) == [1, *own, 2]


def test_without_a_start_other_configured_tokens_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _save_target_reader(tmp_path / "mbart", "mbart")
    own = loaded.tokenizer("it fits")["input_ids"]
    generation, config = loaded.writer.generation_config, loaded.model.config
    for holder in (generation, config):
        for token, value in (("decoder_start", None), ("bos", None), ("eos", [11, 2]), ("pad", 0)):
            monkeypatch.setattr(holder, f"{token}_token_id", value, raising=False)
    assert target_ids(loaded) == [11, *own]
    monkeypatch.setattr(generation, "forced_bos_token_id", 13)
    assert target_ids(loaded) == [11, 13, *own]
    for holder in (generation, config):
        for token in ("eos", "pad"):
            monkeypatch.setattr(holder, f"{token}_token_id", None)
    with pytest.raises(ModelError, match="names no token with which its decoder begins"):
        target_ids(loaded)


def test_what_the_tokenizer_puts_first_is_not_forced_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _save_target_reader(tmp_path / "bart", "bart", "<s> $A")
    own = loaded.tokenizer("it fits", add_special_tokens=False)["input_ids"]
    monkeypatch.setattr(loaded.writer.generation_config, "forced_bos_token_id", 13)
    assert target_ids(loaded) == [2, 1, *own]
