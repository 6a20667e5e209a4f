"""The same gallery gives the same bytes, wherever, whenever and however it is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from attention_gallery.errors import UserError
from sample_gallery import Sample, fill_store


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = Sample.make(tmp_path_factory.mktemp("base") / "project", author="Somebody")
    sample.settings["models"] = sample.settings["models"][:1]
    sample.settings["contrasts"] = [
        {"slug": "pair", "model": "enc", "sentences": ["cat", "river"]},
        {"slug": "heads", "model": "enc", "heads": ["L0H0", "L1H1"]},
    ]
    sample.note("notes/first.md", "# First\n\nA [^1] note: $x^2$.\n\n[^1]: With a footnote.\n")
    sample.note("models/enc/L0H0.md", "# Code\n\n```python\nprint('x')\n```\n")
    sample.build()
    return sample


def command(folder: Path, *, umask: int = 0o022, **environment: str) -> None:
    """Build in a process of its own, with this environment."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SOURCE_DATE_EPOCH", "LC_ALL")}
    subprocess.run(
        [sys.executable, "-m", "attention_gallery", "--quiet", "build"],
        cwd=folder,
        env={**kept, **environment},
        umask=umask,
        check=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        {"PYTHONHASHSEED": "1", "LC_ALL": "tr_TR.UTF-8", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "random", "COLUMNS": "20", "OMP_NUM_THREADS": "1"},
    ],
    ids=["0", "1", "random"],
)
def test_seed_locale_umask_and_folder_change_nothing(
    built: Sample, tmp_path: Path, environment: dict[str, str]
) -> None:
    sample = built.copy(tmp_path / "another folder ü", clean=True)
    command(sample.root, umask=0o077, **environment)
    assert sample.tree() == built.tree()


def test_old_files_change_nothing(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy", clean=True)
    for path in sample.root.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    sample.build()
    assert sample.tree() == built.tree()


def test_the_date_shows_only_when_it_is_given(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = built.copy(tmp_path / "copy")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    sample.build()
    assert "2026-01-01" in sample.page("")
    assert "2026-01-01" in sample.page("enc/cat/l00h00")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767312000")
    sample.build()
    assert "2026-01-02" in sample.page("enc/cat/l00h00")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    sample.build()
    assert sample.tree() == built.tree()


@pytest.mark.parametrize("epoch", ["yesterday", "1e400", "99999999999999999999"])
def test_a_date_that_is_none_is_refused(sample: Sample, monkeypatch: pytest.MonkeyPatch, epoch: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(UserError, match="SOURCE_DATE_EPOCH"):
        sample.build()


def test_captures_that_were_made_again_give_the_same_site(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy", clean=True)
    shutil.rmtree(sample.cache / "store")
    fill_store(sample.manifest)
    sample.build()
    assert sample.tree() == built.tree()


@pytest.mark.parametrize("state", ["warm", "unchanged", "edited"])
def test_a_warm_build_imports_nothing_heavy(built: Sample, tmp_path: Path, state: str) -> None:
    sample = built.copy(tmp_path / "copy", clean=state == "warm")
    sample.fill()  # what is known of files goes by their paths: models that moved are looked into again
    if state == "warm":
        shutil.copytree(built.cache / "analysis", sample.cache / "analysis")
    elif state == "unchanged":
        sample.build()
    elif state == "edited":
        sample.note("about.md", "# About\n\nEdited.\n")
    code = (
        "import sys, pathlib\n"
        "from attention_gallery.build import BuildOptions, build\n"
        "from attention_gallery.progress import SilentReporter\n"
        f"report = build(pathlib.Path({str(sample.manifest)!r}), BuildOptions(), SilentReporter())\n"
        "heavy = ['torch', 'transformers', 'plotly', 'huggingface_hub', 'safetensors', 'gguf', 'rich', "
        "'sklearn', 'scipy']\n"
        "light = ['pydantic', 'jinja2', 'numpy', 'PIL', 'markdown', 'yaml', 'nh3']\n"
        "print(*([n for n in names if n in sys.modules] for names in (heavy, light)), report.written)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, _, rest = ended.stdout.partition("] ")
    assert heavy == "["
    light, _, written = rest.partition("] ")
    if state == "unchanged":
        assert (light, int(written)) == ("[", 0)
    else:
        assert "numpy" in light
        assert int(written) == (1 if state == "edited" else len(sample.tree()) - 1)
