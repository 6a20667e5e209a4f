"""Hub models against a real server on loopback, in processes of their own.

The hub library reads HF_ENDPOINT and HF_HOME when it is imported, so what a user sets is what is tested.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hub_server import Hub, Repository, commit_of
from safetensors.numpy import save
from tokenizers import Tokenizer
from tokenizers import models as vocabularies
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from attention_gallery.models.loading.quiet import quiet_libraries

WEIGHTS = bytes(range(256)) * 12_000  # 3 MB: some of it is on its way when a connection is cut
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "README.md": b"---\nlicense: mit\n---\n",
    "pytorch_model.bin": b"pickled",
    "modeling_small.py": b"raise SystemExit('run')",
    "onnx/model.onnx": b"another format",
}
KEPT = {"config.json", "model.safetensors", "tokenizer.json", "README.md"}
RESOLVE = """
import json, sys
from pathlib import Path
from attention_gallery.cli.terminal import PlainReporter
from attention_gallery.errors import ModelError, Problem
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import Lookup, resolve
spec, lookup = json.loads(sys.argv[1])
def at_line(reason, mend):
    return Problem(reason, mend, Path("gallery.yaml"), 7, 5)
try:
    spec = ModelSpec(slug="m", title="M", **spec)
    found = resolve(spec, Path(), at_line, Lookup(**lookup), PlainReporter())
    print(json.dumps({"revision": found.revision, "folder": str(found.folder)}))
except ModelError as error:
    [problem] = error.problems
    assert (problem.line, problem.column) == (7, 5)
    print(json.dumps({"reason": problem.reason, "mend": problem.mend}))
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""


