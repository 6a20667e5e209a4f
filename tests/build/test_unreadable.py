"""Nothing of the user's that cannot be read is passed over in silence: it is told, and the site stays."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.errors import GalleryError, OutputError
from attention_gallery.progress import SilentReporter
from sample_gallery import Sample, fill_store
from siblings import siblings

Spoil = Callable[[Sample], Path]


def nowhere(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to("nothing-of-this-name")
    return path


def circle(path: Path) -> Path:
    nowhere(path)
    path.unlink()
    path.symlink_to(path.name)
    return path


def pipe(path: Path) -> Path:
    nowhere(path)
    path.unlink()
    os.mkfifo(path)
    return path


def a_file(path: Path) -> Path:
    nowhere(path)
    path.unlink()
    path.write_text("in the way", encoding="utf-8")
    return path


def no_text(path: Path) -> Path:
    """Another name that is no UTF-8."""
    path.rename(path.with_name(os.fsdecode(b"name\xff.md")))
    return path.parent


def with_treebank(sample: Sample) -> Path:
    sample.settings["sentences"].append({"conllu": "trees.conllu"})
    sample.save()
    return sample.root / "trees.conllu"


def with_measure(sample: Sample) -> Path:
    sample.settings["analysis"] = {"measures": ["own:far"]}
    sample.save()
    return sample.root / "own.py"


def own_theme(sample: Sample) -> None:
    sample.write("themes/mine/theme.yaml", "name: mine\nextends: tiny\n")
    sample.write("themes/mine/templates/404.html", '{% extends "base.html" %}')
    sample.settings["theme"] = "mine"
    sample.save()


def project_themes(sample: Sample) -> Path:
    """The folder of themes, of which none is asked for by a name that the package lacks."""
    sample.settings["theme"] = "default"
    sample.save()
    return sample.root / "themes"


def default_theme(sample: Sample) -> Path:
    """A theme of the project that has the name of a packaged one."""
    sample.write("themes/default/templates/404.html", "Mine.\n")
    sample.settings["theme"] = "default"
    sample.save()
    return sample.root / "themes" / "default" / "theme.yaml"


def in_theme(sample: Sample, name: str) -> Path:
    own_theme(sample)
    return sample.root / "themes" / "mine" / name


def missing_content(sample: Sample) -> Path:
    sample.settings["content"] = "contents"
    sample.save()
    return sample.root / "contents"


SPOILT: dict[str, tuple[Spoil, str]] = {
    "content nowhere": (lambda s: nowhere(s.root / "content"), "the link leads nowhere"),
    "content circle": (lambda s: circle(s.root / "content"), "cannot be (read|followed)"),
    "content a file": (lambda s: a_file(s.root / "content"), "the content folder is a file"),
    "content a pipe": (lambda s: pipe(s.root / "content"), "the content folder is a file"),
    "content missing": (missing_content, 'there is no folder "contents"'),
    "note nowhere": (lambda s: nowhere(s.root / "content" / "about.md"), "the link leads nowhere"),
    "note circle": (lambda s: circle(s.root / "content" / "about.md"), "the link leads in a circle"),
    "note a pipe": (lambda s: pipe(s.root / "content" / "about.md"), "it is a named pipe"),
    "note no text": (lambda s: no_text(s.root / "content" / "about.md"), "name has a character"),
    "notes a link": (lambda s: circle(s.root / "content" / "models"), "circle|cannot be links"),
    "picture nowhere": (lambda s: nowhere(s.root / "content" / "models" / "a.png"), "leads nowhere"),
    "themes nowhere": (lambda s: nowhere(project_themes(s)), "the link leads nowhere"),
    "themes circle": (lambda s: circle(project_themes(s)), "the link leads in a circle"),
    "default theme without description": (default_theme, 'theme "default" has no theme.yaml'),
    "default theme nowhere": (lambda s: nowhere(default_theme(s)), "the link leads nowhere"),
    "theme circle": (lambda s: circle(in_theme(s, "theme.yaml")), "the link leads in a circle"),
    "template nowhere": (lambda s: nowhere(in_theme(s, "templates/404.html")), "must lead to a file"),
    "template a pipe": (lambda s: pipe(in_theme(s, "templates/404.html")), "it is a named pipe"),
    "lock nowhere": (lambda s: nowhere(s.root / "gallery.lock"), "the link leads nowhere"),
    "lock circle": (lambda s: circle(s.root / "gallery.lock"), "the link leads in a circle"),
    "treebank nowhere": (lambda s: nowhere(with_treebank(s)), "nowhere"),
    "treebank circle": (lambda s: circle(with_treebank(s)), "circle|followed"),
    "measure nowhere": (lambda s: nowhere(with_measure(s)), 'no file "own.py"'),
    "measure circle": (lambda s: circle(with_measure(s)), "followed"),
    "card circle": (lambda s: circle(s.root / "models" / "enc" / "README.md"), "README.md.*circle"),
    "card nowhere": (lambda s: nowhere(s.root / "models" / "enc" / "README.md"), "README.md.*nowhere"),
    "config circle": (lambda s: circle(s.root / "models" / "enc" / "config.json"), "config.json"),
}


@pytest.mark.parametrize("name", siblings(SPOILT, 4))
def test_what_cannot_be_read_is_told_by_build_and_check(tmp_path: Path, name: str) -> None:
    spoil, told = SPOILT[name]
    sample = Sample.make(tmp_path / "project")
    sample.build()
    before = sample.tree()
    spoil(sample)
    for command in (build, check):
        with pytest.raises(GalleryError, match=f"(?s){told}") as caught:
            command(sample.manifest, BuildOptions(), SilentReporter())
        assert "Errno" not in str(caught.value)
    assert sample.tree() == before


@contextmanager
def closed(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder that may not be listed, for everybody: root may list any."""
    scandir = os.scandir

    def refuse(name: str | os.PathLike[str] | None = None) -> object:
        if isinstance(name, str | os.PathLike) and Path(os.fsdecode(name)) == path:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(name)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        yield


