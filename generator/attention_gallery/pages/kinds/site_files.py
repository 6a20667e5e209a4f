"""Files around the pages: the 404 page, redirects from former addresses, sitemap, robots, assets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import product

from attention_gallery.addresses import routes
from attention_gallery.hashing import digest_bytes
from attention_gallery.pages.contexts.page_contexts import NotFoundContext
from attention_gallery.pages.frame import page_info, render
from attention_gallery.pages.gallery import Gallery, GalleryModel, Pair, PlannedPage
from attention_gallery.theme.assets import fingerprinted

# A refresh forgets what stands behind the "#", so a script leads on wherever scripts run: a shared link keeps
# its head and token. It is a file, since pages work under a policy that forbids scripts in a page.
_LEAD_ON = b"""(() => {
  const target = document.querySelector("a").href;
  const page = location.protocol === "file:" ? target : target.replace(/index\\.html$/, "");
  location.replace(page + location.search + location.hash);
})();
"""
_LEAD_ON_NAME = fingerprinted("redirect.js", _LEAD_ON)


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
    """A page at every former address that leads to the present one, and the script that these share."""
    some = False
    for old, new in _moved(gallery):
        html = _redirect(gallery, old, new)
        yield PlannedPage(old, gallery.inputs("redirect", new), lambda html=html: html)  # type: ignore[misc]
        some = True
    if some:
        yield PlannedPage(routes.asset(_LEAD_ON_NAME), _LEAD_ON_NAME, lambda: _LEAD_ON)


def _moved(gallery: Gallery) -> Iterator[tuple[str, str]]:
    """Former and present routes of everything that has aliases."""
    for sentence in gallery.sentences:
        for alias in sentence.aliases:
            yield routes.sentence(alias), routes.sentence(sentence.slug)
    for contrast in gallery.contrasts:
        for alias in contrast.spec.aliases:
            yield routes.contrast(alias), contrast.route
    for model in gallery.models:
        for alias in model.spec.aliases:
            yield from _moved_model(model, alias, model.spec.slug in gallery.ladders)
    for pair in gallery.pairs.values():
        yield from _moved_pair(pair)


def _moved_model(model: GalleryModel, alias: str, has_length: bool) -> Iterator[tuple[str, str]]:
    slug = model.spec.slug
    yield routes.model(alias), routes.model(slug)
    if has_length:
        yield routes.model_length(alias), routes.model_length(slug)
    for place in model.places:
        head = model.routes.slug(*place)
        yield routes.model_head(alias, head), routes.model_head(slug, head)


def _moved_pair(pair: Pair) -> Iterator[tuple[str, str]]:
    """The pages of a pair under every former name of its model, its sentence, or both."""
    models = (pair.model.spec.slug, *pair.model.spec.aliases)
    sentences = (pair.sentence.slug, *pair.sentence.aliases)
    for model, sentence in list(product(models, sentences))[1:]:
        yield routes.explorer(model, sentence), pair.route
        for place in pair.heads:
            yield routes.head(model, sentence, pair.model.routes.slug(*place)), pair.head_route(*place)


def _redirect(gallery: Gallery, old: str, new: str) -> bytes:
    # The file itself: opened from disk, a folder would show its list of files.
    target = escape(routes.href(old, routes.file_of(new)))
    script = escape(routes.href(old, routes.asset(_LEAD_ON_NAME)))
    base_url = gallery.settings.base_url
    canonical = f'<link rel="canonical" href="{escape(routes.absolute(base_url, new))}">' if base_url else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Moved</title>{canonical}'
        '<meta name="robots" content="noindex"><link rel="icon" href="data:,">'
        # For readers without scripts; later than the script, which must come first where there is one.
        f'<meta http-equiv="refresh" content="1; url={target}"></head>'
        f'<body><p>This page has moved <a href="{target}">here</a>.</p><script src="{script}"></script>'
        "</body></html>\n"
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
