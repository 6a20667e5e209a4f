"""Code that came with a model, or reads its files, may raise anything: it ends in one message, and no bug."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers import models as vocabularies
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from attention_gallery.build import BuildOptions, build
from attention_gallery.capturing import capture_one, prepare
from attention_gallery.errors import GalleryError, ModelError
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import ResolvedModel, resolve
from attention_gallery.models.loading.foreign import foreign_code
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.progress import SilentReporter

MANIFEST = """\
title: x
models: [{slug: m, source: ./model}]
sentences: [{slug: s, text: a new word}]
"""
CONFIGURATION = "from transformers import BertConfig\nclass Own(BertConfig):\n    model_type = 'own'\n"
MODELING = "from transformers import BertModel\nfrom .configuration import Own\n"


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
        del sys.modules[name]


def save_bert(folder: Path, unknown: str | None = "<unk>") -> Path:
    """A tiny model whose tokenizer raises a bare `Exception` for an unknown word, without `unknown`."""
    config = BertConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=20,
    )
    known = {"<unk>": 0, "a": 1, "word": 2}
    tokenizer = Tokenizer(vocabularies.WordLevel(known, unk_token=unknown or "<gone>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    with quiet_libraries():
        BertModel(config).save_pretrained(folder)
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=unknown).save_pretrained(folder)
    return folder


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def save_own(folder: Path, body: str, before: str = "") -> Path:
    """A model with code of its own."""
    save_bert(folder)
    (folder / "configuration.py").write_text(CONFIGURATION)
    (folder / "modeling.py").write_text(
        f"{MODELING}{before}\nclass Model(BertModel):\n    config_class = Own\n{body}"
    )
    names = {"AutoConfig": "configuration.Own", "AutoModel": "modeling.Model"}
    edit(folder / "config.json", model_type="own", architectures=["Model"], auto_map=names)
    return folder


def found(folder: Path, trusted: bool = False) -> ResolvedModel:
    spec = ModelSpec(slug="m", title="M", source=f"./{folder.name}", trust_remote_code=trusted)
    return resolve(spec, folder.parent)


def test_a_tokenizer_that_raises_a_bare_exception_is_told_at_the_sentence(tmp_path: Path) -> None:
    save_bert(tmp_path / "model", unknown=None)
    (tmp_path / "gallery.yaml").write_text(MANIFEST)
    with pytest.raises(ModelError, match="cannot read this: Exception: ") as caught:
        build(tmp_path / "gallery.yaml", BuildOptions(), SilentReporter())
    assert 3 in [problem.line for problem in caught.value.problems]
    assert all(problem.mend for problem in caught.value.problems)
    with pytest.raises(ModelError, match="cannot read this: Exception: "):
        capture_one(load(found(tmp_path / "model")), "a new word")


@pytest.mark.parametrize("value", ["x", [], {}])
def test_a_longest_length_that_is_no_number(tmp_path: Path, value: object) -> None:
    folder = save_bert(tmp_path / "model")
    edit(folder / "tokenizer_config.json", model_max_length=value)
    with pytest.raises(ModelError) as caught:
        capture_one(load(found(folder)), "a word")
    assert caught.value.problems[0].mend


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("    pass\n", "import sys\nsys.exit(0)"),
        ("    pass\n", "raise SystemExit"),
        ("    def __init__(self, *given, **named):\n        raise SystemExit(0)\n", ""),
        ("    def forward(self, *given, **named):\n        raise SystemExit(0)\n", ""),
        ("    def forward(self, *given, **named):\n        raise Exception\n", ""),
        ("    def forward(self, *given, **named):\n        raise BaseException\n", ""),
        ("    def forward(self, *given, **named):\n        raise RecursionError\n", ""),
    ],
)
def test_code_of_a_model_that_ends_the_program_is_one_clear_error(
    tmp_path: Path, body: str, before: str
) -> None:
    save_own(tmp_path / "model", body, before)
    manifest = MANIFEST.replace("./model", "./model, trust_remote_code: true").replace("a new", "a")
    (tmp_path / "gallery.yaml").write_text(manifest)
    with pytest.raises(ModelError) as caught:
        build(tmp_path / "gallery.yaml", BuildOptions(), SilentReporter())
    assert caught.value.problems[0].line == 2
    assert caught.value.problems[0].mend
    assert not (tmp_path / "site").exists()


# Code of a model that looks for a file from its second pass on, or in long texts alone.
PASSES = """\
    def forward(self, *given, **named):
        self.passes = getattr(self, "passes", 0) + 1
        length = next(iter([*given, *named.values()])).shape[1]
        if {when}:
            raise {error}
        return super().forward(*given, **named)
