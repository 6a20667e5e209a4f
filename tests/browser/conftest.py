"""One build and one server for all browser tests; a browser for each file of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import gallery_site
import pytest
from gallery_site import Built
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from site_server import serving
from watched_page import WIDE, Watch, watched

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Opener = Callable[..., Page]
Contexts = dict[str, BrowserContext]


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return gallery_site.whole(tmp_path_factory.mktemp("gallery") / "project")


@pytest.fixture(scope="session")
def deep_gallery(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return gallery_site.deep(tmp_path_factory.mktemp("deep") / "project")


@pytest.fixture(scope="session")
def inputs_gallery(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return gallery_site.inputs(tmp_path_factory.mktemp("inputs") / "project")


@pytest.fixture(scope="session")
def inputs_root(inputs_gallery: Built) -> Iterator[str]:
    with serving(inputs_gallery.site) as address:
        yield address


@pytest.fixture(scope="session")
def crossing_gallery(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return gallery_site.translating(tmp_path_factory.mktemp("crossing") / "project")


@pytest.fixture(scope="session")
def crossing_root(crossing_gallery: Built) -> Iterator[str]:
    with serving(crossing_gallery.site) as address:
        yield address


@pytest.fixture(scope="session")
def probed_gallery(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return gallery_site.probed(tmp_path_factory.mktemp("probed") / "project")


@pytest.fixture(scope="session")
def probed_root(probed_gallery: Built) -> Iterator[str]:
    with serving(probed_gallery.site) as address:
        yield address


@pytest.fixture(scope="session")
def root(gallery: Built) -> Iterator[str]:
    """The address of the gallery's home page."""
    with serving(gallery.site) as address:
        yield address


@pytest.fixture(scope="session")
def deep_root(deep_gallery: Built) -> Iterator[str]:
    with serving(deep_gallery.site) as address:
        yield address


# Playwright keeps an event loop running: only as long as these tests need it, and not for the whole session.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "the browser tests need Chromium (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> Contexts:
    """Contexts by their options: tests share what the browser has cached, and nothing that they change."""
    return {}


@pytest.fixture
def open_page(browser: Browser, contexts: Contexts, root: str) -> Iterator[Opener]:
    """Open an address; at the end of the test no page may have complained.

    Touch screens do not load Plotly by themselves, and most tests are about what comes before it. `fresh`
    opens the page in a context of its own, with nothing remembered.
    """
    watches: list[Watch] = []
    closing: list[Page | BrowserContext] = []

    def opened(
        address: str, *, plotly: bool = False, fresh: bool = False, origin: str = root, **options: Any
    ) -> Page:
        options = {"viewport": WIDE, "reduced_motion": "reduce", "has_touch": not plotly, **options}
        name = repr(sorted(options.items()))
        if fresh:
            context = browser.new_context(**options)
        else:
            context = (
                contexts[name]
                if name in contexts
                else contexts.setdefault(name, browser.new_context(**options))
            )
        page, watch = watched(context, origin)
        closing.append(context if fresh else page)
        watches.append(watch)
        page.goto(address if address.startswith(("http:", "file:")) else root + address)
        return page

    yield opened
    for one in closing:
        one.close()
    assert [complaint for watch in watches for complaint in watch.complaints] == []
