"""An encoder-decoder is one entry of the manifest and three models of the gallery."""

from __future__ import annotations

import base64
import json
import re
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.build.plan.captures import Captures, needed_captures
from attention_gallery.build.project import read_project
from attention_gallery.errors import LinkError, ModelError, NoteError, Problem, UserError
from attention_gallery.models import FingerprintMemory
from attention_gallery.progress import SilentReporter
from attention_gallery.store import AttentionStore
from sample_gallery import MODELS, Sample, fill_store, make_model

BOTH = {"slug": "both", "title": "T5", "source": "./models/both", "description": "Reads and writes."}


def with_both(root: Path, notes: dict[str, str] | None = None, **extra: Any) -> Sample:
    models = [dict(MODELS[0]), {**BOTH, **extra}]
    sample = Sample.make(root, notes=notes or {}, models=models)
    make_model(root / "models" / "both", layers=2, heads=2, causal=True, crossing=True)
    return sample


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    notes = {
        "gallery.md": "[[both-cross/cat/L0H1]], [[both-encoder]] and [[models/both-decoder]]",
        "both-cross/cat.md": "Across.\n",
        "both-cross/cat/L1H1.md": "One of them.\n",
        "models/both-decoder/L0H0.md": "Writes.\n",
    }
    sample = with_both(tmp_path_factory.mktemp("both") / "project", notes)
    sample.build()
    return sample


def captures(sample: Sample) -> Captures:
    sample.save()
    project = read_project(sample.manifest, drafts=False)
    return needed_captures(project, FingerprintMemory(sample.cache / "fingerprints.json"))


def told(sample: Sample, kind: type[UserError]) -> list[Problem]:
    """What both `build` and `check` say is wrong."""
    sample.save()
    fill_store(sample.manifest)
    with pytest.raises(kind) as caught:
        build(sample.manifest, BuildOptions(), SilentReporter())
    with pytest.raises(UserError) as checked:
        check(sample.manifest, BuildOptions(), SilentReporter())
    found = caught.value.problems
    assert {one.reason for one in found} <= {one.reason for one in checked.value.problems}
    return list(found)


def test_each_kind_has_pages_of_its_own(built: Sample) -> None:
    for kind, title in (("encoder", "encoder"), ("decoder", "decoder"), ("cross", "cross attention")):
        assert f"T5, {title}" in built.page(f"models/both-{kind}")
        for route in (f"both-{kind}/cat", f"both-{kind}/river/l01h01", f"models/both-{kind}/l01h00"):
            assert built.page(route)
    assert not (built.site / "both").exists()
    assert not (built.site / "models" / "both").exists()


def test_the_kinds_lead_to_each_other(built: Sample) -> None:
    page = built.page("models/both-cross")
    assert "<p>encoder ../../models/both-encoder/</p>" in page
    assert "<p>decoder ../../models/both-decoder/</p>" in page
    assert "<p>cross attention </p>" in page
    assert "both-encoder" not in built.page("models/enc")


def test_the_home_page_has_a_column_for_each_kind(built: Sample) -> None:
    home = built.page("")
    for kind, caption in (
        ("encoder", "11 tokens"),
        ("decoder", "13 tokens"),
        ("cross", "13 target tokens looking at 11 source tokens"),
    ):
        cell = re.search(rf'<a href="both-{kind}/cat/">.*', home)
        assert cell is not None
        assert cell[0].endswith(f"{caption}</p>")
    assert home.count("Reads and writes.") == 1
    picture = re.search(r'src="both-cross/cat/thumbnail.png".*? width="(\d+)" height="(\d+)"', home)
    assert picture is not None
    assert (picture[1], picture[2]) == ("11", "13")


def test_notes_and_links_use_the_slugs_of_the_kinds(built: Sample) -> None:
    home = built.page("")
    for target in ("both-cross/cat/l00h01/", "models/both-encoder/", "models/both-decoder/"):
        assert f'href="{target}"' in home
    assert "Across." in built.page("both-cross/cat")
    assert "One of them." in built.page("both-cross/cat/l01h01")
    assert "Writes." in built.page("models/both-decoder/l00h00")


