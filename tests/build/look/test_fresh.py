"""`check --fresh` reads the site; everything else looks at stamps."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, check
from attention_gallery.build.execute import staging
from attention_gallery.build.look import unchanged
from attention_gallery.errors import OutputError, UserError
from attention_gallery.progress import SilentReporter
from attention_gallery.stamps import Stamp, stamp_of
from sample_gallery import Sample


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = Sample.make(tmp_path_factory.mktemp("base") / "project")
    time.sleep(0.05)
    sample.build()
    return sample


def fresh(sample: Sample) -> None:
    check(sample.manifest, BuildOptions(fresh=True), SilentReporter())


def one_bit(page: Path) -> None:
    data = bytearray(page.read_bytes())
    data[len(data) // 2] ^= 1
    page.write_bytes(data)


def longer(page: Path) -> None:
    page.write_bytes(page.read_bytes() + b" ")


def elsewhere(page: Path) -> None:
    page.rename(page.with_name("other"))
    page.symlink_to("other")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (one_bit, "the file is not as the build left it"),
        (longer, "the file is not as the build left it"),
        (elsewhere, "this is no longer a plain file"),
    ],
)
@pytest.mark.parametrize(
    "name", ["enc/cat/l00h01/index.html", "enc/cat/thumbnail.png", "enc/cat/attention.json"]
)
def test_a_file_that_differs_is_named(
    built: Sample, tmp_path: Path, change: Callable[[Path], None], told: str, name: str
) -> None:
    sample = built.copy(tmp_path / "copy")
    fresh(sample)
    name = (
        name
        if (sample.site / name).exists()
        else next(
            one for one in sample.tree() if one.startswith("enc/cat/") and one.endswith(Path(name).suffix)
        )
    )
    change(sample.site / name)
    with pytest.raises(OutputError, match=told) as caught:
        fresh(sample)
    assert [problem.file for problem in caught.value.problems] == [sample.site / name]
    assert "build --force" in str(caught.value)


def test_a_file_that_is_gone_is_named_among_all_others(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    (sample.site / "about" / "index.html").write_text("Mine.", encoding="utf-8")
    (sample.site / "enc" / "cat" / "attention.json").unlink()
    with pytest.raises(UserError) as caught:
        fresh(sample)
    text = str(caught.value)
    assert "attention.json" in text


def test_a_change_that_no_stamp_shows_is_found_by_it_alone(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = built.copy(tmp_path / "copy")
    time.sleep(0.05)
    sample.build()
    page = sample.site / "about" / "index.html"
    before = page.stat()
    one_bit(page)
    after = stamp_of(page.stat())

    def blind(status: object) -> Stamp:
        found = stamp_of(status)  # type: ignore[arg-type]
        return stamp_of(before) if found == after else found

    monkeypatch.setattr(unchanged, "stamp_of", blind)
    monkeypatch.setattr(staging, "stamp_of", blind)
    assert list(sample.build().seconds) == ["look"]
    check(sample.manifest, BuildOptions(), SilentReporter())
    with pytest.raises(OutputError, match="about"):
        fresh(sample)
    sample.build(force=True)
    fresh(sample)
    assert sample.tree() == built.tree()


def test_without_a_record_there_is_nothing_to_compare_with(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    (sample.cache / "build.sqlite").unlink()
    with pytest.raises(OutputError, match="nothing tells what the build wrote"):
        fresh(sample)
    shutil.rmtree(sample.site)
    fresh(sample)  # there is no site to compare


def test_pages_that_were_taken_over_are_compared_too(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    sample.note("about.md", "# About\n\nSaid anew.\n")
    assert sample.build().reused > 20
    fresh(sample)
    one_bit(sample.site / "enc" / "cat" / "index.html")
    with pytest.raises(OutputError, match="not as the build left it"):
        fresh(sample)
