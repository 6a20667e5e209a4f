"""Links are found as a browser finds them, and a broken one stops the build before anything is swapped."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.build import BuildOptions, check
from attention_gallery.build.checks.site_links import LinkReader, check_links
from attention_gallery.errors import LinkError
from attention_gallery.progress import SilentReporter
from sample_gallery import Sample

# Deep enough that no address climbs to the top of the host, where browsers stop climbing.
BASE = "http://host.test/" + "up/" * 9
OUTSIDE = object()


def oracle(route: str, html: str) -> set[object]:
    """Targets by the standard library: parser, joining, splitting."""
    found: set[object] = set()

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update(_joined(route, value or "") for name, value in attrs if name in ("href", "src"))

    parser = Parser()
    parser.feed(html)
    parser.close()
    return found - {None}


def _joined(route: str, reference: str) -> object:
    if "javascript:" in reference or "data:" in reference or "mailto:" in reference:
        return None
    parts = urlsplit(urljoin(BASE + route, reference))
    if parts.netloc != "host.test":
        return None
    base = urlsplit(BASE).path
    if not parts.path.startswith(base):
        return OUTSIDE
    path, fragment = unquote(parts.path[len(base) :]), unquote(parts.fragment)
    return f"{path}#{fragment}" if fragment and "=" not in fragment else path


def ours(route: str, html: str, *, exact: bool) -> set[object]:
    links = LinkReader("/up/", exact).read(route, html.encode()).split("\n")
    return {OUTSIDE if link.startswith(("../", "/")) or link == ".." else link for link in links}


SEGMENT = st.sampled_from(["a", "b-c", "page.html", "..", ".", "l03h07", "caf%C3%A9", "two%20words", "é"])
ROUTE = st.sampled_from(["", "404.html", "a/", "a/b/", "a/b/l03h07/", "notes/x/"])
TAIL = st.sampled_from(["", "", "#part", "#head=L1H2", "#", "?q=1", "?q=1#part", "#caf%C3%A9"])


@st.composite
def references(draw: st.DrawFn) -> str:
    path = "/".join(draw(st.lists(SEGMENT, max_size=5)))
    if path and draw(st.booleans()):
        path += "/"
    climb = draw(st.sampled_from(["", "", "./", "../", "../../", "../../../"]))
    whole = climb + path + draw(TAIL)
    other = st.sampled_from(["https://x.test/a", "//x.test/a", "data:image/png;base64,AA", "mailto:a@b.c"])
    return draw(st.one_of(st.just(whole), st.just(whole), other))


@given(ROUTE, st.lists(references(), min_size=1, max_size=6))
def test_plainly_written_links_are_what_a_browser_follows(route: str, found: list[str]) -> None:
    html = "".join(f'<a class="x" href="{escape(one)}">y</a><img src="{escape(one)}">' for one in found)
    for exact in (False, True):
        assert _without_own(ours(route, html, exact=exact), route) == _without_own(oracle(route, html), route)


@given(st.lists(st.tuples(ROUTE, st.lists(references(), max_size=4)), min_size=2, max_size=6))
def test_what_was_read_before_makes_no_difference(pages: list[tuple[str, list[str]]]) -> None:
    reader = LinkReader("/up/", exact=False)
    for route, found in pages:
        html = "".join(f'<a href="{escape(one)}">y</a>' for one in found).encode()
        assert reader.read(route, html) == LinkReader("/up/", exact=False).read(route, html)


def _without_own(found: set[object], route: str) -> set[object]:
    """Without links to the page itself or nothing at all, which need no checking."""
    return {one for one in found if one not in ("", route)}


WAYS = st.sampled_from(
    [
        "<a href='{}'>x</a>",
        "<a href={}>x</a>",
        '<A HREF = "{}">x</A>',
        "<a\nhref='{}'\n>x</a>",
        "<a title='>' href='{}'>x</a>",
        "<!-- <a href='{}'> -->",
        "<script>var x = \"<a href='{}'>\"</script>",
        '<p>&lt;a href="{}"&gt;</p>',
        "<img data-src='{}'>",
    ]
)


@given(ROUTE, st.lists(st.tuples(WAYS, references()), min_size=1, max_size=6))
def test_links_in_any_writing_are_found_exactly(route: str, found: list[tuple[str, str]]) -> None:
    html = "".join(way.format(escape(one)) for way, one in found if one)
    assert _without_own(ours(route, html, exact=True), route) == _without_own(oracle(route, html), route)


@pytest.mark.parametrize(
    "reference", ["http://[bad", "\x00", "http://", "ht!tp://x", "#", "", "?", "//", "\\\\x"]
)
def test_a_strange_address_is_no_accident(reference: str) -> None:
    for exact in (False, True):
        LinkReader("/", exact).read("a/b/", f'<a href="{reference}">x</a>'.encode())
        LinkReader("/", exact).read("a/b/", f'<a href="{reference}'.encode())


PAGES = {
    "": '<h1 id="top">x</h1><meta name="viewport"><a name="old"></a><p>id="fake"</p>',
    "a/": '<h2 id="part two">x</h2>',
    "a#b.png": "",
}


def reported(html: str, route: str = "a/", foreign: frozenset[str] = frozenset()) -> str:
    """The complaint about a page with these links, "" when there is none."""
    pages = {**PAGES, route: PAGES[route] + html}
    read = {name: page.encode() for name, page in pages.items()}.__getitem__
    links = LinkReader("/sub/", exact=False).read(route, read(route))
    try:
        check_links([(route, links)], set(pages), set(foreign), read, "/sub/")
    except LinkError as error:
        return str(error)
    return ""


WORKING = (
    "../ ../#top ../#old #part%20two ../index.html index.html ./ ../?x=1 /sub/a/ /sub/ ../a%23b.png "
    "../#head=L1H2 ../CNAME ../own/ ../own/index.html"
)


@pytest.mark.parametrize("reference", WORKING.split())
def test_what_exists_is_no_broken_link(reference: str) -> None:
    assert reported(f'<a href="{reference}">x</a>', foreign=frozenset({"CNAME", "own/index.html"})) == ""


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("../b/", '"/b/", which does not exist'),
        ("../#fake", '"/#fake", but that page has no such anchor'),
        ("../#viewport", '"/#viewport", but that page has no such anchor'),
        ("#part", '"/a/#part", but that page has no such anchor'),
        ("../../x", "does not exist"),
        ("/a/", "does not exist"),
        ("../a", "does not exist"),
        ("../a#b.png", "does not exist"),
    ],
)
def test_what_does_not_exist_is_told(reference: str, told: str) -> None:
    assert told in reported(f'<img src="{reference}">')


def test_a_text_about_links_is_no_link() -> None:
    assert reported('<p>write &lt;a href="nowhere/"&gt; or  src="gone.png"</p>') == ""


def test_many_broken_links_are_counted() -> None:
    told = reported("".join(f'<a href="../gone-{number}/">x</a>' for number in range(30)))
    assert told.count("does not exist") == 20
    assert "and 10 more broken links" in told


def theme_with(sample: Sample, main: str) -> None:
    sample.write("themes/mine/theme.yaml", "name: mine\nextends: tiny\n")
    page = '{% extends "base.html" %}{% block main %}' + main + "{% endblock %}"
    sample.write("themes/mine/templates/about.html", page)
    sample.write("themes/mine/templates/note.html", page)
    sample.settings["theme"] = "mine"


@pytest.mark.parametrize(
    "main",
    [
        '<a href="../nowhere/">x</a>',
        "<a href='../nowhere/'>x</a>",
        "<a HREF=../nowhere/>x</a>",
        '<img src="{{ page.root }}assets/gone.png" alt="">',
        "<script src = '{{ page.root }}assets/gone.js'></script>",
        '<img alt="" src="../about/" srcset="../about/ 1x, ../gone.png 2x">',
        '<a href="{{ page.root }}models/enc/#gone">x</a>',
        '<a href="/gone/">x</a>',
    ],
)
def test_a_theme_with_a_broken_link_swaps_nothing(sample: Sample, main: str) -> None:
    sample.build()
    before, inodes = sample.tree(), sample.stamps()
    theme_with(sample, main)
    with pytest.raises(LinkError, match=r"nowhere|gone"):
        sample.build()
    assert sample.tree() == before
    assert sample.stamps() == inodes
    assert not (sample.cache / "staging").exists()
    assert not [*sample.cache.glob("build.sqlite*.new")]


@pytest.mark.parametrize(
    "link", ["[[enc/nowhere]]", "[[enc/cat/L9H9]]", "[x](missing.png)", "![x](missing.png)"]
)
def test_a_note_with_a_broken_link_swaps_nothing(sample: Sample, link: str) -> None:
    sample.build()
    before = sample.tree()
    sample.note("about.md", f"# About\n\n{link}\n")
    with pytest.raises(LinkError, match=r"about\.md:3"):
        sample.build()
    assert sample.tree() == before


def test_a_note_may_talk_about_html(sample: Sample) -> None:
    sample.note("about.md", '# About\n\nWrite `<a href="nowhere/">`, or plainly: x href="nowhere/".\n')
    sample.build()
    assert "nowhere/" in sample.page("about/")


def test_a_removed_page_breaks_the_link_of_a_foreign_hand_made_theme(sample: Sample) -> None:
    theme_with(sample, '<a href="{{ page.root }}enc/short/">x</a>')
    sample.build()
    del sample.settings["sentences"][2]
    with pytest.raises(LinkError, match="enc/short/"):
        sample.build()


def test_a_foreign_file_that_a_page_links_to_is_missed_when_it_goes(sample: Sample) -> None:
    sample.build()
    (sample.site / "paper.pdf").write_bytes(b"%PDF")
    theme_with(sample, '<a href="{{ page.root }}paper.pdf">x</a>')
    sample.build()
    sample.build()
    (sample.site / "paper.pdf").unlink()
    with pytest.raises(LinkError, match=r"paper\.pdf"):
        sample.build()


def test_a_file_beside_the_notes_may_have_any_name(sample: Sample) -> None:
    for name in ("a#b.png", "100%.png", "zwei wörter.png", "a%23.png"):
        (sample.root / "content" / name).write_bytes(b"x")
    sample.note("about.md", "# About\n\n[one](a%23b.png) [two](100%25.png) [three](<zwei wörter.png>)\n")
    sample.build()
    html = sample.page("about/")
    for name in ("a%23b.png", "100%25.png"):
        assert f'href="../assets/notes/{name}"' in html


def test_check_tells_of_a_site_that_was_broken_since(sample: Sample) -> None:
    sample.build()
    assert check(sample.manifest, BuildOptions(), SilentReporter()).links > 100
    (sample.site / "enc" / "cat" / "thumbnail.png").unlink()
    with pytest.raises(LinkError, match=r"enc/cat/thumbnail\.png"):
        check(sample.manifest, BuildOptions(), SilentReporter())
