"""Look at a site as it lies on the disk: its links and its size."""

from __future__ import annotations

from functools import partial

from attention_gallery.addresses.routes import base_path
from attention_gallery.build.checks.site_links import LinkReader, check_links, read_page
from attention_gallery.build.execute.ownership import MARKER, owned_files
from attention_gallery.build.project import Project
from attention_gallery.build.run_warnings import RunWarnings
from attention_gallery.files import walk_files
from attention_gallery.host_limits import LARGEST_SITE, site_too_large
from attention_gallery.theme.renderer import Renderer


def inspect_site(project: Project) -> tuple[int, int, int] | None:
    """Pages, links and bytes of the built site, None where there is none. Raises `LinkError`."""
    site = project.site
    owned = owned_files(site, force=False)
    if owned <= {MARKER}:
        return None
    base = base_path(project.manifest.settings.base_url)
    present = set(walk_files(site))
    routes = {_route(name) for name in present}
    pages = sorted(name for name in present & owned if name.endswith(".html"))

    reader = LinkReader(base, exact=not Renderer(project.theme).writes_plain_links())
    links = ((route, reader.read(route, read_page(site, route))) for route in map(_route, pages))
    total = check_links(links, routes, present, partial(read_page, site), base)
    return len(pages), total, sum((site / name).lstat().st_size for name in present)


def warn_of_size(size: int, warnings: RunWarnings) -> None:
    """Warn of a site of so many bytes, where hosts do not take it."""
    if size > LARGEST_SITE:
        warnings.add(site_too_large(size))


def _route(name: str) -> str:
    return name.removesuffix("index.html") if name == "index.html" or name.endswith("/index.html") else name
