"""Live reload in a real browser, on a page with a strict Content-Security-Policy."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from attention_gallery.serve import PreviewServer, create_server

pytestmark = pytest.mark.browser

POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:"
HTML = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Page</title><link rel="icon" href="data:,">'
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><body><h1>%s</h1></body></html>'
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PreviewServer]:
    (tmp_path / "index.html").write_text(HTML % "first")
    server = create_server(tmp_path, port=0)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.state.close()
    server.shutdown()
    server.server_close()


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "the browser tests need Chromium (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
        assert complaints == []


def test_the_page_reloads_when_the_site_changed_and_only_then(server, page, tmp_path):
    page.goto(server.url)
    page.evaluate("window.stillHere = true")
    (tmp_path / "index.html").write_text(HTML % "second")
    server.state.succeeded(changed=False)
    page.wait_for_timeout(300)
    assert page.evaluate("window.stillHere") is True
    server.state.succeeded(changed=True)
    expect(page.locator("h1")).to_have_text("second")
    assert page.evaluate("window.stillHere") is None


def test_a_failed_build_is_shown_over_the_page_until_it_is_mended(server, page):
    page.goto(server.url)
    server.state.failed('gallery.yaml:3: unknown key "<b>titel</b>"')
    box = page.get_by_role("alert")
    expect(box.locator("pre")).to_have_text('gallery.yaml:3: unknown key "<b>titel</b>"')
    expect(box).to_be_in_viewport()
    expect(page.locator("h1")).to_have_text("first")
    page.reload()
    expect(page.get_by_role("alert")).to_have_count(1)
    server.state.succeeded(changed=False)
    expect(box).to_have_count(0)
