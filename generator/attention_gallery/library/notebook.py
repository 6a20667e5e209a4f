"""What notebooks show of captures and models: plain HTML without scripts, in which all text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from attention_gallery.evidence.phrasing import type_title
from attention_gallery.figures.thumbnail import data_uri, thumbnail
from attention_gallery.records import Float32, ModelFacts, StoredAttention, Tokens

_SHOWN = 200
_PIXELS = 160
_TOKEN = "display:inline-block;margin:1px;padding:0 4px;border:1px solid #8884;border-radius:3px"
_SPECIAL = f"{_TOKEN};opacity:.6"


def attention_html(captured: StoredAttention, average: Float32, types: Iterable[tuple[str, int]]) -> str:
    """A capture: its tokens, a picture of the mean of all heads, and how many heads there are of each type.

    average: float32[query, key].
    """
    facts, origin = captured.facts, captured.provenance
    rows = [*_facts(facts), ("Model", origin.source)]
    if type_counts := _types(types):
        rows.append(("Types", type_counts))
    png, (width, height) = thumbnail(average, _PIXELS)
    alt = "The mean of all heads: queries down, keys along."
    picture = Markup('<img src="{}" width="{}" height="{}" alt="{}" style="border:1px solid #8884">').format(
        data_uri(png), width, height, alt
    )
    strips = [("Tokens", captured.tokens)]
    if captured.keys is not captured.tokens:
        strips.append(("Keys", captured.keys))
    strip_rows = [(name, _strip(tokens)) for name, tokens in strips]
    title = f"{facts.kind} attention of {facts.architecture}"
    return str(_block(title, [*strip_rows, *rows], picture))


def model_html(facts: ModelFacts) -> str:
    """A model: what it is."""
    return str(_block(facts.architecture, _facts(facts), Markup("")))


def _facts(facts: ModelFacts) -> list[tuple[str, str]]:
    context = "not bounded" if facts.context is None else f"{facts.context:,} tokens"
    return [("Size", f"{facts.layers} layers × {facts.heads} heads"), ("Context", context)]


def _types(types: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{type_title(name)}: {count}" for name, count in types)


def _strip(tokens: Tokens) -> Markup:
    """The tokens, each apart from its neighbours in direction, too."""
    pieces = [
        Markup('<bdi style="{}">{}</bdi>').format(_SPECIAL if special else _TOKEN, text)
        for text, special in zip(tokens.texts[:_SHOWN], tokens.special.tolist(), strict=False)
    ]
    left_out = len(tokens) - len(pieces)
    return Markup("").join([*pieces, f" and {left_out:,} more"] if left_out else pieces)


def _block(title: str, rows: Sequence[tuple[str, str | Markup]], picture: Markup) -> Markup:
    row = Markup(
        '<tr><th style="text-align:left;vertical-align:top">{}</th><td style="text-align:left">{}</td></tr>'
    )
    table = Markup("").join(row.format(*cells) for cells in rows)
    return Markup("<div><p><b>{}</b></p><table>{}</table>{}</div>").format(title, table, picture)