@pytest.mark.parametrize(
    "name",
    [
        *("content", "content/sentences", "themes/tiny", "themes/tiny/templates"),
        *(".gallery", ".gallery/store", ".gallery/analysis", ".gallery/templates"),
    ],
)
def test_a_folder_that_may_not_be_listed_is_told(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    sample.build()
    before = sample.tree()
    sample.settings["title"] = "Changed"  # else nothing of the cache would be read
    sample.save()
    with closed(sample.root / name, monkeypatch):
        for command in (build, check):
            with pytest.raises(GalleryError, match="cannot be read: permission denied") as caught:
                command(sample.manifest, BuildOptions(), SilentReporter())
            assert str(sample.root / name) in str(caught.value)
    assert sample.tree() == before


def test_a_foreign_folder_of_the_site_that_may_not_be_listed_is_not_dropped(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.build()
    (sample.site / "theirs").mkdir()
    (sample.site / "theirs" / "file").write_text("theirs", encoding="utf-8")
    sample.note("about.md", "# About\n\nSaid anew.\n")
    before = sample.tree()
    with (
        closed(sample.site / "theirs", monkeypatch),
        pytest.raises(GalleryError, match="a folder in the site cannot be read: permission denied"),
    ):
        sample.build()
    assert sample.tree() == before


@pytest.fixture
def shared_sample() -> Iterator[Sample]:
    """A project that anybody can reach, built once."""
    folder = Path(tempfile.mkdtemp(prefix="gallery-"))
    folder.chmod(0o755)
    sample = Sample.make(folder / "project")
    sample.write("content/models/enc/data.csv", "a,b\n")
    sample.build()
    yield sample
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755) if path.is_dir() and not path.is_symlink() else None
    shutil.rmtree(folder)


@contextmanager
def somebody(root: Path) -> Iterator[None]:
    """Without the rights of root, which is refused nothing."""
    if os.geteuid() != 0:
        yield
        return
    for path in [root, *root.rglob("*")]:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    "name",
    [
        "content",
        "content/sentences",
        "content/about.md",
        "content/models/enc/data.csv",
        "themes/tiny/templates",
        "themes/tiny/templates/404.html",
        "themes/tiny/theme.yaml",
        "gallery.yaml",
        "models/enc/config.json",
        ".gallery",
        ".gallery/build.lock",
        ".gallery/store",
        ".gallery/store/??",
        ".gallery/analysis/??",
    ],
)
def test_what_may_not_be_read_is_told(shared_sample: Sample, name: str) -> None:
    before = shared_sample.tree()
    with pytest.raises((GalleryError, OSError)):  # what these paths need is imported before rights are lost
        build(shared_sample.root / "no manifest", BuildOptions(), SilentReporter())
    path = min(shared_sample.root.glob(name))
    shared_sample.settings["title"] = "Changed"  # else nothing of the cache would be read
    shared_sample.save()
    with somebody(shared_sample.root):
        mode = path.stat().st_mode
        path.chmod(0)
        try:
            for command in (build, check):
                with pytest.raises(GalleryError, match=r"(?i)permission denied") as caught:
                    command(shared_sample.manifest, BuildOptions(), SilentReporter())
                assert path.name in str(caught.value)
        finally:
            path.chmod(mode)
    assert shared_sample.tree() == before


