"""No edit is overlooked because its file looks the same, and no copy of a project is taken for an edit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from attention_gallery.build.look import input_files, libraries, unchanged
from attention_gallery.errors import ModelError
from attention_gallery.manifest.lockfile.lock_entries import lock_path
from attention_gallery.models.on_disk import noticed
from attention_gallery.stamps import Moment
from sample_gallery import Sample

Edit = Callable[[Path, bytes], None]


def in_place(path: Path, data: bytes) -> None:
    """As an editor whose user puts the time back, or a clock that steps."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def moved_over(path: Path, data: bytes) -> None:
    """As `rsync -t` and `tar x`: a new file with the old time."""
    other = path.with_name(f"{path.name}~")
    other.write_bytes(data)
    shutil.copystat(path, other)
    other.replace(path)


def copied_over(path: Path, data: bytes) -> None:
    """As `cp -p`."""
    other = path.parent.parent / "other~"
    other.write_bytes(data)
    shutil.copystat(path, other)
    subprocess.run(["cp", "-p", str(other), str(path)], check=True)
    other.unlink()


EDITS = (in_place, moved_over, copied_over)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A project whose next build has nothing to do."""
    sample = Sample.make(tmp_path_factory.mktemp("base") / "project")
    sample.write("content/sentences/data.csv", "a,b,c\n")
    sample.note("sentences/cat.md", "# Why\n\nSee [the data](data.csv).\n")
    sample.write(
        "own.py", 'def far(layer):\n    """How far."""\n    return layer.weights[:, :, 0].mean(axis=1)\n'
    )
    sample.settings["analysis"] = {"measures": ["own:far"]}
    sample.save()
    settle()
    sample.build()
    return sample


def settle() -> None:
    """Let the tick of the clock pass in which files were written, so that the next build can rely on them."""
    time.sleep(0.05)


def copied(built: Sample, root: Path) -> Sample:
    """The project elsewhere, built there, so that the next build has nothing to do."""
    sample = built.copy(root)
    settle()
    assert sample.build().written == 0
    return sample


def looked_only(sample: Sample) -> bool:
    return list(sample.build().seconds) == ["look"]


def swapped(path: Path, old: bytes, new: bytes) -> bytes:
    data = path.read_bytes()
    assert len(old) == len(new)
    assert old in data
    return data.replace(old, new, 1)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("gallery.yaml", b"A sample", b"Another!"),
        ("content/about.md", b"numbers", b"letters"),
        ("content/sentences/data.csv", b"a,b,c", b"c,b,a"),
        ("themes/tiny/assets/tiny.css", b"accent", b"ACCENT"),
        ("themes/tiny/templates/404.html", b"Home", b"Hall"),
        ("own.py", b":, 0]", b":, 1]"),
        ("models/enc/tokenizer.json", b"{}", b"[]"),
        ("models/enc/model.safetensors", b"\x00\x00\x80?", b"\x00\x00\x80A"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_edit_that_keeps_size_and_time_is_built(
    built: Sample, tmp_path: Path, edit: Edit, name: str, old: bytes, new: bytes
) -> None:
    sample = copied(built, tmp_path / "edited")
    assert looked_only(sample)
    path = sample.root / name
    before, digests = path.stat(), sample.tree()
    edit(path, swapped(path, old, new))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    if name == "gallery.yaml":
        sample.settings["title"] = "Another!"
    report = sample.build()
    assert list(report.seconds) != ["look"]
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()
    assert sample.tree() != digests


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_other_weights_do_not_pass_the_lock(built: Sample, tmp_path: Path, edit: Edit) -> None:
    sample = copied(built, tmp_path / "edited")
    sample.build(update_lock=True)
    assert lock_path(sample.manifest).exists()
    weights = sample.root / "models" / "enc" / "model.safetensors"
    edit(weights, swapped(weights, b"\x00\x00\x80?", b"\x00\x00\x80A"))
    with pytest.raises(ModelError, match="weights"):
        sample.build()


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_a_page_that_was_edited_is_made_again(built: Sample, tmp_path: Path, edit: Edit) -> None:
    sample = copied(built, tmp_path / "edited")
    page = sample.site / "about" / "index.html"
    edit(page, swapped(page, b"numbers", b"letters"))
    settle()
    assert sample.build().written == 1
    assert sample.tree() == built.tree()
    assert looked_only(sample)


def test_a_page_that_was_taken_over_is_still_watched(built: Sample, tmp_path: Path) -> None:
    sample = copied(built, tmp_path / "edited")
    sample.note("about.md", "# About\n\nSaid anew.\n")
    assert sample.build().written == 1  # all others got a second name, and lost the first
    page = sample.site / "enc" / "cat" / "index.html"
    before = sample.tree()
    in_place(page, page.read_bytes().replace(b"cat", b"rat"))
    assert sample.build().written == 1
    assert sample.tree() == before


def read_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all files whose bytes a look at the stamps reads from now on."""
    names: list[str] = []
    digest_file = unchanged.digest_file

    def spy(path: Path) -> str:
        names.append(str(path))
        return digest_file(path)

    monkeypatch.setattr(unchanged, "digest_file", spy)
    return names


