"""A download: numbers for programs, in a file beside a page that links to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.pages.capture_inputs import CapturePage, ModelPage
from attention_gallery.pages.page_kind import PageInput, PageInputs, PageKind, Scope


@dataclass(frozen=True, slots=True, eq=False)
class Download:
    """A file called `name` beside every explorer, or beside the page of every model.

    text: what the link to it says. about: what it is and for whom. content: its bytes.
    """

    name: str
    text: str
    about: str
    scope: Scope
    content: Callable[[PageInputs], bytes]
    needs: tuple[PageInput[Any], ...]

    @property
    def kind(self) -> PageKind[Any]:
        """The files as a page kind."""
        subject: Callable[[Any], Any] = CapturePage if self.scope == "capture" else ModelPage
        return PageKind(
            self.name,
            scope=self.scope,
            # Every model and capture has one, unless `site:` asks for none.
            subjects=lambda gallery, about: [subject(about)] if gallery.site.downloads else [],
            route=lambda page: _page_of(page) + self.name,
            make=lambda page, inputs: self.content(inputs),
            needs=self.needs,
        )


def _page_of(page: CapturePage | ModelPage) -> str:
    return page.capture.route if isinstance(page, CapturePage) else routes.model(page.model.spec.slug)


def download_links(
    downloads: Iterable[Download], scope: Scope, inputs: PageInputs, route: str
) -> tuple[Link, ...]:
    """Links from the page at `route` to the files beside it; none where the gallery offers no downloads."""
    if not inputs.site.downloads:
        return ()
    beside = (download for download in downloads if download.scope == scope)
    return tuple(
        Link(download.text, routes.href(route, route + download.name), download.about) for download in beside
    )