def test_the_numbers_on_the_pages_are_those_of_the_store(built: Sample) -> None:
    entry = AttentionStore(built.cache / "store").open(captures(built).keys["both-cross", "cat"])
    weights = np.stack([entry.layer(index).weights for index in range(2)])
    data = json.loads((built.site / "both-cross/cat/attention.json").read_text(encoding="utf-8"))
    assert data["tokens"]["texts"] == list(entry.tokens.texts)
    assert data["keys"]["texts"] == list(entry.keys.texts)
    packed = data["weights"]
    assert packed["shape"] == [2, 2, 13, 11]
    unpacked = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), "<u2")
    assert np.allclose(unpacked.reshape(packed["shape"]) / 65535, weights, atol=packed["error_below"])
    assert "keys" not in json.loads((built.site / "enc/cat/attention.json").read_text(encoding="utf-8"))
    for query, key, weight in re.findall(
        r"<p>\S+\[(\d+)\] → \S+\[(\d+)\] ([\d.]+)</p>", built.page("both-cross/cat/l01h01")
    ):
        assert float(weight) == pytest.approx(weights[1, 1, int(query), int(key)], abs=0.005)
    share = weights[0].mean(axis=0)[0]
    content = np.where(entry.keys.special, 0, share)
    best = int(content.argmax())
    assert f"L0: {entry.keys.texts[best]}[{best}] {content[best]:.3f}" in built.page("both-cross/cat")


