"""One contrast, read once: both captures on the same rows and columns, their words, links to their heads."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

import numpy as np
from markupsafe import Markup, escape

from attention_gallery.addresses import routes
from attention_gallery.analysis.contrast.alignment import Alignment, Frame, Side, frame_of
from attention_gallery.analysis.contrast.head_contrast import Change, HeadContrast, compare, contrast_heads
from attention_gallery.evidence import wording
from attention_gallery.figures.describe import quoted_tokens
from attention_gallery.figures.difference import LEAST_DRAWN, difference_fragment, largest_difference
from attention_gallery.figures.encode import encode_heads
from attention_gallery.figures.heatmap import HeatmapTemplate
from attention_gallery.pages.contexts.contrast_context import AlignedWord, ChangedWeight, ContrastFigure
from attention_gallery.pages.contexts.shared import HeadCell
from attention_gallery.pages.gallery import Capture, Contrast, GalleryData, Site
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.sections.head_tables import head_cell
from attention_gallery.records import Float32, StoredAttention, Tokens, head_name


def comparable(contrast: Contrast) -> bool:
    """Whether a head is compared with that of the same layer and number: both models are built alike."""
    left, right = (
        (facts.architecture, facts.kind, facts.layers, facts.heads, facts.hidden_size)
        for facts in (contrast.left.model.facts, contrast.right.model.facts)
    )
    return left == right


class ContrastReader:
    """Lazily read facts of one contrast of two captures, `left` and `right`."""

    def __init__(
        self, site: Site, data: GalleryData, contrast: Contrast, left: Capture, right: Capture
    ) -> None:
        """The captures are those of the contrast, or one of those in which two heads are compared."""
        self.contrast = contrast
        self.left = left
        self.right = right
        self.route = contrast.route
        self.language = left.sentence.language or site.info.language
        self._data = data

    @cached_property
    def attention(self) -> tuple[StoredAttention, StoredAttention]:
        """The captured weights of both sides."""
        return self._data.entry(self.left.key), self._data.entry(self.right.key)

    @cached_property
    def frame(self) -> Frame:
        """Both sides on the same rows and columns."""
        texts = (self.left.sentence.joined, self.right.sentence.joined)
        return frame_of(*self.attention, texts, one_model=self.left.model is self.right.model)

    @cached_property
    def focus_row(self) -> int | None:
        """The row of the word that both sentences open with, None for none or one that is not compared."""
        rows = []
        for side, capture, attention in zip(
            (self.frame.left, self.frame.right), (self.left, self.right), self.attention, strict=True
        ):
            tokens = attention.tokens
            # Without offsets, or in another text than the sentence, nobody can tell which token the word is.
            if capture.sentence.focus is None or tokens.offsets is None or capture.model.reads_target:
                return None
            offsets, special = tokens.offsets.tolist(), tokens.special.tolist()
            token = wording.focus_token(capture.sentence, offsets, special, capture.model.causal)
            of_token = self.frame.units_of(side)[0] == side.queries.groups[token]
            rows.append(int(np.flatnonzero(of_token)[0]))
        return rows[0] if rows[0] == rows[1] and rows[0] in self.frame.compared else None

    def heads_in_row(self, row: int) -> HeadContrast:
        """What the same heads do otherwise in one row."""
        # Reads all layers once more: what is cached of a contrast are means over rows.
        return contrast_heads(*self.attention, replace(self.frame, only=row))

    @cached_property
    def side_titles(self) -> tuple[str, str]:
        """What tells the two sides apart, short."""
        if self.contrast.heads:
            left, right = (head_name(*head) for head in self.contrast.heads)
            return left, right
        one_model = self.left.model is self.right.model
        left, right = (
            wording.shortened(capture.sentence.title if one_model else capture.model.spec.title, 40)
            for capture in (self.left, self.right)
        )
        return left, right

    def cell(self, capture: Capture, head: HeadIndex) -> HeadCell:
        """A head of one side, with a link to its page or to the explorer that shows it."""
        return head_cell(self._data.measured(capture.key), head, lambda at: self.href(capture, at))

    def href(self, capture: Capture, head: HeadIndex) -> str:
        """Where a head of one side is shown."""
        return routes.href(self.route, capture.target(head))

    @cached_property
    def row_names(self) -> tuple[str, ...]:
        """What looks, in quotation marks; of a changed word both."""
        return _names(self.frame.rows, self.frame.left.queries.tokens, self.frame.right.queries.tokens)

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """What is looked at, in the same way."""
        return _names(self.frame.columns, self.frame.left.keys.tokens, self.frame.right.keys.tokens)

    def largest_change(self, changes: tuple[Change, Change] | None) -> str:
        """What a head loses and gains most in the row that is furthest apart, "" where nothing changes."""
        if changes is None:
            return ""
        row = self.row_names[changes[0].row]
        return "; ".join(
            f"{row} → {self.column_names[change.column]} {both(change.left, change.right)}"
            for change in changes
            if change.left != change.right
        )

    def aligned(self) -> tuple[AlignedWord, ...]:
        """The words that look, on both sides; none where they are the same."""
        rows = self.frame.rows
        if not rows.differs.any():
            return ()
        left, right = self.frame.left.queries.tokens.texts, self.frame.right.queries.tokens.texts
        return tuple(
            AlignedWord(
                left[a] if a >= 0 else "",
                right[b] if b >= 0 else "",
                "left" if b < 0 else "right" if a < 0 else "changed" if changed else "same",
            )
            for a, b, changed in rows
        )

    def spread(self, side: Side, attention: StoredAttention, head: HeadIndex) -> Float32:
        """One head on the rows and columns of the frame: float32[row, column]."""
        return self.frame.spread(side, attention.layer(head[0]).weights[head[1]])

    def figure_of(self, left: HeadIndex, right: HeadIndex, title: str) -> ContrastFigure:
        """The heatmaps of a head of each side and their difference."""
        matrices = (
            self.spread(self.frame.left, self.attention[0], left),
            self.spread(self.frame.right, self.attention[1], right),
        )
        names = (head_name(*left), head_name(*right))
        return self.figure(title, matrices, names, (self.href(self.left, left), self.href(self.right, right)))

    def figure(
        self,
        title: str,
        matrices: tuple[Float32, Float32],
        names: tuple[str, str],
        hrefs: tuple[str, str] = ("", ""),
    ) -> ContrastFigure:
        """Two matrices float32[row, column] and their difference.

        `names` are those of what attends, `hrefs` lead to their pages.
        """
        frame, (left, right) = self.frame, matrices
        # As a contrast of one head with one head, whatever the two are: averages, too.
        changed = tuple(self._changed(change) for change in compare(left, right, frame).strongest(0, 0))
        largest = "; ".join(
            f"{weight.query} → {weight.key} {weight.difference} ({weight.left} to {weight.right})"
            for weight in changed[:3]
        )
        alt = f"{title}: right less left. " + (
            f"Largest differences: {largest}." if largest else "No difference."
        )
        # One scale for both sides, or equal colours would mean different weights.
        most = float(max(left.max(), right.max()))
        captions = [
            f"{name} · {side}" if name not in side else side
            for name, side in zip(names, self.side_titles, strict=True)
        ]
        labels = (
            _labels(frame.rows, frame.left.queries.tokens, frame.right.queries.tokens),
            _labels(frame.columns, frame.left.keys.tokens, frame.right.keys.tokens),
        )
        difference = self._difference(left, right)
        drawn = difference_fragment(title, labels, difference, alt, escape(alt))
        return ContrastFigure(
            title=title,
            left=self._heatmap(frame.left, left, most, (names[0], captions[0], hrefs[0])),
            right=self._heatmap(frame.right, right, most, (names[1], captions[1], hrefs[1])),
            difference=Markup(drawn.html),
            weights=changed,
            left_title=captions[0],
            right_title=captions[1],
            closeness=closeness(largest_difference(difference)),
        )

    def _changed(self, change: Change) -> ChangedWeight:
        return ChangedWeight(
            self.row_names[change.row],
            self.column_names[change.column],
            wording.weight(change.left),
            wording.weight(change.right),
            wording.difference(change.right - change.left),
        )

    def _heatmap(self, side: Side, spread: Float32, most: float, named: tuple[str, str, str]) -> Markup:
        """The weights of one side on its own words; `named` are what attends, the caption and its link."""
        name, title, href = named
        frame = self.frame
        rows, columns = frame.units_of(side)
        # Each side is drawn as its own text: rows and columns of the other alone would be empty stripes.
        own = spread[rows >= 0][:, columns >= 0]
        queries, keys = side.queries.tokens, side.keys.tokens
        template = HeatmapTemplate.from_tokens(
            queries, side.causal, queries if side.keys is side.queries else keys
        )
        # The same 16 bits as on the page of a head.
        (weights,) = encode_heads(own[None], side.causal)
        caption = f'<a href="{escape(href)}">{escape(title)}</a>' if href else str(escape(title))
        return Markup(template.embedded(name, weights, f"Attention of {title}", caption, most).html)

    def _difference(self, left: Float32, right: Float32) -> Float32:
        """Right less left; NaN in rows that cannot be compared, and where neither side can look."""
        frame = self.frame
        seen = frame.visible(frame.left) | frame.visible(frame.right)
        # Zero would say that nothing changes where there is nothing to compare.
        known = seen & frame.comparable[:, None]
        return np.where(known, right - left, np.float32(np.nan)).astype(np.float32)


def closeness(largest: float) -> str:
    """That two heatmaps are the same or nearly so, by their largest absolute difference.

    "" where a difference of weights reads as 0.002 or more, and for NaN, where nothing can be compared.
    """
    if math.isnan(largest) or largest >= wording.TINY_DIFFERENCE:
        return ""
    if largest == 0:
        return "The two are the same here: no weight differs."
    if largest < LEAST_DRAWN:
        return "The two are nearly the same here: weights differ by less than 0.00002, too little to draw."
    return (
        "The two are nearly the same here: the largest difference of two weights is "
        f"{wording.small_number(largest)}, and takes the darkest colour."
    )


def both(left: float, right: float) -> str:
    """Two weights with as many decimals as tell them apart, or their difference.

    `0.42 to 0.20`, `0.421 to 0.424`, `0.400 (+0.0003)`.
    """
    texts = wording.share(left), wording.share(right)
    # More decimals only where two would say “0.42 to 0.42”.
    if texts[0] == texts[1]:
        texts = wording.weight(left), wording.weight(right)
    if texts[0] == texts[1] and left != right:
        return f"{texts[0]} ({wording.difference(right - left)})"
    return f"{texts[0]} to {texts[1]}"


def _names(alignment: Alignment, left: Tokens, right: Tokens) -> tuple[str, ...]:
    ours, theirs = quoted_tokens(left), quoted_tokens(right)
    return tuple(
        f"{ours[a]}/{theirs[b]}" if changed else ours[a] if a >= 0 else theirs[b]
        for a, b, changed in alignment
    )


def _labels(alignment: Alignment, left: Tokens, right: Tokens) -> tuple[str, ...]:
    """Short labels: a changed word is `big/small`, one of the left alone `−word`, of the right `+word`."""
    labels = []
    for a, b, changed in alignment:
        if a >= 0 and b >= 0:
            labels.append(f"{left.texts[a]}/{right.texts[b]}" if changed else left.texts[a])
        else:
            labels.append(f"−{left.texts[a]}" if a >= 0 else f"+{right.texts[b]}")
    return tuple(labels)
