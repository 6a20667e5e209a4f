"""Addresses are those that people have shared, and relative links between them lead where they say."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.addresses import routes
from attention_gallery.addresses.routes import HeadRoutes

SLUG = st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,5})?", fullmatch=True)
HEAD = st.builds(
    lambda layer, head: HeadRoutes.from_counts(120, 16).slug(layer, head),
    st.integers(0, 119),
    st.integers(0, 15),
)
ROUTE = st.one_of(
    st.just(routes.HOME),
    st.just(routes.NOT_FOUND),
    st.builds(routes.model, SLUG),
    st.builds(routes.model_length, SLUG),
    st.builds(routes.model_head, SLUG, HEAD),
    st.builds(routes.sentence, SLUG),
    st.builds(routes.explorer, SLUG, SLUG),
    st.builds(routes.head, SLUG, SLUG, HEAD),
    st.builds(routes.note, SLUG),
    st.builds(routes.asset, SLUG),
)


def test_the_addresses_are_stable() -> None:
    assert routes.model("minilm") == "models/minilm/"
    assert routes.model_head("minilm", "l03h07") == "models/minilm/l03h07/"
    assert routes.model_length("minilm") == "models/minilm/length/"
    assert routes.sentence("tired-cat") == "sentences/tired-cat/"
    assert routes.explorer("minilm", "tired-cat") == "minilm/tired-cat/"
    assert routes.head("minilm", "tired-cat", "l03h07") == "minilm/tired-cat/l03h07/"
    assert routes.note("first") == "notes/first/"
    assert (routes.HOME, routes.NOTES, routes.ABOUT, routes.NOT_FOUND) == ("", "notes/", "about/", "404.html")


@pytest.mark.parametrize(
    ("layers", "heads", "place", "slug"),
    [
        (6, 12, (3, 7), "l03h07"),
        (100, 12, (3, 7), "l03h07"),
        (101, 12, (3, 7), "l003h07"),
        (101, 12, (100, 11), "l100h11"),
        (6, 128, (3, 7), "l03h007"),
        (1, 1, (0, 0), "l00h00"),
    ],
)
def test_heads_are_numbered_as_wide_as_needed(
    layers: int, heads: int, place: tuple[int, int], slug: str
) -> None:
    assert HeadRoutes.from_counts(layers, heads).slug(*place) == slug


@given(ROUTE, ROUTE)
def test_relative_links_lead_there(source: str, target: str) -> None:
    base = "https://host.test/deep/site/"
    assert urljoin(base + source, routes.href(source, target)) == base + target


@given(ROUTE)
def test_the_root_is_found_from_everywhere(route: str) -> None:
    assert urljoin("https://host.test/site/" + route, routes.root_of(route)) == "https://host.test/site/"


@pytest.mark.parametrize(
    ("route", "file"), [("", "index.html"), ("a/b/", "a/b/index.html"), ("404.html", "404.html")]
)
def test_a_route_is_kept_in_a_file(route: str, file: str) -> None:
    assert routes.file_of(route) == file


@pytest.mark.parametrize("base", ["https://x.org", "https://x.org/"])
def test_published_addresses(base: str) -> None:
    assert routes.absolute(base, "a/b/") == "https://x.org/a/b/"
    assert routes.absolute(base, "") == "https://x.org/"