@dataclass
class Client:
    """A user of the hub with a cache of their own."""

    hub: Hub
    home: Path
    said: str = ""

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
        hidden = {name: value for name, value in kept.items() if not name.startswith(("HF_", "HUGGING"))}
        own = {"HF_ENDPOINT": self.hub.endpoint, "HF_HOME": str(self.home), "PYTHONWARNINGS": "error"}
        return {**hidden, **own, **more}

    def start(self, source: str, lookup: dict[str, Any], spec: dict[str, Any]) -> subprocess.Popen[str]:
        arguments = json.dumps([{"source": source, **spec}, lookup])
        return subprocess.Popen(
            [sys.executable, "-c", RESOLVE, arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def resolve(
        self, source: str = "org/small", lookup: dict[str, Any] | None = None, token: str = "", **spec: Any
    ) -> dict[str, str]:
        """What resolving a source ends in: revision and folder, or reason and mend."""
        done = subprocess.run(
            [sys.executable, "-c", RESOLVE, json.dumps([{"source": source, **spec}, lookup or {}])],
            env=self.environment(**({"HF_TOKEN": token} if token else {})),
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        self.said = done.stderr
        answer: dict[str, str] = json.loads(done.stdout)
        return answer

    def command(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in a project."""
        return subprocess.run(
            [sys.executable, "-m", "attention_gallery", *arguments],
            cwd=folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        yield running


@pytest.fixture
def client(hub: Hub, tmp_path: Path) -> Client:
    return Client(hub, tmp_path / "home")


@pytest.fixture
def small(hub: Hub) -> Repository:
    return hub.repository("org/small", FILES)


def files_in(folder: str) -> set[str]:
    return {path.name for path in Path(folder).rglob("*") if path.is_file()}


def test_a_model_is_downloaded_once_and_nothing_but_what_is_read(
    client: Client, hub: Hub, small: Repository
) -> None:
    found = client.resolve()
    assert found["revision"] == Path(found["folder"]).name == small.branches["main"]
    assert files_in(found["folder"]) == KEPT
    assert (Path(found["folder"]) / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.fetched() == KEPT
    assert "downloading org/small: 4 files, 3.1 MB" in client.said
    hub.asked.clear()
    assert client.resolve() == found
    assert hub.asked == [], "a cached copy needs no network"
    assert client.said == ""


def test_branches_and_tags_become_commits(client: Client, small: Repository) -> None:
    other = small.push({**FILES, "README.md": b"other"}, "v2")
    assert client.resolve(revision="v2")["revision"] == other
    assert client.resolve(revision=other)["revision"] == other


def test_a_locked_commit_is_taken_wherever_the_branch_has_gone(client: Client, small: Repository) -> None:
    first = small.branches["main"]
    second = small.push({**FILES, "model.safetensors": WEIGHTS[::-1]})
    found = client.resolve(lookup={"commit": first})
    assert found["revision"] == first
    assert (Path(found["folder"]) / "model.safetensors").read_bytes() == WEIGHTS
    assert client.resolve()["revision"] == second


def test_the_hub_is_asked_anew_when_that_is_wanted(client: Client, hub: Hub, small: Repository) -> None:
    first = client.resolve()["revision"]
    second = small.push({**FILES, "README.md": b"newer"})
    assert client.resolve()["revision"] == first
    assert client.resolve(lookup={"fresh": True})["revision"] == second
    assert "downloading org/small: 1 file, 0.0 MB" in client.said, "the rest is the same as in the copy"
    hub.stop()
    answer = client.resolve(lookup={"fresh": True})
    assert 'the hub could not be asked for the model "org/small"' in answer["reason"]


def test_an_unknown_id(client: Client) -> None:
    answer = client.resolve("org/nowhere")
    assert answer["reason"] == 'the hub has no model "org/nowhere" that may be read'
    assert "check the id" in answer["mend"]


def test_a_gated_model(client: Client, hub: Hub) -> None:
    hub.repository("org/gated", FILES, gated=True)
    answer = client.resolve("org/gated")
    assert answer["reason"] == 'the model "org/gated" is gated'
    assert "accept its terms" in answer["mend"]
    assert "hf auth login" in answer["mend"]


def test_a_private_model_needs_its_token(client: Client, hub: Hub) -> None:
    hub.repository("org/private", FILES, token="hf_secret")
    answer = client.resolve("org/private")
    assert 'the hub refuses to give out the model "org/private" (HTTP 401)' in answer["reason"]
    assert "HF_TOKEN" in answer["mend"]
    assert "HTTP 401" in client.resolve("org/private", token="hf_wrong")["reason"]
    hub.asked.clear()
    assert "revision" in client.resolve("org/private", token="hf_secret")
    sent = {request.authorization for request in hub.asked if not request.storage}
    assert sent == {"Bearer hf_secret"}
    assert {request.authorization for request in hub.asked if request.storage} == {None}


@pytest.mark.parametrize(
    ("spec", "lookup", "reason", "mend"),
    [
        ({"revision": "v9"}, {}, 'has no revision "v9"', "branch, tag or commit"),
        ({"revision": commit_of("gone")}, {}, f'has no revision "{commit_of("gone")}"', "branch, tag"),
        ({}, {"commit": commit_of("gone")}, f"the commit {commit_of('gone')} of gallery.lock", "--upgrade"),
    ],
)
def test_an_unknown_revision(
    client: Client, small: Repository, spec: dict[str, str], lookup: dict[str, str], reason: str, mend: str
) -> None:
    answer = client.resolve(lookup=lookup, **spec)
    assert reason in answer["reason"]
    assert mend in answer["mend"]


def test_no_network_with_and_without_a_copy(client: Client, hub: Hub, small: Repository) -> None:
    found = client.resolve()
    hub.stop()
    assert client.resolve() == found
    assert client.resolve(revision=found["revision"]) == found
    answer = client.resolve("org/other")
    assert 'no whole copy of the model "org/other" is in the cache' in answer["reason"]
    assert "could not be downloaded (ConnectError)" in answer["reason"]
    assert "connect to the network" in answer["mend"]


def test_a_hub_that_fails(client: Client, hub: Hub, small: Repository) -> None:
    hub.broken["model.safetensors"] = 1
    answer = client.resolve()
    assert answer["reason"] == 'the hub failed to give out the model "org/small" (HTTP 500)'
    assert "revision" in client.resolve()


def test_a_cut_connection_is_taken_up_where_it_ended(client: Client, hub: Hub, small: Repository) -> None:
    large = WEIGHTS * 8  # the hub library keeps whole pieces of 10 MB
    small.push({**FILES, "model.safetensors": large})
    hub.cut["model.safetensors"] = 1
    found = client.resolve()
    assert (Path(found["folder"]) / "model.safetensors").read_bytes() == large
    assert {request.range for request in hub.asked if request.range} == {f"bytes={10 * 2**20}-"}
    assert "Error" not in client.said


def test_a_download_that_is_cut_for_good_is_never_used(client: Client, hub: Hub, small: Repository) -> None:
    hub.cut["model.safetensors"], hub.broken["model.safetensors"] = 1, 1
    assert "HTTP 500" in client.resolve()["reason"]
    assert "model.safetensors" not in files_in(str(client.home))
    again = client.resolve()
    assert (Path(again["folder"]) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_download_that_is_killed_is_never_used(client: Client, hub: Hub, small: Repository) -> None:
    hub.stall.add("model.safetensors")
    process = client.start("org/small", {}, {})
    assert hub.stalled.wait(60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "model.safetensors" not in files_in(str(client.home))
    hub.stall.clear()
    hub.released.set()
    found = client.resolve()
    assert (Path(found["folder"]) / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("gone", ["tokenizer.json", "model-00002-of-00002.safetensors"])
def test_a_copy_that_is_not_whole_is_completed(client: Client, hub: Hub, gone: str) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    shards = {name: WEIGHTS[:1000] + name.encode() for name in index["weight_map"].values()}
    rest = {name: FILES[name] for name in ("config.json", "tokenizer.json")}
    files = {**rest, **shards, "model.safetensors.index.json": json.dumps(index).encode()}
    hub.repository("org/large", files)
    found = client.resolve("org/large")
    assert files_in(found["folder"]) == set(files)
    # As another program leaves it that fetched a part: the list of what there is, is not known either.
    shutil.rmtree(Path(found["folder"]).parent.parent / "trees", ignore_errors=True)
    (Path(found["folder"]) / gone).unlink()
    assert client.resolve("org/large") == found
    assert files_in(found["folder"]) == set(files)


def test_code_is_fetched_only_when_it_is_asked_for(client: Client, hub: Hub) -> None:
    config = b'{"model_type": "tiny", "auto_map": {"AutoModel": "modeling_small.Small"}}'
    hub.repository("org/coded", {**FILES, "config.json": config})
    assert "modeling_small.py" not in files_in(client.resolve("org/coded")["folder"])
    found = client.resolve("org/coded", trust_remote_code=True)
    assert files_in(found["folder"]) == {*KEPT, "modeling_small.py"}
    hub.stop()
    assert client.resolve("org/coded", trust_remote_code=True) == found


def test_code_of_another_repository_is_refused(client: Client, hub: Hub) -> None:
    config = b'{"model_type": "tiny", "auto_map": {"AutoModel": "evil/code--modeling_small.Small"}}'
    hub.repository("org/coded", {**FILES, "config.json": config})
    answer = client.resolve("org/coded", trust_remote_code=True)
    assert "names code outside its own folder: evil/code--modeling_small.Small" in answer["reason"]


def test_pickled_weights_alone_are_refused(client: Client, hub: Hub) -> None:
    hub.repository("org/pickled", {name: FILES[name] for name in FILES if name != "model.safetensors"})
    answer = client.resolve("org/pickled")
    assert "has no safetensors weights" in answer["reason"]
    assert "pytorch_model.bin" not in hub.fetched()


def project(folder: Path, source: str) -> Path:
    folder.mkdir()
    (folder / "gallery.yaml").write_text(
        f"title: A gallery\nmodels:\n  - slug: small\n    source: {source}\nsentences:\n  - text: a b a\n"
    )
    return folder


@pytest.mark.parametrize(
    ("source", "said"),
    [("org/nowhere", 'the hub has no model "org/nowhere"'), ("org/gated", 'the model "org/gated" is gated')],
)
def test_builds_end_with_one_message_at_the_line(
    client: Client, hub: Hub, tmp_path: Path, source: str, said: str
) -> None:
    hub.repository("org/gated", FILES, gated=True)
    done = client.command(project(tmp_path / "project", source), "build")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: gallery.yaml:4:13: {said}")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "project" / "site").exists()


def small_bert(folder: Path, seed: int) -> dict[str, bytes]:
    """The files of a model that can be loaded."""
    torch.manual_seed(seed)
    with quiet_libraries():
        sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
        BertModel(BertConfig(vocab_size=30, max_position_embeddings=20, **sizes)).save_pretrained(folder)
        vocabulary = vocabularies.WordLevel({"<unk>": 0, "a": 1, "b": 2, "c": 3, "d": 4}, unk_token="<unk>")
        PreTrainedTokenizerFast(tokenizer_object=Tokenizer(vocabulary)).save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_build_takes_the_locked_commit(client: Client, hub: Hub, tmp_path: Path) -> None:
    repository = hub.repository("org/bert", small_bert(tmp_path / "first", 1))
    first = repository.branches["main"]
    folder = project(tmp_path / "project", "org/bert")
    done = client.command(folder, "build", "--update-lock")
    assert (done.returncode, done.stderr.count("downloading org/bert")) == (0, 1), done.stderr
    assert f'commit: "{first}"' in (folder / "gallery.lock").read_text()
    repository.push(small_bert(tmp_path / "second", 2))
    shutil.rmtree(client.home)  # as on another machine
    done = client.command(folder, "build", "--force")
    assert done.returncode == 0, done.stderr
    assert f"org/bert @ {first}" in (folder / "site/models/small/index.html").read_text()
    manifest = folder / "gallery.yaml"
    manifest.write_text(manifest.read_text().replace("org/bert", "org/bert\n    revision: main"))
    hub.asked.clear()
    done = client.command(folder, "build")
    assert done.returncode == 2
    reason = 'the model "small" is not the one that gallery.lock pins: revision none → "main"'
    assert f"gallery.yaml:4:13: {reason}" in done.stderr
    assert hub.asked == [], "nothing is downloaded for a model that is not locked"


def test_locking_a_model_of_the_hub(client: Client, hub: Hub, small: Repository, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "org/small")
    done = client.command(folder, "lock")
    assert (done.returncode, done.stdout) == (0, "small: added\nWrote gallery.lock: 1 model, 1 changed.\n")
    first = small.branches["main"]
    assert f'commit: "{first}"' in (folder / "gallery.lock").read_text()
    second = small.push({**FILES, "model.safetensors": save({"weight": np.ones(3, np.float32)})})
    shutil.rmtree(client.home)  # as on another machine
    done = client.command(folder, "lock")
    assert (done.returncode, done.stdout) == (0, "gallery.lock is up to date: 1 model.\n")
    done = client.command(folder, "lock", "--upgrade")
    assert f"small: commit {first[:12]} → {second[:12]}; weights " in done.stdout
    hub.stop()
    assert client.command(folder, "check").returncode == 0
    assert client.command(folder, "lock").returncode == 0
    assert client.command(folder, "lock", "--upgrade").returncode == 2
