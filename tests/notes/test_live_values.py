"""Live values in notes: what they ask, where they may stand, and how mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.errors import NoteError
from attention_gallery.notes.live import Answer
from attention_gallery.notes.markdown.note_links import LinkTarget
from attention_gallery.notes.markdown.render_note import RenderedNote, render_note
from attention_gallery.notes.questions.asks import (
    AccuracyOf,
    AskError,
    FigureOf,
    HeadsOfType,
    KeysOf,
    MeasureOf,
    PairsOf,
    ReceivedBy,
    Subject,
    TypeOf,
    WeightOf,
)
from attention_gallery.notes.questions.literals import CallError
from attention_gallery.notes.questions.shortcodes import Live, parse_live
from attention_gallery.notes.target import NoteTarget
from sample_notes import load_notes, sample_note

HEAD = NoteTarget("head", "minilm", "cat", 3, 1)
PAIR = NoteTarget("pair", "minilm", "cat")
MODEL = NoteTarget("model", "minilm")
SENTENCE = NoteTarget("sentence", sentence="cat")
HOME = NoteTarget("gallery")
L3H1 = Subject("minilm", "cat", 3, 1)


def rendered(body: str, target: NoteTarget = HEAD) -> RenderedNote:
    return render_note(sample_note(body, target, line=5), resolve, answer=answer)


def resolve(target: LinkTarget) -> str:
    return "page"


def answer(live: Live) -> Answer:
    if isinstance(live.ask, WeightOf) and live.ask.key == "dog":
        raise AskError('there is no token "dog"', 'did you mean "cat"?', "to")
    if live.block:
        return Answer("<table></table>", "")
    return Answer("<data>0.76</data>", "0.76")


def problems(body: str) -> list[tuple[int | None, int | None, str]]:
    with pytest.raises(NoteError) as caught:
        rendered(body)
    return [(one.line, one.column, one.reason) for one in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "own", "ask"),
    [
        ('weight("minilm/cat/L3H1", "it", "cat")', HOME, WeightOf(L3H1, "it", "cat")),
        ('weight("it", "cat")', HEAD, WeightOf(L3H1, "it", "cat")),
        ('weight("L3H1", "it", "cat")', PAIR, WeightOf(L3H1, "it", "cat")),
        ('weight("l03h01", "it", "cat")', PAIR, WeightOf(L3H1, "it", "cat")),
        ('weight("minilm/L3H1", "it", "cat")', SENTENCE, WeightOf(L3H1, "it", "cat")),
        ('weight("cat/L3H1", "it", "cat")', MODEL, WeightOf(L3H1, "it", "cat")),
        ('weight("L3", "it", "cat")', HEAD, WeightOf(Subject("minilm", "cat", 3), "it", "cat")),
        ('weight("dog/L3", "it", "dog")', HEAD, WeightOf(Subject("minilm", "dog", 3), "it", "dog")),
        ('weight("it", "cat")', PAIR, WeightOf(Subject("minilm", "cat"), "it", "cat")),
        ('received("[CLS]")', PAIR, ReceivedBy(Subject("minilm", "cat"), "[CLS]")),
        ('measure("L0H2", "previous")', MODEL, MeasureOf(Subject("minilm", None, 0, 2), "previous")),
        (
            'measure("models/minilm/L0H2", "previous", which="lowest")',
            HEAD,
            MeasureOf(Subject("minilm", None, 0, 2), "previous", "lowest"),
        ),
        ('accuracy("L0H2", "nsubj")', MODEL, AccuracyOf(Subject("minilm", None, 0, 2), "nsubj")),
        ('accuracy("models/minilm", "nsubj")', HEAD, AccuracyOf(Subject("minilm"), "nsubj")),
        ("type()", HEAD, TypeOf(L3H1)),
        ('count("models/minilm", "mixed")', HEAD, HeadsOfType(Subject("minilm"), "mixed")),
        ('keys("it", top=2, sinks=true)', PAIR, KeysOf(Subject("minilm", "cat"), "it", 2, True)),
        ("pairs(top=3)", HEAD, PairsOf(L3H1, 3)),
        ('figure(caption="Look.")', HEAD, FigureOf(L3H1, "Look.")),
    ],
)
def test_what_a_call_asks(text: str, own: NoteTarget, ask: object) -> None:
    assert parse_live(text, own).ask == ask


@pytest.mark.parametrize(
    ("text", "own", "at", "part"),
    [
        ('wieght("it", "cat")', HEAD, 0, 'no live value "wieght"'),
        ('weight("it")', HEAD, 0, '"weight" is given 1 argument'),
        ('weight("it", 3)', HEAD, 13, "must be a text"),
        ('weight("it", " ")', HEAD, 13, '"to" is empty'),
        ('weight("it", "cat", decimals=9)', HEAD, 29, '"decimals" is 9'),
        ('weight("it", "cat", decimals="2")', HEAD, 29, '"decimals" must be a whole number'),
        ('weight("it", "cat", digits=2)', HEAD, 27, 'no option "digits"'),
        ('measure("previous", which="least")', HEAD, 26, '"which" cannot be "least"'),
        ('weight("it", "cat")', HOME, 0, "about no model"),
        ('weight("L3H1", "it", "cat")', HOME, 7, "does not say which model"),
        ('weight("L3H1", "it", "cat")', SENTENCE, 7, "does not say which model"),
        ('weight("notes/cat/L3H1", "it", "cat")', HEAD, 7, "does not say which model"),
        ('weight("minilm/The Cat/L3H1", "it", "cat")', HEAD, 7, "names no head, layer or page"),
    ],
)
def test_a_call_that_cannot_be_asked(text: str, own: NoteTarget, at: int, part: str) -> None:
    with pytest.raises(CallError) as caught:
        parse_live(text, own)
    assert part in caught.value.reason
    assert caught.value.at == at
    assert caught.value.mend or "must be" in caught.value.reason


def test_a_number_stands_in_a_line() -> None:
    made = rendered(
        'It is {{ weight("it", "cat") }} here.\n\n| a |\n|---|\n| {{ type() }} |\n\n- {{ type() }}\n'
    )
    assert "<p>It is <data>0.76</data> here.</p>" in made.html
    assert "<td><data>0.76</data></td>" in made.html
    assert "<li><data>0.76</data></li>" in made.html
    assert made.asks == (WeightOf(L3H1, "it", "cat"), TypeOf(L3H1), TypeOf(L3H1))


def test_a_call_may_go_on_in_the_next_line() -> None:
    assert rendered('a {{ weight("it",\n"cat") }} b').html == "<p>a <data>0.76</data> b</p>"


def test_a_table_takes_the_place_of_its_paragraph() -> None:
    assert rendered("a\n\n{{ pairs() }}\n\nb").html == "<p>a</p>\n<table></table>\n<p>b</p>"
    assert "<li><table></table></li>" in rendered("- {{ pairs() }}\n").html


@pytest.mark.parametrize(
    "body",
    [
        "a {{ pairs() }}",
        "{{ pairs() }} a",
        "{{ pairs() }} **a**",
        "{{ pairs() }} {{ type() }}",
        "**{{ pairs() }}**",
        "| a |\n|---|\n| {{ pairs() }} |",
        "## {{ pairs() }}",
        "![{{ pairs() }}](a.png)",
    ],
)
def test_a_table_stands_nowhere_else(body: str) -> None:
    assert "a table or figure stands inside a paragraph" in [reason for _, _, reason in problems(body)]


def test_nothing_is_asked_in_code() -> None:
    body = '`{{ weight("it", "dog") }}`\n\n```text\n{{ nosuch }}\n```\n\n    {{ indented }}\n'
    made = rendered(body)
    assert made.asks == ()
    for raw in ('{{ weight("it", "dog") }}', "{{ nosuch }}", "{{ indented }}"):
        assert raw in made.html.replace("&quot;", '"')


def test_two_braces_can_be_written() -> None:
    assert rendered(r"\{{ type() }} and $a_{{b}}$").html.startswith("<p>{{ type() }} and <math")


def test_the_text_of_a_live_value_stands_in_headings_and_attributes() -> None:
    made = rendered('## It is {{ type() }}\n\n[a](http://x.org "{{ type() }}")')
    assert made.headings == ((3, "note-it-is-0-76", "It is 0.76"),)
    assert 'title="0.76"' in made.html


def test_mistakes_are_told_with_line_and_column() -> None:
    body = 'a {{ weight("it", "dog") }}\n\nb {{ weight(\n  "it", "dog") }} c {{ weight("it", "dog")'
    assert problems(body) == [
        (5, 19, 'there is no token "dog"'),
        (8, 9, 'there is no token "dog"'),
        (8, 21, "`{{` is not closed"),
    ]


def test_the_same_mistake_twice_in_a_line_is_told_at_both_places() -> None:
    assert [column for _, column, _ in problems("{{ no() }} {{ no() }}")] == [4, 15]


def test_a_link_and_a_number_that_are_wrong_are_no_mere_broken_link() -> None:
    def lost(target: LinkTarget) -> str:
        raise LookupError("gone")

    with pytest.raises(NoteError) as caught:
        render_note(sample_note("[[cat]] {{ no() }}", HEAD), lost, answer=answer)
    assert len(caught.value.problems) == 2


def test_a_title_holds_no_live_value(tmp_path: Path) -> None:
    (tmp_path / "about.md").write_text("\n# Now {{ type() }}\n\nText.\n", encoding="utf-8")
    with pytest.raises(NoteError) as caught:
        load_notes(tmp_path, [], [])
    (problem,) = caught.value.problems
    assert (problem.line, problem.reason) == (2, "a title cannot hold a live value")
    (tmp_path / "about.md").write_text("# Now \\{{ type() }}\n\nText.\n", encoding="utf-8")
    assert load_notes(tmp_path, [], [])[0].title == "Now {{ type() }}"