def test_the_sample_is_readable_by_somebody(shared_sample: Sample) -> None:
    fill_store(shared_sample.manifest)
    with somebody(shared_sample.root):
        assert build(shared_sample.manifest, BuildOptions(), SilentReporter()).pages


@pytest.mark.parametrize("part", ["", "store", "analysis", "templates"])
def test_a_file_in_the_place_of_a_folder_of_the_cache_is_told(sample: Sample, part: str) -> None:
    sample.build()
    before = sample.tree()
    path = sample.cache / part
    a_file(path)
    sample.settings["title"] = "Changed"
    sample.save()
    for command in (build, check):
        with pytest.raises(OutputError, match=f'"{path.name}" is not a folder') as caught:
            command(sample.manifest, BuildOptions(), SilentReporter())
        assert [problem.file for problem in caught.value.problems] == [path]
    assert sample.tree() == before


def test_the_mistakes_of_the_cache_are_told_beside_others(sample: Sample) -> None:
    sample.cache.write_text("in the way", encoding="utf-8")
    sample.note("about.md", "# About\n\n[[nobody]]\n")
    with pytest.raises(GalleryError) as caught:
        check(sample.manifest, BuildOptions(), SilentReporter())
    told = str(caught.value)
    assert '".gallery" is not a folder' in told
    assert "nobody" in told


@pytest.mark.parametrize("suffix", ["json", "safetensors"])
def test_a_check_warns_of_a_capture_that_may_not_be_read(shared_sample: Sample, suffix: str) -> None:
    """Of random tokens, too: a build captures it again, and says so."""
    with somebody(shared_sample.root):
        shared_sample.build(force=True)
        paths = [*shared_sample.cache.glob(f"store/??/*.{suffix}")]
        for path in paths:
            path.chmod(0)
        warnings = check(shared_sample.manifest, BuildOptions(), SilentReporter()).warnings
    told = [warning for warning in warnings if "cannot be read: permission denied; a build" in warning]
    assert len(told) == len(paths) == 8
    assert sum("captures enc · cat again" in warning for warning in told) == 1
    assert sum("random tokens" in warning for warning in told) == 2


def test_a_kept_result_that_may_not_be_read_is_made_again(shared_sample: Sample) -> None:
    with somebody(shared_sample.root):
        shared_sample.build(force=True)
        before = shared_sample.tree()
        for path in shared_sample.cache.glob("analysis/??/*"):
            path.chmod(0)
        shared_sample.build(force=True)
    assert shared_sample.tree() == before


def test_a_record_that_may_not_be_read_is_told_where_it_is_needed(shared_sample: Sample) -> None:
    with somebody(shared_sample.root):
        (shared_sample.cache / "build.sqlite").chmod(0)
        with pytest.raises(OutputError, match="record of the build cannot be read: permission") as caught:
            check(shared_sample.manifest, BuildOptions(fresh=True), SilentReporter())
    assert caught.value.exit_code == 1
