"""A gallery of version 0.1 goes on: its lock, its theme and its captures are still understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.errors import UserError
from attention_gallery.progress import SilentReporter
from old_gallery import GALLERY, Upgraded, copy_of_gallery, upgrade

PAGES = ("enc/cat/index.html", "enc/cat/l00h01/index.html", "sentences/cat/index.html")


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SOURCE_DATE_EPOCH", raising=False)
        return upgrade(tmp_path_factory.mktemp("upgraded") / "gallery")


def test_it_builds_and_its_site_has_no_mistake(upgraded: Upgraded) -> None:
    assert upgraded.report.pages >= 262  # as many as version 0.1 made
    checked = check(upgraded.root / "gallery.yaml", BuildOptions(), SilentReporter())
    assert (checked.pages, checked.warnings) == (upgraded.report.pages, ())


def test_one_line_says_why_and_how_many_are_captured_again(upgraded: Upgraded) -> None:
    entries = len(list((GALLERY / "store").glob("*/*.json")))
    lines = [line for line in upgraded.said if "earlier version" in line]
    assert [line.partition(": they are captured again")[0] for line in lines] == [
        f"{entries} captures are of an earlier version, whose numbers hung on what was captured together"
    ]


def test_its_lock_still_binds(tmp_path: Path) -> None:
    root = copy_of_gallery(tmp_path / "gallery")
    config = root / "models" / "enc" / "config.json"
    config.write_text(
        config.read_text(encoding="utf-8").replace('"layer_norm_eps": 1e-12', '"layer_norm_eps": 0.1')
    )
    with pytest.raises(UserError, match=r"gallery\.lock"):
        build(root / "gallery.yaml", BuildOptions(), SilentReporter())


@pytest.mark.parametrize("name", PAGES)
def test_pages_come_from_the_templates_of_its_own_theme(upgraded: Upgraded, name: str) -> None:
    assert '<p class="ours">Ours: ' in (upgraded.site / name).read_text(encoding="utf-8")


def test_the_next_build_has_nothing_to_do(upgraded: Upgraded) -> None:
    again = build(upgraded.root / "gallery.yaml", BuildOptions(), SilentReporter())
    assert (again.written, again.captured) == (0, 0)


def test_every_page_of_version_0_1_is_still_there(upgraded: Upgraded) -> None:
    addresses = (GALLERY.parent / "pages_0_1.txt").read_text(encoding="utf-8").split()
    missing = [address for address in addresses if not (upgraded.site / address).is_file()]
    assert len(addresses) > 262
    assert missing == []


def test_nothing_of_the_owner_was_changed(upgraded: Upgraded) -> None:
    own = [
        path.relative_to(GALLERY)
        for path in sorted(GALLERY.rglob("*"))
        if path.is_file() and path.relative_to(GALLERY).parts[0] != "store"
    ]
    assert Path("gallery.yaml") in own
    assert [
        name for name in own if (GALLERY / name).read_bytes() != (upgraded.root / name).read_bytes()
    ] == []


def test_the_changelog_says_how_to_upgrade() -> None:
    told = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    steps = told[told.index("### Upgrading") :].partition("\n## ")[0]
    assert "captures everything again" in steps
    for slug in ("embed", "api", "docs"):
        assert f"`{slug}`" in steps
