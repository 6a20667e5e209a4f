"""`clean` removes what the generator made and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from attention_gallery.analysis import BUILT_IN, gold_of
from attention_gallery.analysis.measures.analysis_codec import ANALYSIS
from attention_gallery.analysis.probing.argmax_targets import ARGMAX_TARGETS
from attention_gallery.analysis.result import Subject
from attention_gallery.analysis.similarity.distances import DISTANCES
from attention_gallery.analysis.similarity.head_map import HEAD_MAP
from attention_gallery.build.execute.ownership import MARKER, marker_bytes, owned_files
from attention_gallery.build.plan.captures import needed_captures
from attention_gallery.build.project import read_project
from attention_gallery.models import FingerprintMemory
from attention_gallery.records import AttentionLayer, ModelFacts, Provenance, Tokens
from attention_gallery.store import AttentionStore
from sample_environment import sample_environment


@pytest.fixture
def site(project: Path) -> Path:
    site = project / "site"
    (site / "minilm" / "cat").mkdir(parents=True)
    (site / "index.html").write_text("home")
    (site / "minilm" / "cat" / "index.html").write_text("cat")
    (site / MARKER).write_bytes(marker_bytes(["index.html", "minilm/cat/index.html"]))
    return site


def put(store: AttentionStore, key: str) -> None:
    """A capture of one token under one head."""
    tokens = Tokens(np.zeros(1, np.int64), ("a",), np.zeros(1, np.bool_), np.zeros(1, np.bool_))
    facts = ModelFacts("Bert", "bert", 1, 1, 1, False, 8, 4, 10, 10, "safetensors")
    with store.writer(key, "a", tokens, facts) as writer:
        writer.write(AttentionLayer(0, "encoder", np.ones((1, 1, 1), np.float32)))
        writer.finish(Provenance("w", "t", "s", None, sample_environment(), 0.0))


@pytest.fixture
def store(project: Path) -> AttentionStore:
    """A store with the one capture that the manifest needs, one that it does not, and their analyses."""
    cache = project / ".gallery"
    found = read_project(project / "gallery.yaml", drafts=True)
    [used] = needed_captures(found, FingerprintMemory(cache / "fingerprints.json")).keys.values()
    store = AttentionStore(cache / "store")
    for key in (used, "f" * 64):
        put(store, key)
        settings = found.manifest.settings.analysis
        names = [result.key(Subject.from_key(key), settings) for result in (DISTANCES, HEAD_MAP)]
        for name in (ANALYSIS.key(Subject((key,), BUILT_IN), settings), *names):
            (cache / "analysis" / name[:2]).mkdir(parents=True, exist_ok=True)
            (cache / "analysis" / name[:2] / name).write_bytes(b"x")
    [gold] = [gold_of(sentence) for sentence in found.manifest.settings.sentences]
    for key in (used, "f" * 64):
        name = ARGMAX_TARGETS.key(Subject((key,), gold), found.manifest.settings.analysis)
        (cache / "analysis" / name[:2]).mkdir(parents=True, exist_ok=True)
        (cache / "analysis" / name[:2] / name).write_bytes(b"looks")
    return store


def test_captures_that_nobody_uses_are_removed(project, store, invoke):
    result = invoke("clean")
    assert result.exit_code == 0, result.output
    assert "Removed 1 unused capture" in result.stdout
    assert len(store.keys()) == 1
    assert not store.has("f" * 64)
    assert len([path for path in (project / ".gallery" / "analysis").rglob("*") if path.is_file()]) == 4
    assert "Removed 0 unused captures" in invoke("clean", "--store").stdout


def test_captures_of_drafts_are_in_use(project, store, invoke):
    manifest = project / "gallery.yaml"
    manifest.write_text(manifest.read_text() + "    draft: true\n")
    invoke("clean")
    assert len(store.keys()) == 1


def test_with_a_broken_manifest_nothing_is_removed(project, store, invoke):
    (project / "gallery.yaml").write_text("nonsense")
    assert invoke("clean").exit_code == 2
    assert len(store.keys()) == 2


def test_the_site_goes_without_its_folder_when_all_was_ours(project, site, store, invoke):
    result = invoke("clean", "--site")
    assert "Removed 3 files of site" in result.stdout
    assert not site.exists()
    assert len(store.keys()) == 2


def test_foreign_files_in_the_site_stay(project, site, invoke):
    (site / "CNAME").write_text("example.org")
    (site / "minilm" / "mine.html").write_text("mine")
    result = invoke("clean", "--site")
    assert "Kept 2 files" in result.stdout
    assert sorted(path.name for path in site.rglob("*") if path.is_file()) == [MARKER, "CNAME", "mine.html"]
    assert owned_files(site, force=False) == {MARKER}, "the next build may write there again"
    assert "Kept 2 files" in invoke("clean", "--site").stdout
    (site / "CNAME").unlink()
    (site / "minilm" / "mine.html").unlink()
    invoke("clean", "--site")
    assert not site.exists()


def test_a_site_that_is_not_ours_is_refused(project, site, invoke):
    (site / MARKER).unlink()
    result = invoke("clean", "--all")
    assert result.exit_code == 2
    assert "did not write" in result.stderr
    assert (site / "index.html").exists()


@pytest.mark.parametrize(
    "name", ["../precious.txt", "/precious.txt", "linked/precious.txt", "a/../../precious.txt"]
)
def test_a_tampered_list_removes_nothing_outside(project, site, invoke, name):
    precious = project / "precious.txt"
    precious.write_text("precious")
    (site / "linked").symlink_to(project)
    listed = name if not name.startswith("/") else str(precious)
    (site / MARKER).write_text(json.dumps({"generator": "attention-gallery", "format": 1, "files": [listed]}))
    invoke("clean", "--site")
    assert precious.read_text() == "precious"


def test_all_removes_the_site_and_the_whole_store(project, site, store, invoke):
    assert invoke("clean", "--all").exit_code == 0
    assert not site.exists()
    assert not (project / ".gallery").exists()
    assert sorted(path.name for path in project.iterdir()) == ["gallery.yaml"]


def test_cleaning_what_is_not_there_is_no_mistake(project, invoke):
    for flags in ([], ["--site"], ["--all"]):
        result = invoke("clean", *flags)
        assert result.exit_code == 0, result.output
    assert sorted(path.name for path in project.iterdir()) == ["gallery.yaml"]


def test_during_a_build_nothing_is_cleaned(project, site, store, invoke):
    with FileLock(project / ".gallery" / "build.lock"):
        result = invoke("clean", "--all")
    assert result.exit_code == 2
    assert "is running" in result.stderr
    assert site.exists()


@pytest.mark.parametrize("flags", [[], ["--site"], ["--all"]])
def test_the_lock_stays(project, site, store, invoke, flags):
    assert invoke("lock").exit_code == 0
    text = (project / "gallery.lock").read_text()
    assert invoke("clean", *flags).exit_code == 0
    assert (project / "gallery.lock").read_text() == text
