"""Tables that notes embed: where a word looks most, and the strongest pairs of a head."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from attention_gallery.analysis import word_groups, words_of
from attention_gallery.evidence import wording
from attention_gallery.evidence.answers import Numbers
from attention_gallery.evidence.phrasing import page_name, quoted, whereabouts
from attention_gallery.figures.describe import ordinal, quoted_tokens
from attention_gallery.notes.questions.asks import AskError, KeysOf, PairsOf
from attention_gallery.records import Bool, Float32, StoredAttention, Tokens, head_name


def keys_table(numbers: Numbers, ask: KeysOf) -> str:
    """The words that a word looks at most: a row for each layer, head of the layer, or the one head.

    Columns of a word of several tokens are summed, its rows averaged. Raises `AskError`, `NotCaptured`.
    """
    subject = ask.subject
    entry = numbers.attention(subject)
    queries = numbers.queries(subject, ask.query, "word")
    names, starts = _words(entry.keys, entry.key_text)
    listed = _listed(entry, starts, ask.sinks)
    rows = []
    for name, weights in _rows(numbers, ask, entry):
        shares = np.add.reduceat(weights[queries].mean(axis=0, dtype=np.float64), starts) * listed
        # Of equals the earlier word, as everywhere where things are ranked.
        order = np.argsort(-shares, kind="stable")[: ask.top].tolist()
        cells = [f"{escape(names[key])} {_number(shares[key])}" for key in order if shares[key] > 0]
        rows.append([f'<th scope="row">{name}</th>', *(f"<td>{cell}</td>" for cell in cells)])
    heads = [f'<th scope="col">{ordinal(rank)}</th>' for rank in range(1, ask.top + 1)]
    page = page_name(subject, numbers.links)
    if subject.layer is None:
        where = f"{page}, heads averaged"
    elif subject.head is None:
        where = f"the heads of layer {subject.layer} of {page}"
    else:
        where = whereabouts(subject, numbers.links)
    left_out = "the first word" if entry.facts.kind == "decoder" else "special tokens"
    aside = "" if ask.sinks else f"; {left_out} left out"
    caption = f"Where {quoted(ask.query, entry.text)} looks most: {where}{aside}."
    return _table("live-keys", caption, ["<td></td>", *heads], rows)


def pairs_table(numbers: Numbers, ask: PairsOf) -> str:
    """The strongest pairs of a head, as on its page. Raises `AskError`, `NotCaptured`."""
    subject = ask.subject
    if subject.layer is None or subject.head is None:
        raise AskError("pairs are those of a head", "write model/sentence/L3H1", "target")
    entry, analysis = numbers.attention(subject), numbers.analysis(subject)
    head = subject.layer, subject.head
    names = quoted_tokens(entry.tokens)
    keys = names if entry.keys is entry.tokens else quoted_tokens(entry.keys)
    rows = [
        [f"<td>{escape(names[query])}</td>", f"<td>{escape(keys[key])}</td>", f"<td>{_number(weight)}</td>"]
        for query, key, weight in zip(
            analysis.top_pair_queries[head].tolist()[: ask.top],
            analysis.top_pair_keys[head].tolist(),
            analysis.top_pair_weights[head].tolist(),
            strict=False,
        )
        if query >= 0
    ]
    caption = f"The strongest pairs of {whereabouts(subject, numbers.links)}."
    heads = [f'<th scope="col">{name}</th>' for name in ("Query", "Key", "Weight")]
    return _table("live-pairs", caption, heads, rows)


def _rows(numbers: Numbers, ask: KeysOf, entry: StoredAttention) -> Iterator[tuple[str, Float32]]:
    """Names and weights float32[query, key] of the rows."""
    layer, head = ask.subject.layer, ask.subject.head
    if layer is None:
        for index in range(entry.facts.layers):
            yield f"L{index}", numbers.layer_average(entry, index)
        return
    for index in range(entry.facts.heads) if head is None else [head]:
        yield head_name(layer, index), numbers.layer(entry, layer)[index]


def _words(tokens: Tokens, text: str) -> tuple[tuple[str, ...], list[int]]:
    """Names of the words that are looked at, and the token with which each begins; else of the tokens."""
    groups = word_groups(tokens)
    if groups is None:
        return quoted_tokens(tokens), list(range(len(tokens)))
    return quoted_tokens(words_of(tokens, text)), np.flatnonzero(np.diff(groups, prepend=-1)).tolist()


def _listed(entry: StoredAttention, starts: list[int], sinks: bool) -> Bool:
    """Which words are listed: without sinks none with a special token nor, in a causal model, the first."""
    content = np.ones(len(entry.keys), bool) if sinks else ~entry.keys.special
    if not sinks and entry.facts.kind == "decoder":
        content[:1] = False
    listed: Bool = np.logical_and.reduceat(content, starts)
    return listed


def _number(weight: float) -> str:
    return f'<data class="live" value="{weight:.6g}">{wording.share(weight)}</data>'


def _table(kind: str, caption: str, heads: list[str], rows: list[list[str]]) -> str:
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f'<div class="table-scroll"><table class="{kind}"><caption>{escape(caption, quote=False)}</caption>'
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{body}</tbody></table></div>"
    )
