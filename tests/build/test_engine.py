"""Two builds at once, damaged captures, drafts, warnings and mistakes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from filelock import FileLock

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.build.checks import inspect_site
from attention_gallery.errors import DamagedEntry, ManifestError, ModelError, OutputError, UserError
from attention_gallery.models.sources import model_files
from attention_gallery.progress import SilentReporter
from attention_gallery.store import AttentionStore
from sample_gallery import Sample, fill_store


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = Sample.make(tmp_path_factory.mktemp("base") / "project")
    sample.build()
    return sample


# Two builds at once


def test_a_second_build_says_so_and_stops(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    sample.settings["title"] = "Changed"
    sample.save()
    with FileLock(sample.cache / "build.lock"):
        with pytest.raises(OutputError, match="another build of this gallery is running"):
            build(sample.manifest, BuildOptions(), SilentReporter())
        command = [sys.executable, "-m", "attention_gallery", "-m", str(sample.manifest), "build"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "another build" in ended.stderr
    assert sample.tree() == built.tree()
    sample.build()
    assert "<h1>Changed</h1>" in sample.page("")


def test_two_builds_that_begin_together_end_in_a_whole_site(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    sample.settings["title"] = "Changed"
    sample.save()
    command = [
        sys.executable,
        "-m",
        "attention_gallery",
        "-q",
        "-m",
        str(sample.manifest),
        "build",
        "--force",
    ]
    running = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    codes = sorted(one.wait(60) for one in running)
    assert codes in ([0, 0], [0, 2])
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


# Damage to the store


def synthetic_capture(
    monkeypatch: pytest.MonkeyPatch, sample: Sample, spoil: Callable[[Path], None] | None = None
) -> list[int]:
    """Let the build capture by filling the store with the same numbers; how many jobs each call had.

    `spoil` is done to each data file that appears.
    """
    calls: list[int] = []

    class Report:
        captured = 0

    class Module:
        @staticmethod
        def CaptureJob(**named: object) -> dict[str, object]:  # noqa: N802
            return named

        @staticmethod
        def capture_missing(jobs: Iterable[object], *_: object, **options: object) -> Report:
            calls.append(len(list(jobs)))
            known = set(sample.cache.glob("store/*/*.safetensors"))
            fill_store(sample.manifest)
            for path in set(sample.cache.glob("store/*/*.safetensors")) - known:
                if spoil is not None:
                    spoil(path)
            report = Report()
            report.captured = calls[-1]
            return report

    monkeypatch.setitem(sys.modules, "attention_gallery.capturing", Module)  # type: ignore[arg-type]
    return calls


def damage(path: Path, at: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize(("suffix", "at"), [("safetensors", 0.02), ("safetensors", 0.95), ("json", 0.5)])
def test_a_damaged_capture_is_told_and_captured_again(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, at: float
) -> None:
    sample = built.copy(tmp_path / "copy", clean=True)
    calls = synthetic_capture(monkeypatch, sample)
    for path in sorted(sample.cache.glob(f"store/*/*.{suffix}"))[:2]:
        damage(path, at)
    reporter = SilentReporter()
    report = build(sample.manifest, BuildOptions(), reporter)
    assert calls == [2]
    assert report.captured == 2
    assert len(reporter.warnings) == 2
    assert all("stored capture" in one and "is captured again" in one for one in reporter.warnings)
    assert sample.tree() == built.tree()


def test_what_is_damaged_again_and_again_ends_the_build(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = built.copy(tmp_path / "copy")
    (sample.cache / "build.sqlite").unlink()
    shutil.rmtree(sample.cache / "analysis")  # so that every capture is read, whichever is the first
    calls = synthetic_capture(monkeypatch, sample, spoil=lambda path: damage(path, 0.95))
    # One whose weights pages show; random tokens are read for their measures alone, which are cached.
    shown = [path for path in sample.cache.glob("store/*/*.json") if "The cat" in path.read_text("utf-8")]
    damage(min(shown).with_suffix(".safetensors"), 0.95)
    with pytest.raises(DamagedEntry, match=r"captured again just now: \w+ · [\w ,]+; the disk .* failing"):
        build(sample.manifest, BuildOptions(force=True), SilentReporter())
    assert calls == [1], "once is enough"
    assert sample.tree() == built.tree()


def test_lost_captures_are_made_again(built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = built.copy(tmp_path / "copy", clean=True)
    calls = synthetic_capture(monkeypatch, sample)
    store = AttentionStore(sample.cache / "store")
    for key in store.keys()[:3]:
        store.remove(key)
    assert build(sample.manifest, BuildOptions(), SilentReporter()).captured == 3
    assert calls == [3]
    assert sample.tree() == built.tree()


def test_damaged_analyses_are_made_again(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    for path in (path for path in sample.cache.glob("analysis/*/*") if path.is_file()):
        damage(path, 0.9)
    sample.settings["title"] = "Changed"
    sample.build()
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


# Drafts, warnings, mistakes


def test_drafts_appear_only_when_asked_for(sample: Sample) -> None:
    sample.sentence("short")["draft"] = True
    sample.note("notes/second.md", "---\ndraft: true\n---\n# Second\n")
    sample.build()
    assert not (sample.site / "sentences" / "short").exists()
    assert not (sample.site / "notes" / "second").exists()
    sample.build(drafts=True)
    assert (sample.site / "sentences" / "short").is_dir()
    assert (sample.site / "notes" / "second").is_dir()
    sample.build()
    assert not (sample.site / "sentences" / "short").exists()
    assert not (sample.site / "notes" / "second").exists()


def test_a_site_that_is_too_large_is_a_warning_and_strictly_an_error(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_site, "LARGEST_SITE", 1000)
    report = sample.build()
    assert "GitHub Pages" in report.warnings[0]
    reporter = SilentReporter()
    assert sample.build(reporter).warnings == report.warnings
    assert reporter.warnings == list(report.warnings), "an unchanged build tells its warnings again"
    before = sample.tree()
    sample.settings["title"] = "Changed"
    for _ in range(2):
        with pytest.raises(OutputError, match="GitHub Pages"):
            sample.build(strict=True)
    assert sample.tree() == before


def test_mistakes_of_every_room_end_in_one_user_error(sample: Sample) -> None:
    sample.build()
    before = sample.tree()
    for change, kind in (
        (lambda: sample.settings.update(theme="nowhere"), UserError),
        (lambda: sample.settings.update(titel="x"), ManifestError),
        (lambda: sample.settings["models"][0].update(source="./models/gone"), ModelError),
        (lambda: sample.note("enc/cat/L7H7.md", "# No such head\n"), UserError),
    ):
        kept = dict(sample.settings, models=[dict(one) for one in sample.settings["models"]])
        change()
        sample.save()
        with pytest.raises(kind) as caught:
            build(sample.manifest, BuildOptions(), SilentReporter())
        assert caught.value.exit_code == 2
        assert sample.tree() == before
        sample.settings = kept
    (sample.root / "content" / "enc" / "cat" / "L7H7.md").unlink()
    assert sample.build().written == 0


def test_all_missing_models_are_told_at_once(sample: Sample) -> None:
    for model in sample.settings["models"]:
        model["source"] += "-gone"
    sample.save()
    with pytest.raises(ModelError) as caught:
        build(sample.manifest, BuildOptions(), SilentReporter())
    assert len(caught.value.problems) == 2
    assert [problem.line is not None for problem in caught.value.problems] == [True, True]


def test_no_manifest_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file"):
        build(tmp_path / "gallery.yaml", BuildOptions(), SilentReporter())
    assert not (tmp_path / ".gallery").exists()


def test_two_pages_cannot_share_an_address(sample: Sample) -> None:
    sample.sentence("cat")["aliases"] = ["old"]
    sample.sentence("river")["aliases"] = ["old"]
    with pytest.raises(UserError, match="old"):
        sample.build()


def test_aliases_lead_to_the_present_pages(sample: Sample) -> None:
    sample.sentence("cat")["aliases"] = ["old-cat"]
    sample.settings["models"][1]["aliases"] = ["docs"]
    sample.settings["base_url"] = "https://example.org/g"
    sample.build()
    for old, new in (
        ("sentences/old-cat/", "../../sentences/cat/index.html"),
        ("enc/old-cat/", "../../enc/cat/index.html"),
        ("dec/old-cat/l00h02/", "../../../dec/cat/l00h02/index.html"),
        ("docs/cat/", "../../dec/cat/index.html"),
        ("docs/old-cat/l00h02/", "../../../dec/cat/l00h02/index.html"),
        ("models/docs/l00h02/", "../../../models/dec/l00h02/index.html"),
    ):
        html = sample.page(old)
        assert f'content="1; url={new}"' in html
        assert f'href="{new}"' in html
    sitemap = (sample.site / "sitemap.xml").read_text()
    assert "old-cat" not in sitemap
    assert "docs" not in sitemap


def test_the_sitemap_has_every_page_and_no_other(sample: Sample) -> None:
    sample.settings["base_url"] = "https://example.org/g/"
    sample.build()
    xml = (sample.site / "sitemap.xml").read_text()
    pages = {path.parent.relative_to(sample.site).as_posix() for path in sample.site.rglob("index.html")}
    wanted = {"https://example.org/g/" + ("" if one == "." else one + "/") for one in pages}
    assert {
        line.split("<loc>")[1].split("</loc>")[0] for line in xml.split("\n") if "<loc>" in line
    } == wanted
    assert "Sitemap: https://example.org/g/sitemap.xml" in (sample.site / "robots.txt").read_text()
    assert 'href="/g/' in (sample.site / "404.html").read_text()


def test_check_writes_nothing(sample: Sample) -> None:
    assert check(sample.manifest, BuildOptions(), SilentReporter()).pages == 0
    assert not sample.site.exists()
    assert not sample.cache.exists()
    sample.build()
    report = check(sample.manifest, BuildOptions(), SilentReporter())
    assert report.pages == len(list(sample.site.rglob("*.html")))


def test_the_report_counts_what_is_there(sample: Sample) -> None:
    report = sample.build()
    files = [path for path in sample.site.rglob("*") if path.is_file() and path.name[0] != "."]
    assert report.pages == len([path for path in files if path.suffix == ".html"])
    assert report.size == sum(path.stat().st_size for path in files)
    assert report.written == len(files)
    assert list(report.seconds) == ["look", "read", "capture", "plan", "write", "check", "swap"]


def test_only_what_is_used_of_the_project_is_read(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe in the project folder would hang a build that opened it."""
    os.mkfifo(sample.root / "pipe")
    monkeypatch.setattr(model_files, "_neighbours", lambda path: "")
    sample.build()
    assert (sample.site / "index.html").is_file()
