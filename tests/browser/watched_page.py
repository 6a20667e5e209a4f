"""A page whose every complaint and request is kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

PATIENCE = 15_000
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}


def probe(name: str) -> str:
    """A script of `probes/` that asks a page something."""
    return (Path(__file__).parent / "probes" / f"{name}.js").read_text(encoding="utf-8")


@dataclass
class Watch:
    """What went wrong on a page, and what it asked for, in order."""

    origin: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.complaints.append(f"{message.location.get('url', '')}: {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith((self.origin, "data:", "blob:")):
            self.complaints.append(f"asked another place: {request.url}")

    def _failed(self, request: Request) -> None:
        # A prefetch that is given up because the reader moved on is none of the page's faults.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")


def watched(context: BrowserContext, origin: str) -> tuple[Page, Watch]:
    """A new page of this context, and the record of it."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    watch = Watch(origin)
    watch.attach(page)
    return page, watch


def until(page: Page, condition: str, arg: Any = None) -> None:
    """Wait until `condition` is true on the page.

    It is asked from outside: what Playwright offers asks again by `eval`, which the policy of pages forbids.
    """
    deadline = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(condition, arg):
        assert time.monotonic() < deadline, f"it never was so that {condition}"
        page.wait_for_timeout(20)


def drawn(page: Page) -> None:
    """Wait until the figure of the page is on its canvas, and the grid on its own."""
    until(
        page,
        """() => {
            if (!window.AG || !AG.figure) return document.readyState === "complete";
            const grid = document.querySelector(".heads-stage");
            const shown = AG.figure.box || AG.state.view !== "matrix";
            return Boolean(shown) && (!grid || grid.querySelector("canvas") !== null);
        }""",
    )


def at(page: Page, query: int, key: int) -> tuple[float, float]:
    """The middle of a cell of the heatmap, in the window."""
    page.locator("#attention-plot").scroll_into_view_if_needed()
    x, y = page.evaluate(
        """([query, key]) => {
            const { box, plot } = AG.figure, area = plot.getBoundingClientRect();
            const along = (from, i) => from + (i + 0.5) * box.cell;
            return [along(area.left + box.left, key), along(area.top + box.top, query)];
        }""",
        [query, key],
    )
    return x, y
