"""The state of an installed library is another for every version, also where its modules are the same."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from attention_gallery.installed import installed_files


def install(site: Path, number: str) -> None:
    """A library whose module says nothing of its version."""
    for old in site.glob("*.dist-info/*"):
        old.unlink()
    (site / "some_library").mkdir(parents=True, exist_ok=True)
    (site / "some_library" / "__init__.py").write_text("")
    folder = site / f"Some.Library-{number}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Name: Some.Library\nVersion: {number}\n")
    (folder / "RECORD").write_text("")


def state(module: str, distribution: str) -> dict[str, bytes]:
    found = map(Path, installed_files(module, distribution))
    return {str(path): path.read_bytes() for path in found if path.exists()}


def test_another_version_has_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "1.0")
    first = state("some_library", "some-library")
    assert {Path(name).name for name in first} == {"__init__.py", "METADATA", "RECORD"}
    assert state("some_library", "some-library") == first
    install(tmp_path, "1.1")
    assert state("some_library", "some-library") != first


def test_what_is_installed_here_is_found_and_what_is_not_is_nothing() -> None:
    names = list(installed_files("PIL", "pillow"))
    assert any(f"-{version('pillow')}.dist-info" in name for name in names)
    assert list(installed_files("no_such_library", "no-such-library")) == []
