"""Markdown to HTML: headings, footnotes, tables, code, mathematics, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attention_gallery.errors import LinkError, NoteError, UserError
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown.note_links import LinkTarget
from attention_gallery.notes.markdown.render_note import RenderedNote, render_note
from attention_gallery.notes.target import NoteTarget
from sample_notes import load_notes, sample_note


def note(body: str, name: str = "notes/x.md", line: int = 1) -> Note:
    return sample_note(body, NoteTarget("page", slug="x"), name=name, line=line)


def resolve(target: LinkTarget) -> str | tuple[str, str]:
    if "missing" in (target.slug, target.model, target.sentence):
        raise LookupError('did you mean "minilm"?')
    if target.kind == "model":
        return "/models/x/", "A Title & more"
    return "/".join(str(part) for part in (target.kind, target.model, target.sentence, target.slug) if part)


def render(body: str, **options: int | str) -> RenderedNote:
    return render_note(note(body), resolve, **options)  # type: ignore[arg-type]


def problems(body: str, line: int = 1) -> list[tuple[int | None, int | None, str]]:
    with pytest.raises(UserError) as caught:
        render_note(note(body, line=line), resolve)
    return [(one.line, one.column, one.reason) for one in caught.value.problems]


def test_headings_are_moved_down_and_named() -> None:
    made = render("# One *two*\n\n## [[minilm/tired-cat/L3H7]]\n\n# One two\n\n###### Deep\n\n# 猫\n")
    assert made.headings[:4] == (
        (2, "note-one-two", "One two"),
        (3, "note-l3h7-of-minilm-on-tired-cat", "L3H7 of minilm on tired-cat"),
        (2, "note-one-two-2", "One two"),
        (6, "note-deep", "Deep"),
    )
    assert re.fullmatch("note-section-[0-9a-f]{8}", made.headings[4][1])
    assert '<h2 id="note-one-two">One <em>two</em></h2>' in made.html
    assert render("# A\n", heading_offset=2, id_prefix="a-").headings == ((3, "a-a", "A"),)


def test_footnotes_of_two_notes_do_not_clash() -> None:
    body = "Text[^1] and again[^1].\n\n[^1]: A note with [[minilm]].\n"
    first = render_note(note(body, "notes/a.md"), resolve).html
    second = render_note(note(body, "notes/b.md"), resolve).html
    ids = re.findall(r' id="([^"]+)"', first)
    assert len(ids) == len(set(ids)) == 3
    assert not set(ids) & set(re.findall(r' id="([^"]+)"', second))
    assert set(re.findall(r'href="#([^"]+)"', first)) == set(ids)
    assert 'href="short/minilm"' in first


def test_a_footnote_that_is_never_used_is_an_error() -> None:
    assert problems("Text.\n\n[^one]: Lost.\n") == [(3, 1, "the footnote [^one] is never used")]


def test_links_to_headings_of_the_same_note() -> None:
    assert 'href="#note-later"' in render("[down](#note-later)\n\n# Later\n").html


def test_links_to_headings_hold_where_their_ids_begin_otherwise() -> None:
    made = render("[down](#note-later-2)\n\n# Later\n\n# Later\n", id_prefix="note-minilm-")
    assert [anchor for _, anchor, _ in made.headings] == ["note-minilm-later", "note-minilm-later-2"]
    assert 'href="#note-minilm-later-2"' in made.html


def test_a_broken_link_tells_the_reason_and_what_to_do() -> None:
    def lost(target: LinkTarget) -> str:
        raise LookupError('the gallery has no sentence "cta"', 'did you mean "cat"?')

    with pytest.raises(LinkError) as caught:
        render_note(note("[[cta]]"), lost)
    (problem,) = caught.value.problems
    assert problem.reason == '[[cta]] leads to no page of the site: the gallery has no sentence "cta"'
    assert problem.mend == 'did you mean "cat"?'


def test_tables_carry_their_alignment_as_classes() -> None:
    html = render("| a | b |\n|:-:|--:|\n| [[minilm/cat|x]] | $|y|$ |\n").html
    assert '<td class="align-center"><a href="pair/minilm/cat">x</a></td>' in html
    assert '<th class="align-right">' in html
    assert "style=" not in html


def test_code_is_highlighted_by_classes_and_left_alone() -> None:
    html = render("```python\ndef f(): # $x$ [[y]] \\$\n    return '<script>'\n```\n").html
    assert '<span class="hl-k">def</span>' in html
    assert "# $x$ [[y]] \\$" in html
    assert "&lt;script&gt;" in html
    assert "style=" not in html
    assert (
        render("`$x$ [[y]]` and ``a ` $b$``\n").html
        == "<p><code>$x$ [[y]]</code> and <code>a ` $b$</code></p>"
    )
    assert "[[x]] $y$ \\$" in render("Text\n\n    indented [[x]] $y$ \\$\n").html
    assert '<code class="language-nothing">a $b$\n</code>' in render("~~~ nothing\na $b$\n~~~\n").html


def test_mathematics_becomes_mathml() -> None:
    html = render(r"So $a_i < \frac{1}{2}$ holds.").html
    assert '<math display="inline" alttext="a_i &lt; \\frac{1}{2}">' in html
    assert "<msub><mi>a</mi><mi>i</mi></msub><mo>&lt;</mo><mfrac>" in html
    assert '<math display="block"' in render("$$\n\\sum_{i=1}^n x_i\n$$\n").html
    assert "<em>" not in render("$a_1$ and $b_2$ and $c*d*e$").html


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $6.",
        "From $ 5 to $ 6",
        "US$5 and US$6",
        r"\$a\$",
        "a $5",
        "5$ and 6$",
        "$5-$10",
        "$a\n\nb$",
    ],
)
def test_money_is_not_mathematics(text: str) -> None:
    html = render(text).html
    assert "<math" not in html
    assert html.count("$") == text.count("$")


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{a}",
        "{", "}", r"\nosuchcommand x", "x_", r"\left( x", r"\begin{nosuch}x\end{nosuch}",
        r"\def\a{b}",
        r"\newcommand{\a}{b}", r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}", "{" * 200,
        r"\begin{cases}a",
        "x" * 5000,
    ],
)  # fmt: skip
def test_formulas_that_cannot_be_drawn(latex: str) -> None:
    with pytest.raises(NoteError) as caught:
        render_note(note(f"one\n\ntwo ${latex}$\n", line=10), resolve)
    (problem,) = caught.value.problems
    assert problem.reason.startswith("this formula cannot be drawn: ")
    assert problem.line == 12
    assert problem.column == 5


@pytest.mark.parametrize(
    ("link", "href", "label"),
    [
        ("[[minilm/tired-cat/L3H7]]", "head/minilm/tired-cat", "L3H7 of minilm on tired-cat"),
        ("[[minilm/tired-cat/L3H7|this *head*]]", "head/minilm/tired-cat", "this *head*"),
        ("[[minilm/tired-cat#head=L3H7&token=4]]", "pair/minilm/tired-cat", "tired-cat in minilm"),
        ("[[models/minilm]]", "/models/x/", "A Title &amp; more"),
        ("[[models/minilm/L3H7]]", "model-head/minilm", "L3H7 of minilm"),
        ("[[sentences/tired-cat]]", "sentence/tired-cat", "tired-cat"),
        ("[[notes/how]]", "page/how", "how"),
        ("[[about]]", "about", "about this gallery"),
        ("[[gallery]]", "gallery", "the gallery"),
        ("[[tired-cat]]", "short/tired-cat", "tired-cat"),
        ("[[tired-cat|<b>x</b>]]", "short/tired-cat", "&lt;b&gt;x&lt;/b&gt;"),
        ("[text](../minilm/tired-cat.md#a)", "pair/minilm/tired-cat", "text"),
        ("[text](y.md)", "page/y", "text"),
        ("[data](my%20data.csv)", "asset/notes/my data.csv", "data"),
    ],
)
def test_links(link: str, href: str, label: str) -> None:
    made = render(f"See {link}.")
    assert made.html == f'<p>See <a href="{href}">{label}</a>.</p>'
    (target,) = made.links
    assert target.line == 1


def test_what_a_link_target_holds() -> None:
    target = render("\n\n[[minilm/tired-cat#head=L3H7&token=4|x]]").links[0]
    assert (target.kind, target.model, target.sentence) == ("pair", "minilm", "tired-cat")
    assert target.fragment == "head=L3H7&token=4"
    assert target.raw == "[[minilm/tired-cat#head=L3H7&token=4|x]]"
    assert (target.note, target.line) == (Path("/p/notes/x.md"), 3)
    head = render("[[minilm/tired-cat/l03h07]]").links[0]
    assert (head.layer, head.head) == (3, 7)


def test_brackets_that_are_ordinary_markdown() -> None:
    assert render("[[1]](y.md)").html == '<p><a href="page/y">[1]</a></p>'
    assert render(r"\[[about]]").html == "<p>[[about]]</p>"


def test_broken_links_are_all_told_with_their_lines() -> None:
    body = "[[missing]]\n\n- [[nope nope]] and [[|x]]\n- [x](missing.md)\n\n"
    body += "```\n[[missing]]\n```\n\n[^1] [[a/b|]]\n"
    assert problems(body, line=7) == [
        (7, 1, "[[missing]] leads to no page of the site"),
        (9, 3, "the link [[nope nope]] has no known form"),
        (9, 21, "the link [[|x]] names no page"),
        (10, 7, "missing.md leads to no page of the site"),
        (16, 6, "the link [[a/b|]] has an empty label"),
    ]


def test_lines_count_from_the_top_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "about.md").write_text("---\ntitle: x\n---\n\nText\n\n[[missing]]\n", encoding="utf-8")
    (loaded,) = load_notes(tmp_path, [], [])
    with pytest.raises(LinkError) as caught:
        render_note(loaded, resolve)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.quote) == (7, 1, "[[missing]]")
    assert problem.mend == 'did you mean "minilm"?'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("![x](https://e.org/a.png)", "on another host"),
        ("![x](//e.org/a.png)", "on another host"),
        ("![x](data:image/png;base64,xx)", "begins with data:, which notes cannot use"),
        ("![x](C:/pics/cat.png)", "begins with C:"),
        ("[call](tel:+12345)", "begins with tel:"),
        ("<img alt='a cat'>", "no address"),
        ("![x](../../secret.png)", "leaves the content folder"),
        ("![x](%2e%2e/%2e%2e/secret.png)", "leaves the content folder"),
        ("![x](/a.png)", "root of the host"),
        ("![x](a.svg)", "not a picture"),
        ("<img src='a.txt'>", "not a picture"),
        ("[x](../README.md)", "leads to no note"),
        ("[x](../minilm/)", "names no file"),
        ("[x](/minilm/tired-cat/)", "root of the host"),
    ],
)
def test_addresses_that_notes_cannot_use(body: str, reason: str) -> None:
    ((line, _, said),) = problems("Text\n\n" + body)
    assert line == 3
    assert reason in said


def test_pictures_come_from_the_content_folder() -> None:
    html = render('![A cat](pics/cat.png "Title")').html
    assert html == '<p><img src="asset/notes/pics/cat.png" alt="A cat" title="Title" loading="lazy"></p>'


def test_other_hosts_are_linked_without_a_way_back() -> None:
    assert 'rel="noopener noreferrer"' in render("[x](https://example.org)").html
    assert 'href="mailto:a@example.org"' in render("[x](mailto:a@example.org)").html


def test_the_same_note_gives_the_same_html() -> None:
    body = "# A\n\n[[minilm]] $x$[^1]\n\n[^1]: b\n"
    assert render(body) == render(body)
