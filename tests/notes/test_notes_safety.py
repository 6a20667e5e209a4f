"""Nothing in a note can run, whatever it says, and nothing in a note ends in a traceback."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention_gallery.errors import UserError
from attention_gallery.notes.live import Answer
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown import markup
from attention_gallery.notes.markdown.note_links import LinkTarget
from attention_gallery.notes.markdown.render_note import render_note
from attention_gallery.notes.questions.shortcodes import Live
from attention_gallery.notes.target import NoteTarget
from attention_gallery.workers import Limits
from sample_notes import load_notes, sample_note

ATTRIBUTES = frozenset([
    "id", "class", "href", "title", "alt", "src", "loading", "rel", "lang", "dir", "colspan", "rowspan",
    "scope", "start", "reversed", "value", "width", "height", "open", "span", "display", "alttext",
    "stretchy", "fence", "form", "separator", "mathvariant", "lspace", "rspace", "linethickness",
    "accent", "accentunder", "movablelimits", "minsize", "maxsize", "symmetric", "largeop", "depth",
    "voffset", "columnalign", "rowalign", "columnspacing", "rowspacing", "columnlines", "rowlines",
    "displaystyle", "scriptlevel", "notation", "frame", "side",
])  # fmt: skip
FORBIDDEN = frozenset([
    "script", "style", "iframe", "object", "embed", "form", "input", "button", "textarea", "svg", "base",
    "meta", "link", "template", "noscript", "audio", "video", "source", "canvas", "annotation-xml",
    "semantics", "maction", "mglyph", "malignmark", "title", "head", "body", "html", "frame", "frameset",
])  # fmt: skip


class Auditor(HTMLParser):
    """Fails on any tag, attribute or address that could act, and on tags that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in FORBIDDEN
        for name, value in attrs:
            assert name in ATTRIBUTES, name
            if name in ("href", "src"):
                assert re.match(r"(#|page|https?:|mailto:|//)", value or "") or not value, value
        if tag not in ("br", "hr", "img", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def audit(html: str) -> None:
    auditor = Auditor()
    auditor.feed(html)
    auditor.close()
    assert auditor.open == []


def note(body: str) -> Note:
    return sample_note(body, NoteTarget("head", "minilm", "cat", 3, 1))


def resolve(target: LinkTarget) -> str:
    return "page"


def answer(live: Live) -> Answer:
    return Answer("<div><p>table</p></div>" if live.block else "<span>0.5</span>", "0.5 <\"'>")


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x.png onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<math href='javascript:alert(1)'><mi>x</mi></math>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<style>*{background:url(//e.org)}</style>",
    "<p style='background:url(//e.org)'>x</p>",
    "<iframe src='//e.org'></iframe><object data=x></object><embed src=x>",
    "<form action='//e.org'><input name=x></form>",
    "<base href='//e.org'><meta http-equiv=refresh content='0;url=//e.org'>",
    "<details open ontoggle=alert(1)>x</details>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<title><p title='</title><script>alert(1)</script>'>",
    "`<script>`\n\n```html\n</code></pre><script>alert(1)</script>\n```",
    "``` \"><script>alert(1)</script>\nx\n```",
    "$\\text{<script>alert(1)</script>}$ $\\text{&lt;img src=x onerror=alert(1)&gt;}$",
    "$\\color{red\" onclick=\"alert(1)}{x}$",
    "[[about|<script>alert(1)</script>]]",
    "[[about#\"><script>alert(1)</script>]]",
    "[x](about.md \"a\\\" onclick=alert(1) x=\\\"\")",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "# <img src=x.png onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --!><script>alert(1)</script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "\ue0000\ue001 \ue00099999\ue001 \ue0001\ue001 [[about]]",
    "<pre><code>a <b>x</b> <img src=x.png> <code>y</code> $z$</code> after</pre>",
    "<h1><span><h2>x</h2></span></h1>",
    "<a href='about.md'>x [[about]] <a href='about.md'>y</a></a>",
    "<div id=__proto__ class='evil footnote'>x</div><div id=location>",
]  # fmt: skip


@pytest.mark.parametrize("body", ATTACKS)
def test_attacks(body: str) -> None:
    try:
        html = render_note(note(body), resolve).html
    except UserError:
        return
    audit(html)


def test_the_attacks_are_not_merely_refused() -> None:
    made = render_note(note("<script>alert(1)</script>ok <b onclick=x>bold</b>"), resolve)
    assert made.html == "ok <b>bold</b>" or made.html == "<p>ok <b>bold</b></p>"


def test_marks_of_the_renderer_itself_come_through_as_text() -> None:
    html = render_note(note("\ue0000\ue001 [[about|x]] `\ue0001\ue001`"), resolve).html
    assert html == '<p>\ue0000\ue001 <a href="page">x</a> <code>\ue0001\ue001</code></p>'


PARTS = [
    *ATTACKS, "[[", "]]", "|", "$", "$$", "`", "```", "~~~", "\n", "\n\n", "    ", "> ", "- ", "1. ", "# ",
    "<", ">", "&", "[^1]", "[^1]: ", "![", "](", ")", "\\", "*", "_", "<div markdown=1>", "</div>",
    "<b", "\"", "'", "x: ", ": ", "*[x]: y\n", "|-|-|\n", "\\frac{", "}", "^", "<!--", "-->",
    "<?", "?>", "a", "\ue000", "1", "\ue001", "\t", "{{", "}}", "\\{{", "{{ type() }}", "{{ pairs() }}",
    "{{ weight(\"a\", \"b\") }}", "{{ no(", "|\n|-|\n|",
]  # fmt: skip
SNIPPETS = st.sampled_from(PARTS)


@settings(max_examples=300)
@given(parts=st.lists(SNIPPETS | st.text(max_size=8), max_size=14))
def test_any_markdown(parts: list[str]) -> None:
    try:
        html = render_note(note("".join(parts)), resolve, answer=answer).html
    except UserError:
        return
    audit(html)


@pytest.mark.parametrize(
    "body",
    [
        "> " * 3000 + "x",
        "[" * 2000,
        "- " * 2000 + "x",
        "<div>" * 5000,
        "*" * 5000,
        "[^1]: " * 1000,
        "$$" * 2001,
        "<b>" * 3000 + "[[about]]",
        "`" * 4001,
        "![" * 1200,
        "<a<" * 3000,
        "{{" * 5000,
        "{{ a('" * 3000,
        '{{ weight("' + "x" * 50_000,
        "{{ weight(" + "1," * 50_000,
    ],
    ids=range(15),
)
@pytest.mark.timeout(60)
def test_deep_nesting_ends(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "LIMITS", Limits(seconds=1))  # not to wait until it is refused
    try:
        audit(render_note(note(body), resolve).html)
    except UserError:
        return


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=100) | st.text(max_size=60).map(lambda text: f"---\n{text}\n---\n".encode()))
def test_any_bytes_load_or_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "about.md").write_bytes(data)
    problems: tuple[object, ...] | None = None
    try:
        notes = load_notes(tmp_path, [], [])
    except UserError as error:
        notes, problems = (), error.problems
    assert len(notes) == 1 or problems
