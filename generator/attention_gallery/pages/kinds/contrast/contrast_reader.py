"""One contrast, read once: both captures on the same rows and columns, their words, links to their heads."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from markupsafe import Markup, escape

from attention_gallery.addresses import routes
from attention_gallery.analysis import (
    Alignment,
    Change,
    Counterparts,
    Frame,
    HeadContrast,
    Side,
    compare,
    contrast_heads,
    frame_of,
)
from attention_gallery.evidence import wording
from attention_gallery.figures.describe import quoted_tokens
from attention_gallery.figures.difference import difference_fragment
from attention_gallery.figures.encode import encode_heads
from attention_gallery.figures.heatmap import HeatmapTemplate
from attention_gallery.pages.contexts.contrast_context import AlignedWord, ChangedWeight, ContrastFigure
from attention_gallery.pages.contexts.shared import HeadCell
from attention_gallery.pages.gallery import Contrast, Gallery, Pair
from attention_gallery.pages.sections.head_tables import head_cell
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.records import Float32, StoredAttention, Tokens, head_name


class ContrastView:
    """Lazily read facts of one contrast of two pairs, `left` and `right`."""

    def __init__(self, gallery: Gallery, contrast: Contrast, left: Pair, right: Pair) -> None:
        """The pairs are those of the contrast, or one of the sentences on which two heads are compared."""
        self.gallery = gallery
        self.contrast = contrast
        self.left = left
        self.right = right
        self.route = contrast.route

    @cached_property
    def attention(self) -> tuple[StoredAttention, StoredAttention]:
        """The captured weights of both sides."""
        return self.gallery.data.attention(self.left), self.gallery.data.attention(self.right)

    @cached_property
    def frame(self) -> Frame:
        """Both sides on the same rows and columns."""
        texts = (self.left.sentence.joined, self.right.sentence.joined)
        return frame_of(*self.attention, texts, one_model=self.left.model is self.right.model)

    @property
    def paired(self) -> bool:
        """Whether a head is compared with that of the same layer and number: both models are built alike."""
        one, other = (
            (facts.architecture, facts.kind, facts.layers, facts.heads, facts.hidden_size)
            for facts in (self.left.model.facts, self.right.model.facts)
        )
        return one == other

    @cached_property
    def heads(self) -> HeadContrast:
        """What the same heads do otherwise."""
        return self.gallery.data.contrast(self.left, self.right)

    @cached_property
    def focus_row(self) -> int | None:
        """The row of the word that both sentences open with, None for none or one that is not compared."""
        found = []
        for number, pair in enumerate((self.left, self.right)):
            tokens = self.attention[number].tokens
            if pair.sentence.focus is None or tokens.offsets is None or pair.model.reads_target:
                return None
            offsets, special = tokens.offsets.tolist(), tokens.special.tolist()
            token = wording.focus_token(pair.sentence, offsets, special, pair.model.causal)
            side = (self.frame.left, self.frame.right)[number]
            found.append(int(np.flatnonzero(self.frame.places(side)[0] == side.queries.groups[token])[0]))
        row = found[0]
        return row if row == found[1] and row in self.frame.compared else None

    def heads_in_row(self, row: int) -> HeadContrast:
        """What the same heads do otherwise in one row."""
        return contrast_heads(*self.attention, replace(self.frame, only=row))

    @cached_property
    def counterparts(self) -> Counterparts:
        """Which head of one model is most like which of the other."""
        return self.gallery.data.counterparts(self.left, self.right)

    @cached_property
    def side_titles(self) -> tuple[str, str]:
        """What tells the two sides apart, short."""
        if self.contrast.heads:
            one, other = (head_name(*place) for place in self.contrast.heads)
            return one, other
        if self.left.model is self.right.model:
            one, other = (wording.shortened(pair.sentence.title, 40) for pair in (self.left, self.right))
        else:
            one, other = (wording.shortened(pair.model.spec.title, 40) for pair in (self.left, self.right))
        return one, other

    def cell(self, pair: Pair, place: Place) -> HeadCell:
        """A head of one side, with a link to its page or to the explorer that shows it."""
        return head_cell(self.gallery.data.analysis(pair), place, lambda at: self.href(pair, at))

    def href(self, pair: Pair, place: Place) -> str:
        """Where a head of one side is shown."""
        paged = pair.heads is pair.model.places or place in pair.heads
        route = pair.head_route(*place) if paged else f"{pair.route}#head={head_name(*place)}"
        return routes.href(self.route, route)

    @cached_property
    def row_names(self) -> tuple[str, ...]:
        """What looks, in quotation marks; of a changed word both."""
        return _names(self.frame.rows, self.frame.left.queries.tokens, self.frame.right.queries.tokens)

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """What is looked at, in the same way."""
        return _names(self.frame.columns, self.frame.left.keys.tokens, self.frame.right.keys.tokens)

    def said(self, changes: tuple[Change, Change] | None) -> str:
        """What a head loses and gains most in the row that is furthest apart, "" where nothing changes."""
        if changes is None or all(change.left == change.right for change in changes):
            return ""
        lost, gained = changes
        row = self.row_names[lost.row]
        told = [
            f"{row} → {self.column_names[change.column]} {both(change.left, change.right)}"
            for change in (lost, gained)
            if change.left != change.right
        ]
        return "; ".join(told)

    def aligned(self) -> tuple[AlignedWord, ...]:
        """The words that look, on both sides; none where they are the same."""
        rows = self.frame.rows
        if not rows.differs.any():
            return ()
        left, right = self.frame.left.queries.tokens.texts, self.frame.right.queries.tokens.texts
        places = zip(rows.left.tolist(), rows.right.tolist(), rows.changed.tolist(), strict=True)
        return tuple(
            AlignedWord(
                left[a] if a >= 0 else "",
                right[b] if b >= 0 else "",
                "left" if b < 0 else "right" if a < 0 else "changed" if changed else "same",
            )
            for a, b, changed in places
        )

    def spread(self, side: Side, attention: StoredAttention, place: Place) -> Float32:
        """One head on the rows and columns of the frame: float32[row, column]."""
        weights = attention.layer(place[0]).weights
        found: Float32 = self.frame.spread(side, weights[place[1] : place[1] + 1])[0]
        return found

    def figure_of(self, left: Place, right: Place, title: str) -> ContrastFigure:
        """The heatmaps of a head of each side and their difference."""
        frame = self.frame
        one = self.spread(frame.left, self.attention[0], left)
        other = self.spread(frame.right, self.attention[1], right)
        names = (head_name(*left), head_name(*right))
        return self.figure(
            title, one, other, names, (self.href(self.left, left), self.href(self.right, right))
        )

    def figure(
        self,
        title: str,
        one: Float32,
        other: Float32,
        names: tuple[str, str],
        hrefs: tuple[str, str] = ("", ""),
    ) -> ContrastFigure:
        """Two matrices float32[row, column] and their difference.

        `names` are those of what attends, `hrefs` lead to their pages.
        """
        frame = self.frame
        strongest = compare(one, other, frame).strongest(0, 0)
        changed = tuple(self._changed(change) for change in strongest)
        told = "; ".join(
            f"{one.query} → {one.key} {one.difference} ({one.left} to {one.right})" for one in changed[:3]
        )
        alt = f"{title}: right less left. " + (f"Largest differences: {told}." if told else "No difference.")
        where, most = self.side_titles, float(max(one.max(), other.max()))
        captions = [
            f"{name} · {side}" if name not in side else side for name, side in zip(names, where, strict=True)
        ]
        drawn = difference_fragment(title, self._labels(), self._difference(one, other), alt, escape(alt))
        return ContrastFigure(
            title=title,
            left=self._heatmap(frame.left, one, most, (names[0], captions[0], hrefs[0])),
            right=self._heatmap(frame.right, other, most, (names[1], captions[1], hrefs[1])),
            difference=Markup(drawn.html),
            weights=changed,
            left_title=captions[0],
            right_title=captions[1],
        )

    def _changed(self, change: Change) -> ChangedWeight:
        return ChangedWeight(
            self.row_names[change.row],
            self.column_names[change.column],
            wording.weight(change.left),
            wording.weight(change.right),
            f"{change.right - change.left:+.3f}".replace("-", "−"),
        )

    def _heatmap(self, side: Side, spread: Float32, most: float, named: tuple[str, str, str]) -> Markup:
        """The weights of one side on its own words; `named` are what attends, the caption and its link."""
        name, title, href = named
        frame = self.frame
        rows, columns = frame.places(side)
        own = spread[rows >= 0][:, columns >= 0]
        queries, keys = side.queries.tokens, side.keys.tokens
        template = HeatmapTemplate.of(queries, side.causal, queries if side.keys is side.queries else keys)
        (weights,) = encode_heads(own[None], side.causal)
        caption = f'<a href="{escape(href)}">{escape(title)}</a>' if href else str(escape(title))
        return Markup(template.embedded(name, weights, f"Attention of {title}", caption, most).html)

    def _difference(self, one: Float32, other: Float32) -> Float32:
        """Right less left; NaN in rows that cannot be compared, and where neither side can look."""
        frame = self.frame
        seen = frame.visible(frame.left) | frame.visible(frame.right)
        known = seen & frame.comparable[:, None]
        return np.where(known, other - one, np.float32(np.nan)).astype(np.float32)

    def _labels(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        frame = self.frame
        return (
            _labels(frame.rows, frame.left.queries.tokens, frame.right.queries.tokens),
            _labels(frame.columns, frame.left.keys.tokens, frame.right.keys.tokens),
        )


def both(left: float, right: float) -> str:
    """Two weights with as many decimals as tell them apart: `0.42 to 0.20`."""
    told = wording.share(left), wording.share(right)
    if told[0] == told[1]:
        told = wording.weight(left), wording.weight(right)
    return f"{told[0]} to {told[1]}"


def _names(alignment: Alignment, left: Tokens, right: Tokens) -> tuple[str, ...]:
    ours, theirs = quoted_tokens(left), quoted_tokens(right)
    names = []
    for a, b, changed in zip(
        alignment.left.tolist(), alignment.right.tolist(), alignment.changed.tolist(), strict=True
    ):
        names.append(f"{ours[a]}/{theirs[b]}" if changed else ours[a] if a >= 0 else theirs[b])
    return tuple(names)


def _labels(alignment: Alignment, left: Tokens, right: Tokens) -> tuple[str, ...]:
    """Short labels: a changed word is `big/small`, one of the left alone `−word`, of the right `+word`."""
    labels = []
    for a, b, changed in zip(
        alignment.left.tolist(), alignment.right.tolist(), alignment.changed.tolist(), strict=True
    ):
        if a >= 0 and b >= 0:
            labels.append(f"{left.texts[a]}/{right.texts[b]}" if changed else left.texts[a])
        else:
            labels.append(f"−{left.texts[a]}" if a >= 0 else f"+{right.texts[b]}")
    return tuple(labels)
