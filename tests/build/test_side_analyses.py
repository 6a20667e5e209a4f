"""Side analyses that fail: each is told of and left out, and the site is there all the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from attention_gallery.analysis.attribution import views
from attention_gallery.analysis.contrast import contrast_codec
from attention_gallery.analysis.experiments import prefix_sweep, repeated_tokens
from attention_gallery.analysis.measures import analysis_codec
from attention_gallery.analysis.probing import argmax_targets
from attention_gallery.analysis.result import Result, Subject
from attention_gallery.analysis.similarity import distances, head_map
from attention_gallery.build.execute import cached_data, write_site
from attention_gallery.errors import DamagedEntry, ModelError, OutputError, Problem
from attention_gallery.pages.readers import model_probe
from attention_gallery.pages.side_results import SideAnalyses
from attention_gallery.records import SideOutputs, failure_reason
from sample_gallery import Sample
from siblings import siblings

TEXT = " ".join(f"word{number}" for number in range(12))
RELATION = {"from": "it", "to": "cat", "kind": "coreference"}
CONTRASTS = (
    {"slug": "of-heads", "model": "enc", "heads": ["L0H1", "L1H0"]},
    {"slug": "of-models", "models": ["enc", "dec"], "sentence": "cat"},
    {"slug": "of-sentences", "model": "enc", "sentences": ["cat", "river"]},
)
# What is made to fail, the page that lacks it, and what is said of it.
FAILING = {
    "map": (head_map, "map_heads", "models/enc", "the map and the distances of heads of Encoder"),
    "distances": (
        distances,
        "measure_distances",
        "models/enc/l00h00",
        "the map and the distances of heads of Encoder",
    ),
    "flow": (views, "flow_views", "enc/cat", "other views of the flow of “The tired cat” in Encoder"),
    "lengths": (prefix_sweep, "read_length", "models/dec/length", "measures at several lengths of Decoder"),
    "repeats": (repeated_tokens, "measure_repeats", "models/dec", "scores on random tokens of Decoder"),
    "probes": (model_probe, "head_relations", "models/enc", "probes of relations of Encoder"),
    "looks": (argmax_targets, "find_argmax_targets", "models/dec", "probes of relations of Decoder"),
    "two heads": (distances, "measure_distances", "contrasts/of-heads", "distances of heads of “"),
    "two models": (contrast_codec, "find_counterparts", "contrasts/of-models", "distances of heads of “"),
    "two sentences": (contrast_codec, "contrast_heads", "contrasts/of-sentences", "distances of heads of “"),
}


def full(root: Path) -> Sample:
    sample = Sample.make(root, lengths={"text": TEXT, "words": [4, 8]})
    sample.settings["contrasts"] = [dict(one) for one in CONTRASTS]
    sample.sentence("cat")["relations"] = [dict(RELATION)]
    sample.settings["theme"] = "default"
    return sample


def fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError("no such luck")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = full(tmp_path_factory.mktemp("side") / "whole")
    report = sample.build(strict=True)
    assert report.warnings == ()
    return sample


@pytest.mark.parametrize("name", siblings(FAILING, 4))
def test_what_fails_is_left_out_and_told(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module, function, route, said = FAILING[name]
    sample = whole.copy(tmp_path / "project", clean=True)
    with monkeypatch.context() as patched:
        patched.setattr(module, function, fail)
        if function == "find_argmax_targets":
            patched.setattr(cached_data, "analyse_with_targets", fail)
        first = sample.build()
        assert any(warning.startswith(said) for warning in first.warnings), first.warnings
        assert all("ZeroDivisionError: no such luck" in warning for warning in first.warnings)
        assert "working them out failed (ZeroDivisionError)" in sample.page(route)
        assert set(sample.tree()) == set(whole.tree())
        again = sample.build(force=False)
        assert again.warnings == first.warnings
        sample.note("about.md", "# About\n\nSomething else.\n")
        assert sample.build().warnings == first.warnings, "a build that makes few pages tells it, too"
    sample.note("about.md", whole.root.joinpath("content/about.md").read_text(encoding="utf-8"))
    sample.note("notes/first.md", "# First\n\nA note with [[dec]], changed.\n")
    assert sample.build().warnings == ()
    sample.note("notes/first.md", whole.root.joinpath("content/notes/first.md").read_text(encoding="utf-8"))
    sample.build()
    assert sample.tree() == whole.tree(), "what comes back is as if it had never failed"


def test_what_failed_once_comes_back_without_any_edit(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = whole.copy(tmp_path / "project", clean=True)
    with monkeypatch.context() as patched:
        patched.setattr(head_map, "map_heads", fail)
        assert sample.build(force=False).warnings
        assert sample.build(force=False).warnings, "it fails still"
    assert sample.build(force=False).warnings == ()
    assert sample.tree() == whole.tree()
    assert sample.build(force=False).written == 0


def test_a_capture_that_is_removed_meanwhile_is_no_analysis_that_failed(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = whole.copy(tmp_path / "project", clean=True)
    sample.build()
    before = sample.tree()
    for path in (sample.cache / "analysis").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    read = cached_data.CachedData.result

    def remove_first(self: cached_data.CachedData, result: Result[Any], subject: Subject) -> Any:
        if result is repeated_tokens.REPEATED_TOKENS:
            self._store.remove(*subject.captures)
        return read(self, result, subject)

    monkeypatch.setattr(cached_data.CachedData, "result", remove_first)
    with pytest.raises(DamagedEntry, match="was removed while it was needed"):
        sample.build(force=True)
    assert sample.tree() == before


def test_what_notes_and_pages_both_ask_for_is_told_once(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = whole.copy(tmp_path / "project", clean=True)
    claims = "  - {relation: previous word, of: models/dec, at_least: 0.1}"
    sample.note("models/dec.md", f"---\nclaims:\n{claims}\n---\nA claim.\n")
    monkeypatch.setattr(argmax_targets, "find_argmax_targets", fail)
    monkeypatch.setattr(cached_data, "analyse_with_targets", fail)
    told = [one for one in sample.build().warnings if one.startswith("probes of relations of ")]
    assert sorted(one.split(" are left out")[0] for one in told) == [
        "probes of relations of Decoder",
        "probes of relations of Encoder",
    ]


def test_a_site_that_is_written_again_after_damage_tells_what_is_left_out_once(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = whole.copy(tmp_path / "project", clean=True)
    monkeypatch.setattr(head_map, "map_heads", fail)
    monkeypatch.setattr("attention_gallery.build.plan.captures.drop_damaged", lambda *_: {"one"})
    check, damages = write_site._check, iter([DamagedEntry("broken")])

    def damaged_once(*given: Any) -> None:
        check(*given)
        for error in damages:
            raise error

    monkeypatch.setattr(write_site, "_check", damaged_once)
    warnings = sample.build().warnings
    assert warnings
    assert len(warnings) == len(set(warnings))


def test_nothing_of_all_this_is_needed(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = whole.copy(tmp_path / "project", clean=True)
    for module, function, _, _ in FAILING.values():
        monkeypatch.setattr(module, function, fail)
    sample.build()
    assert set(sample.tree()) == set(whole.tree())
    told = json.loads((sample.site / "models/enc/heads.json").read_bytes())
    assert told["relations"] == []
    assert any("Probes of relations" in sentence for sentence in told["left_out"])


def test_a_strict_build_refuses_what_is_left_out(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = whole.copy(tmp_path / "project", clean=True)
    monkeypatch.setattr(head_map, "map_heads", fail)
    with pytest.raises(OutputError, match="are left out"):
        sample.build(strict=True)


def test_a_claim_about_what_failed_is_passed_over(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = whole.copy(tmp_path / "project", clean=True)
    claim = "claims:\n  - {relation: previous word, of: models/dec, at_least: 0.1}\n"
    sample.note("models/dec.md", f"---\n{claim}---\nA claim.\n")
    monkeypatch.setattr(model_probe.ModelProbe, "by_kind", property(fail))
    assert any("probes of relations" in warning for warning in sample.build().warnings)


@pytest.mark.parametrize(
    "error",
    [
        DamagedEntry("broken"),
        ModelError([Problem("wrong")]),
        PermissionError("not yours"),
        MemoryError(),
    ],
    ids=repr,
)
def test_mistakes_damage_and_the_machine_keep_their_meaning(error: Exception) -> None:
    sides = SideAnalyses()

    def work() -> Any:
        raise error

    with pytest.raises(type(error)):
        sides.take("maps", "x", work, None)
    with pytest.raises(type(error)):
        sides.once("key", work)
    assert sides.once("key", lambda: 1) == 1, "what may be mended is tried again"
    assert sides.everything == ()


def test_what_is_needed_still_fails_aloud(
    whole: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = whole.copy(tmp_path / "project", clean=True)
    monkeypatch.setattr(analysis_codec, "analyse", fail)
    monkeypatch.setattr(cached_data, "analyse_with_targets", fail)
    with pytest.raises(ZeroDivisionError):
        sample.build()


def test_what_failed_while_the_model_ran_is_told_by_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = failure_reason(ZeroDivisionError("no such luck"))
    side_outputs = SideOutputs(no_norms=reason, no_predictions=reason)
    monkeypatch.setattr("sample_gallery.side_outputs_of", lambda *_: side_outputs)
    sample = full(tmp_path)
    report = sample.build()
    for said in ("the lengths of what heads take of “Short” in Decoder", "predictions of “Short” in Decoder"):
        assert any(warning.startswith(said) for warning in report.warnings), report.warnings
    page = sample.page("dec/short")
    assert "The lengths of what heads take of “Short” in Decoder are left out here" in page
    assert "No predictions are shown: working them out failed" in page
    assert sample.build().warnings == report.warnings