"""
WHENS = {
    "at once": "True",
    "from the second pass on": "self.passes > 1",
    "in the text": "length == 9",
}


@pytest.mark.parametrize("when", WHENS)
def test_a_file_that_the_code_of_a_model_misses_is_its_own_fault(tmp_path: Path, when: str) -> None:
    error = "FileNotFoundError(2, 'No such file', 'table.bin')"
    manifest = own_project(tmp_path, PASSES.format(when=WHENS[when], error=error))
    with pytest.raises(ModelError, match=r'"\./model" failed while .* \(FileNotFoundError: ') as caught:
        build(manifest, BuildOptions(), SilentReporter())
    (problem,) = caught.value.problems
    assert "table.bin" in problem.reason
    assert "store" not in problem.reason
    assert problem.line == 2
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("when", WHENS)
def test_a_disk_that_is_full_is_no_fault_of_a_model(tmp_path: Path, when: str) -> None:
    error = "OSError(28, 'No space left on device', '/tmp/table.bin')"
    manifest = own_project(tmp_path, PASSES.format(when=WHENS[when], error=error))
    with pytest.raises(OSError, match="No space left") as caught:
        build(manifest, BuildOptions(), SilentReporter())
    assert caught.value.filename == "/tmp/table.bin"


def test_a_file_that_no_way_of_capturing_finds_is_no_matter_of_attention(tmp_path: Path) -> None:
    """The pass to compare with goes well, and none of those that are looked at."""
    error = "FileNotFoundError(2, 'No such file', 'table.bin')"
    save_own(tmp_path / "model", PASSES.format(when="self.passes > 100", error=error))
    loaded = load(found(tmp_path / "model", trusted=True))
    loaded.model.passes = 99
    with pytest.raises(ModelError, match=r"failed while it read a text \(FileNotFoundError: ") as caught:
        prepare(loaded)
    assert "cannot be captured" not in str(caught.value)


def test_a_strategy_that_asks_for_a_file_gives_way_to_the_next(tmp_path: Path) -> None:
    """Code of a model can look for what belongs to an implementation of attention that it does not know."""
    when = "self.config._attn_implementation != 'eager'"
    error = "OSError('no kernel of this name')"
    manifest = own_project(tmp_path, PASSES.format(when=when, error=error))
    assert build(manifest, BuildOptions(), SilentReporter()).captured == 1


def own_project(root: Path, body: str) -> Path:
    """A gallery of a model with code of its own, with a sentence of nine tokens."""
    save_own(root / "model", body)
    manifest = MANIFEST.replace("./model", "./model, trust_remote_code: true")
    manifest += "analysis: {repeated_tokens: false}\n"
    text = " ".join(["a", "word", "a"] * 3)
    (root / "gallery.yaml").write_text(manifest.replace("a new word", text))
    return root / "gallery.yaml"


def test_an_interrupt_stays_one(tmp_path: Path) -> None:
    folder = save_own(
        tmp_path / "model", "    def forward(self, *given, **named):\n        raise KeyboardInterrupt\n"
    )
    with pytest.raises(KeyboardInterrupt):
        load(found(folder, trusted=True))


class Panic(BaseException):
    """As the Rust parts of the libraries raise it."""


def explain(error: BaseException) -> ModelError:
    return ModelError(f"told: {type(error).__name__}")


def of_others(error: BaseException) -> None:
    """Raise as code of others does: this module is not ours."""
    raise error


@pytest.mark.parametrize(
    "error", [Exception(), ValueError(), SystemExit(), Panic(), FileNotFoundError(2, "x")]
)
def test_whatever_code_of_others_raises_is_told(error: BaseException) -> None:
    with pytest.raises(ModelError, match=f"told: {type(error).__name__}"), foreign_code(explain):
        of_others(error)


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), MemoryError(), OSError(28, "full"), PermissionError(13, "no"), GalleryError()],
)
def test_what_is_nobodys_mistake_passes(error: BaseException) -> None:
    with pytest.raises(type(error)), foreign_code(explain):
        of_others(error)


def test_a_bug_of_ours_stays_one() -> None:
    from attention_gallery.manifest.source import Source

    with pytest.raises(ValueError, match="not a local source"), foreign_code(explain):
        Source("hub", "a/b").local_path(Path())