def test_a_copied_project_is_unchanged_and_read_once(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored = tmp_path / "restored"
    shutil.copytree(built.root, restored)
    for path in restored.rglob("*"):  # as a fresh clone has it
        os.utime(path, ns=(1, 1))
    # In the place of the first, so that all names are the same.
    built.root.rename(tmp_path / "aside")
    restored.rename(built.root)
    try:
        names = read_by(monkeypatch)
        assert looked_only(built)
        assert str(built.site / "about" / "index.html") in names
        assert str(built.root / "models" / "enc" / "model.safetensors") in names
        names.clear()
        assert looked_only(built)
        assert names == []
    finally:
        shutil.rmtree(built.root)
        (tmp_path / "aside").rename(built.root)


def test_where_a_system_tells_no_time_of_change_files_are_read(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(Moment, "settled", lambda *_: True)
    sample.build()
    assert looked_only(sample)
    in_place(sample.root / "content" / "about.md", b"# About\n\nMade of letters.\n")
    assert not looked_only(sample)
    assert "letters" in sample.page("about/")


def test_a_clock_that_is_set_back_while_a_build_reads_costs_one_more(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = copied(built, tmp_path / "edited")
    sample.note("about.md", "# About\n\nSaid anew.\n")
    with monkeypatch.context() as patch:
        patch.setattr(Moment, "clock_held", lambda _: False)
        sample.build()
    assert not looked_only(sample)


def test_what_is_edited_after_it_was_read_and_edited_back_is_built(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attention_gallery.build.execute import write_site

    sample = copied(built, tmp_path / "edited")
    template = sample.root / "themes" / "tiny" / "templates" / "404.html"
    before = template.read_bytes()

    class Slow(write_site.CachedData):
        def __init__(self, *arguments: object, **named: object) -> None:
            template.write_bytes(before.replace(b"Home", b"Hall"))
            super().__init__(*arguments, **named)  # type: ignore[arg-type]

    sample.note("about.md", "# About\n\nSaid anew.\n")
    with monkeypatch.context() as patch:
        patch.setattr(write_site, "CachedData", Slow)
        sample.build()
    assert ">Hall<" in (sample.site / "404.html").read_text(encoding="utf-8")
    template.write_bytes(before)
    sample.build()
    assert ">Home<" in (sample.site / "404.html").read_text(encoding="utf-8")


def test_a_file_that_comes_into_a_model_is_noticed(built: Sample, tmp_path: Path) -> None:
    sample = copied(built, tmp_path / "edited")
    sample.write("models/enc/tokenizer_config.json", '{"do_lower_case": true}')
    assert not looked_only(sample)
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


def test_a_branch_of_the_hub_that_moved_on_is_noticed(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = tmp_path / "hub"
    hub.mkdir()
    monkeypatch.setattr(noticed, "branch_folders", lambda _: (hub,))
    (hub / "main").write_text("1" * 40, encoding="utf-8")
    settle()
    sample.build()
    assert looked_only(sample)
    (hub / "main").write_text("2" * 40, encoding="utf-8")
    assert not looked_only(sample)


@pytest.mark.parametrize("module", sorted(libraries.LIBRARIES))
def test_another_version_of_any_library_is_noticed(
    built: Sample, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    assert looked_only(built)
    installed = libraries.installed_files

    def upgraded(name: str, distribution: str) -> list[str]:
        found = list(installed(name, distribution))
        assert found, f"{name} is not installed"
        return [*found, "METADATA of another version"] if name == module else found

    monkeypatch.setattr(libraries, "installed_files", upgraded)
    record = unchanged.Record(built.cache / "build.sqlite")
    before = {name: unchanged.Source(*source) for name, source in record.sources().items()}
    read = input_files.Inputs(**{kind: tuple(names) for kind, names in record.fact("inputs").items()})
    record.close()
    assert unchanged.same_sources(before, read) is None


def test_an_upgrade_of_markupsafe_is_noticed(sample: Sample, tmp_path: Path) -> None:
    """In a process that finds another version of it, as after an upgrade."""
    sample.save()
    sample.fill()
    upgraded = tmp_path / "upgraded"
    found = find_spec("markupsafe")
    assert found is not None
    assert found.origin is not None
    shutil.copytree(Path(found.origin).parent, upgraded / "markupsafe")
    (upgraded / "MarkupSafe-99.dist-info").mkdir()
    (upgraded / "MarkupSafe-99.dist-info" / "METADATA").write_text("Name: MarkupSafe\nVersion: 99\n")
    code = (
        "import sys; from pathlib import Path; from attention_gallery.build import BuildOptions, build\n"
        "from attention_gallery.progress import SilentReporter\n"
        "print(*build(Path(sys.argv[1]), BuildOptions(), SilentReporter()).seconds)"
    )

    def build_in(*paths: str) -> str:
        paths = (*paths, *filter(None, [os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, "-c", code, str(sample.manifest)]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    build_in()
    settle()
    build_in()
    assert build_in() == "look\n"
    assert build_in(str(upgraded)) != "look\n"


def test_every_library_that_a_build_imports_is_in_the_list(sample: Sample) -> None:
    sample.note("about.md", "# About\n\n$x^2$ and\n\n```python\nx = 1\n```\n")
    sample.write(
        "trees.conllu",
        "# text = A cat\n1\tA\t_\t_\t_\t_\t2\tdet\t_\t_\n2\tcat\t_\t_\t_\t_\t0\troot\t_\t_\n\n",
    )
    sample.settings["sentences"].append({"conllu": "trees.conllu"})
    sample.save()
    sample.fill()
    code = (
        "import sys; from pathlib import Path; from attention_gallery.build import BuildOptions, build\n"
        "from attention_gallery.progress import SilentReporter\n"
        "build(Path(sys.argv[1]), BuildOptions(), SilentReporter())\n"
        "from importlib.metadata import packages_distributions\n"
        "known = packages_distributions()\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & known.keys())"
    )
    command = [sys.executable, "-c", code, str(sample.manifest)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    imported = set(done.stdout.split()) - {"attention_gallery"}
    # What they bring along: runs loops, locks files, prints, checks types; setuptools starts with Python.
    harmless = {
        "_distutils_hack", "annotated_types", "charset_normalizer", "click", "cloudpickle", "dateutil",
        "filelock", "joblib", "narwhals", "pandas", "psutil", "rich", "six", "threadpoolctl",
        "typing_extensions", "typing_inspection",
    }  # fmt: skip
    assert {"numpy", "markupsafe", "latex2mathml", "pygments", "conllu"} <= imported
    assert imported - harmless <= libraries.LIBRARIES.keys()
