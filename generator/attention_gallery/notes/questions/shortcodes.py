"""Live values: the calls that may stand between `{{` and `}}` in a note, and the questions they ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from attention_gallery.errors import did_you_mean
from attention_gallery.notes.questions import asks
from attention_gallery.notes.questions.asks import AskError, own_subject, parse_subject
from attention_gallery.notes.questions.literals import Call, CallError, Literal, Value, parse_call
from attention_gallery.notes.target import NoteTarget


@dataclass(frozen=True, slots=True)
class Option:
    """An option: what it is when left out, and what it may be (a range for numbers, or a few texts)."""

    name: str
    default: Value
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shortcode:
    """One call. `words` are its texts after the target; `make` is given them and the options.

    `block` tells that it makes a table or figure, which stands on a line of its own.
    """

    name: str
    words: tuple[str, ...]
    make: Callable[..., asks.Ask]
    options: tuple[Option, ...] = ()
    block: bool = False

    @property
    def usage(self) -> str:
        """How it is written: `weight("model/sentence/L3H1", "from", "to")`."""
        words = "".join(f', "{word}"' for word in self.words)
        return f'{self.name}("target"{words})'


DECIMALS = Option("decimals", 2, 1, 4)
WHICH = Option("which", "mean", choices=asks.WHICH)

SHORTCODES: tuple[Shortcode, ...] = (
    Shortcode("weight", ("from", "to"), asks.WeightOf, (DECIMALS,)),
    Shortcode("received", ("word",), asks.ReceivedBy, (DECIMALS,)),
    Shortcode("measure", ("measure",), asks.MeasureOf, (WHICH, DECIMALS)),
    Shortcode("type", (), asks.TypeOf),
    Shortcode("count", ("type",), asks.HeadsOfType),
    Shortcode("accuracy", ("relation",), asks.AccuracyOf, (DECIMALS,)),
    Shortcode("keys", ("word",), asks.KeysOf, (Option("top", 3, 1, 10), Option("sinks", False)), block=True),
    Shortcode("pairs", (), asks.PairsOf, (Option("top", 5, 1, 5),), block=True),
    Shortcode("figure", (), asks.FigureOf, (Option("caption", ""),), block=True),
)


@dataclass(frozen=True, slots=True)
class Live:
    """A live value of a note: its question, and how many decimals a number has (None: as elsewhere).

    `places` say where the parts of the question begin, counted from the beginning of the call.
    """

    ask: asks.Ask
    decimals: int | None
    block: bool
    positions: Mapping[str, int]


def parse_live(text: str, own: NoteTarget) -> Live:
    """The live value that stands between the braces of a note about `own`. Raises `CallError`."""
    call = parse_call(text)
    by_name = {shortcode.name: shortcode for shortcode in SHORTCODES}
    known = by_name.get(call.name)
    if known is None:
        raise CallError(f'there is no live value "{call.name}"', did_you_mean(call.name, by_name), call.at)
    words, target = _arguments(call, known)
    options = _options(call, known)
    positions = {name: word.at for name, word in zip(known.words, words, strict=True)}
    positions["target"] = target.at if target else call.at
    positions |= {name: literal.at for name, literal in call.options.items()}
    decimals = options.pop("decimals", None)
    try:
        subject = own_subject(own) if target is None else parse_subject(str(target.value), own)
    except AskError as error:
        raise CallError(error.reason, error.mend, positions[error.part]) from None
    ask = known.make(subject, *(str(word.value) for word in words), **options)
    return Live(ask, decimals if "decimals" in call.options else None, known.block, positions)


def _arguments(call: Call, known: Shortcode) -> tuple[tuple[Literal, ...], Literal | None]:
    """The words of a call, and its target where it has one."""
    count, literals = len(known.words), call.arguments
    for literal in literals:
        if not isinstance(literal.value, str):
            raise CallError("this must be a text", f'put it in quotes: "{literal.value}"', literal.at)
    if len(literals) not in (count, count + 1):
        mend = f"write {known.usage}; in a note about its target this may be left out"
        raise CallError(f'"{known.name}" is given {_counted(len(literals))}', mend, call.at)
    for name, word in zip(known.words, literals[-count:] if count else (), strict=True):
        if not str(word.value).strip():
            raise CallError(f'"{name}" is empty', "write a word of the text", word.at)
    return (literals[len(literals) - count :], literals[0] if len(literals) > count else None)


def _options(call: Call, known: Shortcode) -> dict[str, Any]:
    declared = {option.name: option for option in known.options}
    options: dict[str, Any] = {name: option.default for name, option in declared.items()}
    for name, literal in call.options.items():
        if name not in declared:
            mend = did_you_mean(name, options) or "it has no options"
            raise CallError(f'"{known.name}" has no option "{name}"', mend, literal.at)
        options[name] = _option(declared[name], literal)
    return options


def _option(option: Option, literal: Literal) -> Value:
    value = literal.value
    if type(value) is not type(option.default):
        kind = {bool: "true or false", int: "a whole number", str: "a text in quotes"}[type(option.default)]
        raise CallError(f'"{option.name}" must be {kind}', "", literal.at)
    if option.choices and value not in option.choices:
        raise CallError(
            f'"{option.name}" cannot be "{value}"', did_you_mean(str(value), option.choices), literal.at
        )
    if option.most and not option.least <= int(value) <= option.most:
        mend = f"write {option.least} to {option.most}"
        raise CallError(f'"{option.name}" is {value}', mend, literal.at)
    return value


def _counted(number: int) -> str:
    return "1 argument" if number == 1 else f"{number} arguments"
