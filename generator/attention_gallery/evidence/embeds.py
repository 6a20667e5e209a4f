"""Live values as HTML: the numbers, tables and heatmaps that notes embed."""

from __future__ import annotations

from html import escape

from attention_gallery.addresses import routes
from attention_gallery.evidence import wording
from attention_gallery.evidence.answers import NotCaptured, Numbers
from attention_gallery.evidence.phrasing import number, question, type_title, whereabouts
from attention_gallery.evidence.tables import keys_table, pairs_table
from attention_gallery.figures.describe import HeadDescriber
from attention_gallery.figures.encode import EncodedWeights, encode_heads
from attention_gallery.figures.heatmap import HeatmapTemplate
from attention_gallery.notes.live import Answer
from attention_gallery.notes.questions.asks import (
    AskError,
    FigureOf,
    KeysOf,
    PairsOf,
    Subject,
    TypeOf,
    ValueAsk,
)
from attention_gallery.notes.questions.shortcodes import Live
from attention_gallery.records import head_name, joined_titles

_UNKNOWN = Answer(wording.UNDEFINED, wording.UNDEFINED)


class LiveAnswers:
    """Answers live values for any page; tables and figures are made once."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._tables: dict[KeysOf | PairsOf, str] = {}
        self._figures: dict[Subject, tuple[HeatmapTemplate, EncodedWeights, str]] = {}

    def answer(self, live: Live, route: str) -> Answer:
        """The HTML of a live value on the page at `route`. Raises `AskError`.

        A dash stands for what was not captured yet, which only happens where nothing is built.
        """
        ask = live.ask
        try:
            if isinstance(ask, FigureOf):
                return Answer(self._figure(ask, route), "")
            if isinstance(ask, KeysOf | PairsOf):
                return Answer(self._table(ask), "")
            return self._value(ask, live.decimals)
        except NotCaptured:
            return _UNKNOWN

    def _value(self, ask: ValueAsk, decimals: int | None) -> Answer:
        value = self.numbers.answer(ask)
        about = escape(question(ask, self.numbers.links, self.numbers.texts, self.numbers.measures))
        if isinstance(ask, TypeOf):
            titles = map(type_title, self.numbers.types(ask.subject))
            text = wording.uncapitalised(joined_titles(*titles))
        else:
            text = number(ask, float(value), decimals, self.numbers.measures)
        if text == wording.UNDEFINED or isinstance(ask, TypeOf):
            return Answer(f'<span class="live" title="{about}">{escape(text)}</span>', text)
        # Programs, and readers who look, find in the markup what the text rounds.
        exact = f"{float(value):.6g}"
        return Answer(f'<data class="live" value="{exact}" title="{about}">{escape(text)}</data>', text)

    def _table(self, ask: KeysOf | PairsOf) -> str:
        if ask not in self._tables:
            made = (
                keys_table(self.numbers, ask) if isinstance(ask, KeysOf) else pairs_table(self.numbers, ask)
            )
            self._tables[ask] = made
        return self._tables[ask]

    def _figure(self, ask: FigureOf, route: str) -> str:
        """The heatmap of the head's page, with a link to that page."""
        subject = ask.subject
        page, _ = self.numbers.page(subject)
        # Drawn once, as only its links differ from page to page.
        if subject not in self._figures:
            self._figures[subject] = self._drawn(subject)
        template, weights, summary = self._figures[subject]
        link = escape(routes.href(route, page))
        heading = f"<strong>{escape(ask.caption, quote=False)}</strong> " if ask.caption else ""
        where = escape(whereabouts(subject, self.numbers.links), quote=False)
        caption = f'{heading}{escape(summary, quote=False)} <a href="{link}">{where}</a>'
        name = head_name(subject.layer or 0, subject.head or 0)
        return template.embedded(name, weights, summary, caption).html

    def _drawn(self, subject: Subject) -> tuple[HeatmapTemplate, EncodedWeights, str]:
        """What all heads of a page share, the weights of this one, and what they show in words."""
        if subject.layer is None or subject.head is None:
            raise AskError("a figure is that of a head", "write model/sentence/L3H1", "target")
        entry = self.numbers.attention(subject)
        analysis = self.numbers.analysis(subject)
        causal = entry.facts.kind == "decoder"
        weights = self.numbers.layer(entry, subject.layer)[subject.head : subject.head + 1]
        (encoded,) = encode_heads(weights, causal)
        describer = HeadDescriber(entry.tokens, analysis, entry.keys)
        template = HeatmapTemplate.from_tokens(entry.tokens, causal, entry.keys)
        return template, encoded, describer.head(subject.layer, subject.head)
