"""Templates compiled before are taken as they are, unless text or code changed; damage is compiled away."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import jinja2
import pytest

from attention_gallery.theme import compiled
from attention_gallery.theme.find_theme import find_theme
from attention_gallery.theme.renderer import Renderer


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the templates that are compiled from now on."""
    found: list[str] = []
    compile_source = jinja2.Environment._generate

    def counted(self: jinja2.Environment, source: object, name: str, *rest: object, **more: object) -> str:
        found.append(name)
        return str(compile_source(self, source, name, *rest, **more))  # type: ignore[arg-type]

    monkeypatch.setattr(jinja2.Environment, "_generate", counted)
    return found


def render(root: Path, text: str | None = None) -> str:
    """The page that a theme's only template makes, by a renderer of its own."""
    folder = root / "themes" / "mine" / "templates"
    if text is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (root / "themes" / "mine" / "theme.yaml").write_text("name: Mine\n", encoding="utf-8")
        (folder / "page.html").write_text(text, encoding="utf-8")
    return Renderer(find_theme("mine", root), root / "compiled").render("page.html", title="<a>")


def test_the_second_build_compiles_nothing(tmp_path: Path, compilations: list[str]) -> None:
    assert render(tmp_path, "{{ title }}") == "&lt;a&gt;"
    assert compilations == ["page.html"]
    assert render(tmp_path) == "&lt;a&gt;"
    assert compilations == ["page.html"]


def test_a_changed_template_is_compiled_again(tmp_path: Path, compilations: list[str]) -> None:
    render(tmp_path, "{{ title }}")
    assert render(tmp_path, "{{ title }}!") == "&lt;a&gt;!"
    assert compilations == ["page.html"] * 2


@pytest.mark.parametrize("damage", [b"", b"j2", b"\0" * 400])
def test_a_damaged_file_is_made_anew(tmp_path: Path, compilations: list[str], damage: bytes) -> None:
    render(tmp_path, "{{ title }}")
    (kept,) = (tmp_path / "compiled").glob("*/*")
    kept.write_bytes(damage)
    assert render(tmp_path) == "&lt;a&gt;"
    assert compilations == ["page.html"] * 2
    assert len(kept.read_bytes()) > 100


@pytest.mark.parametrize("changed", ["bounds", "environment", "render", "templates", "undefined"])
def test_what_other_code_compiled_is_removed(
    tmp_path: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    render(tmp_path, "{{ title }}")
    before = set((tmp_path / "compiled").iterdir())
    other = shutil.copytree(Path(compiled.__file__).parent, tmp_path / "theme")
    with (other / f"{changed}.py").open("a", encoding="utf-8") as stream:
        stream.write("# other code\n")
    monkeypatch.setattr(compiled, "_CODE", other)
    render(tmp_path)
    after = set((tmp_path / "compiled").iterdir())
    assert len(after) == len(before) == 1
    assert not before & after
    assert compilations == ["page.html"] * 2


def test_a_folder_whose_name_is_no_text_is_as_good(tmp_path: Path, compilations: list[str]) -> None:
    root = tmp_path / os.fsdecode(b"caf\xe9")
    for _ in range(2):
        assert render(root, "{{ title }}") == "&lt;a&gt;"
    assert compilations == ["page.html"]


def test_a_folder_that_cannot_be_written_only_costs_time(
    tmp_path: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiled, "write_atomically", full)
    for _ in range(2):
        assert render(tmp_path, "{{ title }}") == "&lt;a&gt;"
    assert compilations == ["page.html"] * 2


def test_what_is_kept_in_the_place_of_another_is_not_run(tmp_path: Path, compilations: list[str]) -> None:
    """Each of two templates would run as the other."""
    (tmp_path / "themes" / "mine" / "templates").mkdir(parents=True)
    (tmp_path / "themes" / "mine" / "templates" / "other.html").write_text("other", encoding="utf-8")
    assert render(tmp_path, "{% include 'other.html' %} {{ title }}") == "other &lt;a&gt;"
    first, second = sorted((tmp_path / "compiled").glob("*/*"))
    kept = first.read_bytes(), second.read_bytes()
    first.write_bytes(kept[1])
    second.write_bytes(kept[0])
    assert render(tmp_path) == "other &lt;a&gt;"
    assert compilations == ["page.html", "other.html"] * 2
