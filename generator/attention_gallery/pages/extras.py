"""Files around the pages: the 404 page, redirects from former addresses, sitemap, robots, assets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from attention_gallery.hashing import digest_bytes
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages import routes
from attention_gallery.pages.chrome import page_info, render
from attention_gallery.pages.contexts import NotFoundContext
from attention_gallery.pages.gallery import Gallery, PlannedPage


def not_found_page(gallery: Gallery) -> Iterator[PlannedPage]:
    """`/404.html`. A server shows it at any depth, so its links start with the path of `base_url`.

    Without `base_url` they are relative: right for an address at the top of the site, under any path and
    from disk. Links that start with "/" would be right at any depth, but only where the site has a host of
    its own.
    """
    yield PlannedPage(routes.NOT_FOUND, gallery.inputs("404"), lambda: _not_found(gallery))


def _not_found(gallery: Gallery) -> bytes:
    base_url = gallery.settings.base_url
    root = routes.base_path(base_url) if base_url else None
    info = page_info(gallery, "404", routes.NOT_FOUND, "Page not found", "", root=root)
    return render(gallery, "404.html", info, NotFoundContext(info.root))


def redirects(gallery: Gallery) -> Iterator[PlannedPage]:
    """A page at each former address of a sentence that leads to the present one."""
    for sentence in gallery.sentences:
        for alias in sentence.aliases:
            yield from _redirects_of(gallery, sentence, alias)


def _redirects_of(gallery: Gallery, sentence: SentenceSpec, alias: str) -> Iterator[PlannedPage]:
    moved = [(routes.sentence(alias), routes.sentence(sentence.slug))]
    for pair in gallery.of_sentence(sentence):
        model = pair.model
        moved.append((routes.explorer(model.spec.slug, alias), pair.route))
        for place in pair.heads:
            old = routes.head(model.spec.slug, alias, model.routes.slug(*place))
            moved.append((old, pair.head_route(*place)))
    for old, new in moved:
        html = _redirect(gallery, old, new)
        yield PlannedPage(old, gallery.inputs("redirect", new), lambda html=html: html)  # type: ignore[misc]


def _redirect(gallery: Gallery, old: str, new: str) -> bytes:
    # The file itself: opened from disk, a folder would show its list of files.
    target = escape(routes.href(old, routes.file_of(new)))
    base_url = gallery.settings.base_url
    canonical = f'<link rel="canonical" href="{escape(routes.absolute(base_url, new))}">' if base_url else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Moved</title>{canonical}'
        '<meta name="robots" content="noindex"><link rel="icon" href="data:,">'
        f'<meta http-equiv="refresh" content="0; url={target}"></head>'
        f'<body><p>This page has moved <a href="{target}">here</a>.</p></body></html>\n'
    ).encode()


def sitemap(gallery: Gallery, page_routes: Iterable[str]) -> Iterator[PlannedPage]:
    """`sitemap.xml` and `robots.txt`, for a site whose published address is known."""
    base_url = gallery.settings.base_url
    if base_url is None:
        return
    pages = [route for route in page_routes if route == routes.HOME or route.endswith("/")]
    entries = "".join(
        f"<url><loc>{escape(routes.absolute(base_url, route))}</loc></url>\n" for route in pages
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    ).encode()
    robots = f"User-agent: *\nAllow: /\nSitemap: {routes.absolute(base_url, routes.SITEMAP)}\n".encode()
    yield PlannedPage(routes.SITEMAP, digest_bytes(xml), lambda: xml)
    yield PlannedPage(routes.ROBOTS, digest_bytes(robots), lambda: robots)


def theme_assets(gallery: Gallery) -> Iterator[PlannedPage]:
    """The theme's styles, scripts and static files under their fingerprinted names."""
    for file in gallery.assets.files:
        yield PlannedPage(routes.asset(file.name), file.name, lambda file=file: file.data)  # type: ignore[misc]
