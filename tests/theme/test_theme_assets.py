"""Styles and scripts are joined, files are named after their content, url(…) follows."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from attention_gallery.errors import Problem, ThemeError
from attention_gallery.theme.bundle import ThemeAssets, bundle, fingerprinted
from attention_gallery.theme.find_theme import find_theme
from sample_gallery import Sample

SETTINGS = """
styles: [css/one.css, two.css]
scripts: [a.js, b.js]
static: [fonts/f.woff2, logo.png]
options:
  accent: {default: red, css: --accent}
  size: {default: 1, css: --size}
  plain: {default: x}
"""
FILES = {
    "css/one.css": b"a{color:red}",
    "two.css": b"b{}\n\n",
    "a.js": b"one()",
    "b.js": b"two()\n",
    "fonts/f.woff2": b"\x00\x01",
    "logo.png": b"png",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "themes" / "mine"
    for name, data in FILES.items():
        path = folder / "assets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "theme.yaml").write_text(SETTINGS)
    return folder


def bundled(folder: Path, **chosen: str | int) -> ThemeAssets:
    theme = find_theme("mine", folder.parent.parent)
    return bundle(theme, theme.values(chosen, lambda name, reason, mend: Problem(reason, mend)))


def data_of(assets: ThemeAssets, name: str) -> bytes:
    return next(file.data for file in assets.files if file.name == name)


def test_parts_are_joined_in_order(folder: Path) -> None:
    assets = bundled(folder)
    assert data_of(assets, assets.style) == b"a{color:red}\nb{}\n"
    assert data_of(assets, assets.script) == b"one()\ntwo()\n"


def test_every_name_tells_its_content(folder: Path) -> None:
    assets = bundled(folder)
    assert len(assets.files) == 4
    for file in assets.files:
        assert f".{hashlib.sha256(file.data).hexdigest()[:10]}." in file.name
    before = {file.name for file in assets.files}
    (folder / "assets" / "a.js").write_bytes(b"changed()")
    assert len(before - {file.name for file in bundled(folder).files}) == 1
    assert fingerprinted("deep/logo.tar.gz", b"x").startswith("logo.tar.")


def test_chosen_options_become_custom_properties(folder: Path) -> None:
    plain = bundled(folder)
    assert b":root" not in data_of(plain, plain.style)
    chosen = bundled(folder, accent="blue", size=2, plain="y")
    assert data_of(chosen, chosen.style).endswith(b":root{--accent:blue;--size:2;}\n")


def test_a_theme_without_assets_has_no_files(tmp_path: Path) -> None:
    (tmp_path / "themes" / "bare").mkdir(parents=True)
    (tmp_path / "themes" / "bare" / "theme.yaml").write_text("name: bare\n")
    assets = bundle(find_theme("bare", tmp_path), {})
    assert (assets.files, assets.style, assets.script) == ((), "", "")


@pytest.mark.parametrize(
    ("sheet", "address", "static", "tail"),
    [
        ("css/one.css", "../fonts/f.woff2", "fonts/f.woff2", ""),
        ("css/one.css", "'../fonts/f.woff2?#iefix'", "fonts/f.woff2", "?#iefix"),
        ("two.css", '"logo.png"', "logo.png", ""),
        ("two.css", " ./fonts/../logo.png#mark ", "logo.png", "#mark"),
    ],
)
def test_addresses_in_styles_lead_to_static_files(
    folder: Path, sheet: str, address: str, static: str, tail: str
) -> None:
    (folder / "assets" / sheet).write_text(f"x{{background:url({address})}}")
    assets = bundled(folder)
    style = data_of(assets, assets.style).decode()
    assert f'url("{assets.static[static]}{tail}")' in style


@pytest.mark.parametrize(
    "address", ["data:image/png;base64,A=", "#gradient", "'data:image/svg+xml,%3Csvg/%3E'"]
)
def test_addresses_that_name_no_file_stay(folder: Path, address: str) -> None:
    (folder / "assets" / "two.css").write_text(f"x{{fill:url({address})}} /* url(gone.png) */")
    assets = bundled(folder)
    assert f"url({address})" in data_of(assets, assets.style).decode()


def test_an_address_without_a_file_is_told_with_its_line(folder: Path) -> None:
    (folder / "assets" / "css" / "one.css").write_text("a{}\nb{background:url(logo.png)}\n")
    with pytest.raises(ThemeError, match="is no static file") as caught:
        bundled(folder)
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == (folder / "assets" / "css" / "one.css", 2)
    (folder / "assets" / "css" / "one.css").write_text("a{}")
    (folder / "assets" / "two.css").unlink()
    with pytest.raises(ThemeError, match=r'"two\.css" does not exist'):
        bundled(folder)


def test_a_font_and_a_picture_of_a_theme_reach_the_site(sample: Sample) -> None:
    sample.write(
        "themes/mine/theme.yaml", "extends: default\nstyles: [mine.css]\nstatic: [f.woff2, logo.png]"
    )
    sample.write("themes/mine/assets/mine.css", "@font-face{font-family:F;src:url(f.woff2)}")
    sample.write("themes/mine/assets/f.woff2", "font")
    sample.write("themes/mine/assets/logo.png", "logo")
    main = '<img src="{{ page.root }}{{ site.static["logo.png"] }}" alt="">'
    sample.write(
        "themes/mine/templates/404.html",
        '{% extends "base.html" %}{% block main %}' + main + "{% endblock %}",
    )
    sample.settings["theme"] = "mine"
    sample.build()
    found = re.search(r'<img src="\./(assets/logo\.\w+\.png)"', (sample.site / "404.html").read_text())
    assert found is not None
    assert (sample.site / found[1]).read_text() == "logo"
    style = next((sample.site / "assets").glob("gallery.*.css"))
    font = re.search(r'url\("(f\.\w+\.woff2)"\)', style.read_text())
    assert font is not None
    assert (style.parent / font[1]).read_text() == "font"