def test_the_manifest_may_choose_kinds(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project", attention=["encoder", "cross"])
    sample.build()
    assert (sample.site / "both-encoder").is_dir()
    assert (sample.site / "both-cross").is_dir()
    assert not (sample.site / "both-decoder").exists()
    found = captures(sample)
    assert {model for model, _ in found.keys} == {"enc", "both-encoder", "both-cross"}
    assert set(found.keys_by_kind(1, "cat")) == {"encoder", "cross"}
    assert set(found.keys_by_kind(0, "cat")) == {"self"}


def test_one_kind_alone_has_no_others_to_lead_to(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project", attention=["cross"])
    sample.build()
    assert "<p>cross attention </p>" not in sample.page("models/both-cross")
    assert "Reads and writes." in sample.page("")


def test_every_kind_has_a_key_of_its_own(tmp_path: Path) -> None:
    found = captures(with_both(tmp_path / "project"))
    assert len(set(found.keys.values())) == len(found.keys) == 4 * 3


def test_one_job_captures_all_kinds_of_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = with_both(tmp_path / "project")
    jobs: list[dict[str, Any]] = []

    class Report:
        captured = 0

    class Module:
        @staticmethod
        def CaptureJob(**named: object) -> dict[str, object]:  # noqa: N802
            return named

        @staticmethod
        def capture_missing(given: Iterable[dict[str, Any]], *_: object, **options: object) -> type[Report]:
            jobs.extend(given)
            fill_store(sample.manifest)
            return Report

    monkeypatch.setitem(sys.modules, "attention_gallery.capturing", Module)  # type: ignore[arg-type]
    keys = captures(sample).keys
    fill_store(sample.manifest)
    AttentionStore(sample.cache / "store").remove(keys["both-decoder", "river"])
    build(sample.manifest, BuildOptions(), SilentReporter())
    [job] = jobs
    kinds = ("encoder", "decoder", "cross")
    assert job["keys"] == {kind: keys[f"both-{kind}", "river"] for kind in kinds}
    assert (job["title"], job["sentence"]) == ("T5", "river")


def test_kinds_of_a_model_without_them_are_told_at_their_line(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project")
    sample.settings["models"][0]["attention"] = ["cross"]
    [problem] = told(sample, ModelError)
    assert 'the model "Encoder" has no encoder, decoder and cross attention' in problem.reason
    assert problem.mend == "remove `attention`"
    assert (problem.quote or "").strip() == "attention:"
    assert problem.file == sample.manifest


@pytest.mark.parametrize("first", [True, False])
def test_two_models_with_one_address_are_told_with_both_lines(tmp_path: Path, first: bool) -> None:
    sample = with_both(tmp_path / "project")
    other = {"slug": "both-cross", "title": "Other", "source": "./models/enc"}
    sample.settings["models"].insert(0 if first else 2, other)
    [problem] = told(sample, ModelError)
    lines = sample.manifest.read_text(encoding="utf-8").splitlines()
    places = [i + 1 for i, line in enumerate(lines) if re.search(r"slug: both(-cross)?$", line)]
    assert problem.line == places[1]
    assert f'the slug "both-cross" is already that of line {places[0]}' in problem.reason
    assert '"T5, cross attention" has it for its cross attention' in problem.reason


def test_a_note_about_the_whole_model_is_told_which_kinds_there_are(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project", {"both/cat.md": "Which?\n"}, attention=["encoder", "cross"])
    [problem] = told(sample, NoteError)
    assert problem.reason == 'the gallery has no model "both"'
    assert problem.mend == "it is shown as both-encoder, both-cross"
    assert (problem.file or Path()).name == "cat.md"


def test_notes_are_held_against_the_kinds_before_anything_is_captured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = with_both(tmp_path / "project", {"enc-cross/cat.md": "Which?\n"})
    monkeypatch.setitem(sys.modules, "attention_gallery.capturing", None)
    with pytest.raises(NoteError, match='no model "enc-cross"'):
        build(sample.manifest, BuildOptions(), SilentReporter())


def test_a_kind_that_is_not_shown_has_no_notes(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project", {"both-decoder/cat.md": "Gone.\n"}, attention=["cross"])
    [problem] = told(sample, NoteError)
    assert problem.reason == 'the gallery has no model "both-decoder"'


@pytest.mark.parametrize("link", ["both/cat", "models/both", "both"])
def test_a_link_to_the_whole_model_is_told_which_kinds_there_are(tmp_path: Path, link: str) -> None:
    sample = with_both(tmp_path / "project", {"gallery.md": f"See [[{link}]].\n"})
    [problem] = told(sample, LinkError)
    assert "both" in problem.reason
    assert problem.mend == "it is shown as both-encoder, both-decoder, both-cross"


def test_a_note_about_a_kind_of_a_draft_waits_with_it(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project", {"both-cross/cat.md": "Later.\n"}, draft=True)
    sample.build()
    assert not (sample.site / "both-cross").exists()


def test_heads_of_a_kind_are_checked_once_it_was_captured(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project", {"both-cross/cat/L0H5.md": "No such head.\n"})
    [problem] = told(sample, NoteError)
    assert problem.reason == "both-cross has no head L0H5"


def test_a_change_of_kinds_makes_only_what_changed(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project")
    sample.build()
    before = sample.stamps()
    sample.settings["models"][1]["attention"] = ["encoder", "cross"]
    sample.build()
    after = sample.stamps()
    assert not [name for name in after if name.startswith(("both-decoder", "models/both-decoder"))]
    kept = [name for name in after if name.startswith("both-cross/cat/l")]
    assert kept
    assert all(after[name] == before[name] for name in kept)
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


def test_a_former_slug_of_an_encoder_decoder_leads_to_each_of_its_kinds(tmp_path: Path) -> None:
    sample = with_both(tmp_path / "project", aliases=["old"])
    sample.build()
    for kind in ("encoder", "decoder", "cross"):
        assert f'href="../../both-{kind}/cat/index.html"' in sample.page(f"old-{kind}/cat/")
        assert f'href="../../models/both-{kind}/index.html"' in sample.page(f"models/old-{kind}/")
