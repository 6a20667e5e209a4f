"""Files around the pages: the 404 page, redirects from former addresses, sitemap, robots, assets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from itertools import product

from attention_gallery.addresses import routes
from attention_gallery.hashing import digest_bytes
from attention_gallery.pages.contexts.page_contexts import NotFoundContext
from attention_gallery.pages.frame import page_info
from attention_gallery.pages.gallery import Capture, Gallery, GalleryModel
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.pages.site_inputs import PAGE_ROUTES, LiteralFile, SitePage
from attention_gallery.theme.bundle import fingerprinted

# A refresh forgets what stands behind the "#", so a script leads on wherever scripts run: a shared link keeps
# its head and token. It is a file, since pages work under a policy that forbids scripts in a page.
_LEAD_ON = b"""(() => {
  const target = document.querySelector("a").href;
  const page = location.protocol === "file:" ? target : target.replace(/index\\.html$/, "");
  location.replace(page + location.search + location.hash);
})();
"""
_LEAD_ON_NAME = fingerprinted("redirect.js", _LEAD_ON)


def _not_found(page: SitePage, inputs: PageInputs) -> Page:
    """`/404.html`. A server shows it at any depth, so its links start with the path of `base_url`.

    Without `base_url` they are relative: right for an address at the top of the site, under any path and
    from disk. Links that start with "/" would be right at any depth, but only where the site has a host of
    its own.
    """
    base_url = inputs.site.base_url
    root = routes.base_path(base_url) if base_url else None
    info = page_info(inputs.site, "404", routes.NOT_FOUND, "Page not found", "", root=root)
    return Page(info, NotFoundContext(info.root))


def _redirects(gallery: Gallery, site: None) -> Iterator[LiteralFile]:
    """A page at every former address that leads to the present one, and the script that these share."""
    moved = False
    for old, new in _moved(gallery):
        html = _redirect(gallery.site.base_url, old, new)
        yield LiteralFile(old, digest_bytes(html), html)
        moved = True
    if moved:
        yield LiteralFile(routes.asset(_LEAD_ON_NAME), _LEAD_ON_NAME, _LEAD_ON)


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
            yield from _moved_model(model, alias, model.spec.slug in gallery.sweeps)
    for capture in gallery.captures.values():
        yield from _moved_capture(capture)


def _moved_model(model: GalleryModel, alias: str, has_length: bool) -> Iterator[tuple[str, str]]:
    slug = model.spec.slug
    yield routes.model(alias), routes.model(slug)
    if has_length:
        yield routes.model_length(alias), routes.model_length(slug)
    for head in model.heads:
        name = model.routes.slug(*head)
        yield routes.model_head(alias, name), routes.model_head(slug, name)


def _moved_capture(capture: Capture) -> Iterator[tuple[str, str]]:
    """The pages of a capture under every former name of its model, its sentence, or both."""
    models = (capture.model.spec.slug, *capture.model.spec.aliases)
    sentences = (capture.sentence.slug, *capture.sentence.aliases)
    # The first of the products is where the capture is now.
    for model, sentence in list(product(models, sentences))[1:]:
        yield routes.explorer(model, sentence), capture.route
        for head in capture.heads:
            yield routes.head(model, sentence, capture.model.routes.slug(*head)), capture.head_route(*head)


def _redirect(base_url: str | None, old: str, new: str) -> bytes:
    # The file itself: opened from disk, a folder would show its list of files.
    target = escape(routes.href(old, routes.file_of(new)))
    script = escape(routes.href(old, routes.asset(_LEAD_ON_NAME)))
    canonical = f'<link rel="canonical" href="{escape(routes.absolute(base_url, new))}">' if base_url else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Moved</title>{canonical}'
        # An icon of nothing, or a browser would ask for /favicon.ico, which is perhaps not ours.
        '<meta name="robots" content="noindex"><link rel="icon" href="data:,">'
        # For readers without scripts; later than the script, which must come first where there is one.
        f'<meta http-equiv="refresh" content="1; url={target}"></head>'
        f'<body><p>This page has moved <a href="{target}">here</a>.</p><script src="{script}"></script>'
        "</body></html>\n"
    ).encode()


def _sitemap(page: SitePage, inputs: PageInputs) -> bytes:
    base_url = inputs.site.base_url or ""
    entries = "".join(
        f"<url><loc>{escape(routes.absolute(base_url, route))}</loc></url>\n"
        # Sorted, so that another order of planning changes no byte.
        for route in sorted(inputs[PAGE_ROUTES])
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    ).encode()


def _robots(page: SitePage, inputs: PageInputs) -> bytes:
    sitemap = routes.absolute(inputs.site.base_url or "", routes.SITEMAP)
    return f"User-agent: *\nAllow: /\nSitemap: {sitemap}\n".encode()


def _where_published(route: str) -> Callable[[Gallery, None], list[SitePage]]:
    """A file of a site whose published address is known."""
    # Both name absolute addresses.
    return lambda gallery, site: [SitePage(route)] if gallery.site.base_url else []


REDIRECT = PageKind(
    "redirect",
    literal=True,
    subjects=_redirects,
    make=lambda file, inputs: file.content,
)
NOT_FOUND = PageKind(
    "404",
    template="404.html",
    subjects=lambda gallery, site: [SitePage(routes.NOT_FOUND)],
    make=_not_found,
)
# The theme's styles, scripts and static files under their fingerprinted names.
ASSET = PageKind(
    "asset",
    literal=True,
    subjects=lambda gallery, site: (
        LiteralFile(routes.asset(file.name), file.name, file.data) for file in gallery.site.assets.files
    ),
    make=lambda file, inputs: file.content,
)
SITEMAP = PageKind(
    "sitemap",
    subjects=_where_published(routes.SITEMAP),
    make=_sitemap,
    needs=(PAGE_ROUTES,),
)
ROBOTS = PageKind("robots", subjects=_where_published(routes.ROBOTS), make=_robots)
