"""A model's own code runs only where the manifest asks for it, and then it is part of what the model is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers import models as vocabularies
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from attention_gallery.build import BuildOptions, build
from attention_gallery.capturing import capture_one
from attention_gallery.errors import ModelError
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import FingerprintMemory, ModelFingerprint, ResolvedModel, fingerprint, resolve
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.progress import SilentReporter

CONFIGURATION = """
from transformers import BertConfig

class TinyConfig(BertConfig):
    model_type = "tiny-of-its-own"
"""
# Twice as sure of itself as BERT, so that its numbers tell whose code has run.
MODELING = """
from transformers import BertModel
from .configuration_tiny import TinyConfig

class TinyModel(BertModel):
    config_class = TinyConfig

    def __init__(self, config, **settings):
        super().__init__(config, **settings)
        for layer in self.encoder.layer:
            layer.attention.self.scaling *= 2
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of its own for the copies from which transformers imports such code."""
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small BERT whose configuration asks for code of its own."""
    folder = tmp_path / "tiny"
    torch.manual_seed(1)
    with quiet_libraries():
        config = BertConfig(
            vocab_size=30,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=20,
            initializer_range=1.0,
        )
        BertModel(config).save_pretrained(folder)
        vocabulary = vocabularies.WordLevel({"<unk>": 0, "a": 1, "b": 2, "c": 3, "d": 4}, unk_token="<unk>")
        tokenizer = Tokenizer(vocabulary)
        tokenizer.pre_tokenizer = WhitespaceSplit()
        PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    auto_map = {"AutoConfig": "configuration_tiny.TinyConfig", "AutoModel": "modeling_tiny.TinyModel"}
    change(folder / "config.json", model_type="tiny-of-its-own", auto_map=auto_map)
    (folder / "configuration_tiny.py").write_text(CONFIGURATION)
    (folder / "modeling_tiny.py").write_text(MODELING)
    return folder


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def found(folder: Path, *, trust: bool = True) -> ResolvedModel:
    spec = ModelSpec(slug="m", title="M", source=f"./{folder.name}", trust_remote_code=trust)
    return resolve(spec, folder.parent)


def digests(folder: Path, *, trust: bool = True) -> ModelFingerprint:
    return fingerprint(found(folder, trust=trust), FingerprintMemory(folder.parent / "memory.json"))


def test_unasked_it_is_not_run(folder: Path) -> None:
    (folder / "modeling_tiny.py").write_text("raise SystemExit('run')")
    (folder / "configuration_tiny.py").write_text("raise SystemExit('run')")
    with pytest.raises(ModelError, match="brings its own code") as caught:
        load(found(folder, trust=False))
    assert "`trust_remote_code: true`" in caught.value.problems[0].mend


def test_asked_for_it_runs_and_is_recorded(folder: Path) -> None:
    loaded = load(found(folder))
    assert type(loaded.model).__name__ == loaded.facts.architecture == "TinyModel"
    assert loaded.remote_code
    captured = capture_one(loaded, "a b a a")
    assert captured.provenance.remote_code
    with quiet_libraries():
        change(folder / "config.json", model_type="bert", auto_map={})
    plain = capture_one(load(found(folder)), "a b a a")
    assert not plain.provenance.remote_code, "there was none to run"
    assert abs(captured.layer(0).weights - plain.layer(0).weights).max() > 0.01


def test_pages_say_that_it_ran(folder: Path) -> None:
    manifest = folder.parent / "gallery.yaml"
    manifest.write_text(
        "title: A gallery\nmodels:\n  - {slug: tiny, source: ./tiny, trust_remote_code: true}\n"
        "sentences:\n  - {slug: words, text: a b a a}\n"
    )
    report = build(manifest, BuildOptions(), SilentReporter())
    assert "Runs code that came with the model" in (report.site / "models/tiny/index.html").read_text()
    footer = (report.site / "tiny/words/index.html").read_text().partition('class="provenance"')[2]
    assert "came with the model" in footer


def test_its_code_is_part_of_the_fingerprint(folder: Path) -> None:
    trusted, untrusted = digests(folder), digests(folder, trust=False)
    assert trusted.weights != untrusted.weights
    (folder / "modeling_tiny.py").write_text(MODELING + "# another word\n")
    assert digests(folder).weights != trusted.weights
    assert digests(folder).tokenizer == trusted.tokenizer
    assert digests(folder, trust=False) == untrusted


@pytest.mark.parametrize(
    "reference",
    ["org/other--modeling_tiny.TinyModel", "../modeling_tiny.TinyModel", "sub/modeling.TinyModel"],
)
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_that_is_not_beside_the_weights_is_refused(folder: Path, name: str, reference: str) -> None:
    change(folder / name, auto_map={"AutoTokenizer": [None, reference]})
    with pytest.raises(ModelError, match="names code outside its own folder"):
        found(folder)


def test_code_that_fails_is_one_clear_error(folder: Path) -> None:
    (folder / "modeling_tiny.py").write_text("import no_such_library_at_all\n")
    with pytest.raises(ModelError, match=r"cannot be loaded: .*no_such_library_at_all"):
        load(found(folder))


def test_where_no_code_can_be_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    spec = ModelSpec(slug="m", title="M", source="./x.gguf", trust_remote_code=True)
    with pytest.raises(ModelError, match="no code that transformers could run"):
        resolve(spec, tmp_path)
