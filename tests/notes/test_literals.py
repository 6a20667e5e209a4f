"""Calls with literals: what is read, and where a mistake is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.notes.questions.literals import CallError, parse_call

# What a text in quotes may hold: anything but a surrogate; the reader of notes refuses control characters.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True).filter(
    lambda name: name not in ("true", "false")
)
NUMBERS = st.integers(-(10**9), 10**9) | st.decimals(-1000, 1000, places=3).map(float)
VALUES = TEXTS | NUMBERS | st.booleans()
SPACE = st.sampled_from(["", " ", "\n ", "  "])


def written(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return json.dumps(value) if isinstance(value, bool) else str(value)


@given(NAMES, st.lists(VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=3), SPACE)
def test_what_is_written_is_read(
    name: str, values: list[object], options: dict[str, object], space: str
) -> None:
    parts = [*map(written, values), *(f"{key}={space}{written(value)}" for key, value in options.items())]
    text = f"{space}{name}{space}({space}{f'{space},{space}'.join(parts)}{space}){space}"
    if "e" in "".join(part for part in parts if part[:1].isdigit() or part[:1] == "-"):
        return  # numbers are written without exponents
    call = parse_call(text)
    assert call.name == name
    assert [one.value for one in call.arguments] == values
    assert {key: one.value for key, one in call.options.items()} == options
    for one, value in zip(call.arguments, values, strict=True):
        assert text.startswith(written(value), one.at)


@given(st.text(alphabet="wf(),= \"'\\1.a“-\n", max_size=30))
def test_any_text_is_read_or_refused_at_a_place_in_it(text: str) -> None:
    told = refusal(text)
    if told is not None:
        assert 0 <= told.at <= len(text)
        assert told.reason
        assert told.mend


def refusal(text: str) -> CallError | None:
    try:
        parse_call(text)
    except CallError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("", 0, "a live value begins with a name"),
        ("weight", 6, '"(" is missing after "weight"'),
        ('weight("it" "cat")', 12, '`"cat")` cannot stand here'),
        ('weight("it", cat)', 13, "`cat` is neither a text nor a number"),
        ('weight("it", “cat”)', 13, "`“` is a typographic quotation mark"),
        ('weight("it', 7, "this text is not closed"),
        ("weight(1.)", 7, "`1.)` cannot stand here"),
        ('weight("it").real', 12, "`.real` stands behind the call"),
        ('weight("it" + "s")', 12, '`+ "s")` cannot stand here'),
        ('weight(top=1, "it")', 14, "an argument stands after an option"),
        ("weight(top=1, top=2)", 14, 'the option "top" is given twice'),
        ("weight(open('x'))", 7, "`open` is neither a text nor a number"),
    ],
)
def test_mistakes_have_a_place(text: str, at: int, reason: str) -> None:
    with pytest.raises(CallError) as caught:
        parse_call(text)
    assert (caught.value.at, caught.value.reason) == (at, reason)
