"""Links that were shared go on: the same head, token and view, also from former addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gallery_site import Built
from playwright.sync_api import Page
from site_server import PREFIX, serving
from watched_page import drawn, probe, until

from old_gallery import Upgraded, shared_links, upgrade

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
LINKS = shared_links()


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    return upgrade(tmp_path_factory.mktemp("upgraded") / "gallery")


@pytest.fixture(scope="module")
def upgraded_root(upgraded: Upgraded) -> Iterator[str]:
    with serving(upgraded.site) as address:
        yield address


@pytest.mark.parametrize("link", LINKS, ids=[link["link"] for link in LINKS])
def test_a_link_of_version_0_1_shows_what_it_showed(
    open_page: Opener, upgraded_root: str, link: dict[str, Any]
) -> None:
    page = open_page(upgraded_root + link["link"], origin=upgraded_root, fresh=True)
    until(page, "(path) => location.pathname === path", PREFIX + link["path"])
    drawn(page)
    choice = {**page.evaluate(probe("choice")), "path": link["path"], "link": link["link"]}
    assert choice == link


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("enc/old-cat/", "enc/cat/"),
        ("enc/old-cat/l01h02/", "enc/cat/l01h02/"),
        ("sentences/old-cat/", "sentences/cat/"),
        ("old-enc/cat/", "enc/cat/"),
        ("old-enc/old-cat/l01h02/", "enc/cat/l01h02/"),
        ("models/old-enc/", "models/enc/"),
        ("models/old-enc/l01h02/", "models/enc/l01h02/"),
        ("models/old-enc/length/", "models/enc/length/"),
        ("contrasts/docs/", "contrasts/pair/"),
    ],
)
def test_a_former_address_leads_on_with_what_was_selected(
    open_page: Opener, root: str, former: str, present: str
) -> None:
    page = open_page(f"{former}#head=L1H3&token=2")
    until(page, "(path) => location.pathname === path", PREFIX + present)
    assert page.url.removeprefix(root) == f"{present}#head=L1H3&token=2"
    drawn(page)


def test_a_former_address_leads_on_from_disk(open_page: Opener, gallery: Built) -> None:
    folder = gallery.site.absolute().as_uri()
    page = open_page(f"{folder}/old-enc/old-cat/index.html#head=L1H3", origin="file:")
    until(page, "() => location.pathname.endsWith('/enc/cat/index.html') && location.hash === '#head=L1H3'")
    drawn(page)


def test_a_former_address_leads_on_without_scripts(open_page: Opener, root: str) -> None:
    page = open_page("enc/old-cat/", java_script_enabled=False)
    page.wait_for_url(lambda address: Path(address).name == "index.html" or address == root + "enc/cat/")
    assert page.title().startswith("“The tired cat” in Encoder")
