"""The numbers, tables and figures of notes, held to weights that are known beforehand."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.analysis import Across, SentenceAnalysis, analyse
from attention_gallery.analysis.probing.probe import Accuracy, BestHead, HeadScores, RelationScore
from attention_gallery.evidence.answers import NotCaptured, Numbers, _across_sentences
from attention_gallery.evidence.claim_checks import rounded_to_tell
from attention_gallery.evidence.embeds import LiveAnswers
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.evidence.phrasing import quoted
from attention_gallery.manifest.settings import AnalysisSettings, SentenceSpec
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
from attention_gallery.notes.questions.expectations import about, at_least, at_most
from attention_gallery.notes.questions.shortcodes import SHORTCODES, Live, parse_live
from attention_gallery.notes.target import NoteTarget
from attention_gallery.records import AttentionLayer, Float32, ModelFacts, Provenance, StoredAttention, Tokens
from attention_gallery.store.memory_capture import MemoryCapture
from sample_environment import sample_environment
from sample_gallery import random_attention

TEXT = "The old cat sat on the old mat"
# "old" is two pieces each time; [CLS] and [SEP] stand around.
PIECES = ("[CLS]", "The", "o", "ld", "cat", "sat", "on", "the", "o", "ld", "mat", "[SEP]")
LAYERS, HEADS = 3, 2


def tokens() -> Tokens:
    spans, words, at, word = [], [], 0, -1
    for piece in PIECES:
        if piece.startswith("["):
            spans.append((0, 0))
            words.append(-1)
            continue
        start = TEXT.index(piece, at)
        word += start == 0 or TEXT[start - 1] == " "
        at = start + len(piece)
        spans.append((start, at))
        words.append(word)
    special = np.array([piece.startswith("[") for piece in PIECES])
    none = np.zeros(len(PIECES), bool)
    return Tokens(
        np.arange(len(PIECES)), PIECES, special, none, np.array(spans, np.int32), np.array(words, np.int32)
    )


def captured(seed: int, *, causal: bool = False) -> tuple[MemoryCapture, Float32]:
    random = np.random.default_rng(seed)
    weights = np.stack([random_attention(random, HEADS, len(PIECES), causal=causal) for _ in range(LAYERS)])
    facts = ModelFacts("Hand", "hand", LAYERS, HEADS, HEADS, causal, None, 8, 100, 1, "safetensors")
    layers = tuple(AttentionLayer(i, facts.kind, layer) for i, layer in enumerate(weights))
    origin = Provenance("m", "t", "hand", None, sample_environment(), 0.0)
    return MemoryCapture(f"{seed}{causal}", TEXT, tokens(), facts, origin, layers), weights


class Captured:
    """Evidence of two sentences under two models; "dec" did not read "two" yet."""

    def __init__(self) -> None:
        self.entries = {
            ("enc", "one"): captured(1),
            ("enc", "two"): captured(2),
            ("dec", "one"): captured(3, causal=True),
        }

    def attention(self, model: str, sentence: str) -> StoredAttention | None:
        entry = self.entries.get((model, sentence))
        return None if entry is None else entry[0]

    def analysis(self, model: str, sentence: str) -> SentenceAnalysis | None:
        entry = self.attention(model, sentence)
        return None if entry is None else analyse(entry, AnalysisSettings())

    def repeats(self, model: str) -> None:
        """No random tokens were read."""

    def relations(self, model: str) -> dict[str, RelationScore] | None:
        return (
            {"nsubj": scored(), "obj": replace(scored(), best=None, heads=None)} if model == "enc" else None
        )


def scored() -> RelationScore:
    """Head L2H1 is right in three of four."""
    shares = np.arange(LAYERS * HEADS).reshape(LAYERS, HEADS) / 8
    heads = HeadScores(shares, np.zeros((LAYERS, HEADS), np.int8))
    best = BestHead(2, 1, 0, Accuracy(15, 20, 20, 0.5, 1.0), -1, 0.25)
    return RelationScore("nsubj", "nsubj", "syntactic", 40, 40, 20, 20, (40, 40), best, heads)


EVIDENCE = Captured()
WEIGHTS = {at: weights for at, (_, weights) in EVIDENCE.entries.items()}


@pytest.fixture
def numbers() -> Numbers:
    heads = HeadRoutes.from_counts(LAYERS, HEADS)
    every = tuple((layer, head) for layer in range(LAYERS) for head in range(HEADS))
    links = LinkMap(
        models={"enc": ("Encoder", heads), "dec": ("Decoder <b>", heads)},
        sentences={"one": "First & only", "two": "Second"},
        pages={},
        head_pages={(model, sentence): every for model in ("enc", "dec") for sentence in ("one", "two")},
        assets=frozenset(),
        has_about=False,
    )
    sentences = [SentenceSpec(slug=slug, title=slug, text=TEXT) for slug in ("one", "two")]
    return Numbers(links, sentences, EVIDENCE)


ONE = Subject("enc", "one", 2, 1)
OLD, OLD_TOO = [2, 3], [8, 9]


@pytest.mark.parametrize(
    ("subject", "matrix"),
    [
        (ONE, lambda w: w[2, 1]),
        (Subject("enc", "one", 2), lambda w: w[2].mean(axis=0)),
        (Subject("enc", "one"), lambda w: w.mean(axis=(0, 1))),
    ],
)
def test_weights_of_words_are_sums_of_columns_and_means_of_rows(
    numbers: Numbers, subject: Subject, matrix: Callable[[Float32], Float32]
) -> None:
    true = matrix(WEIGHTS["enc", "one"].astype(np.float64))
    for ask, rows, columns in (
        (WeightOf(subject, "cat", "mat"), [4], [10]),
        (WeightOf(subject, "old#1", "old#2"), OLD, OLD_TOO),
        (WeightOf(subject, "old#2", "cat"), OLD_TOO, [4]),
        (WeightOf(subject, "[CLS]", "old#1"), [0], OLD),
    ):
        expected = true[np.ix_(rows, columns)].sum(axis=1).mean()
        assert numbers.answer(ask) == pytest.approx(expected, abs=1e-6)
    received = numbers.answer(ReceivedBy(subject, "old#1"))
    assert received == pytest.approx(true[:, OLD].sum(axis=1).mean(), abs=1e-6)


def test_measures_types_and_counts_are_those_of_the_analysis(numbers: Numbers) -> None:
    analysis = EVIDENCE.analysis("enc", "one")
    assert analysis is not None
    across = Across()
    for sentence in ("one", "two"):
        found = EVIDENCE.analysis("enc", sentence)
        assert found is not None
        across.add(found)
    every = across.result()
    over = Subject("enc", None, 2, 1)
    same = np.testing.assert_equal  # which takes what is not defined for equal
    for name in analysis.values:
        same(numbers.answer(MeasureOf(ONE, name)), float(analysis.values[name][2, 1]))
        same(numbers.answer(MeasureOf(over, name)), float(every.values[name][2, 1]))
        same(numbers.answer(MeasureOf(over, name, "lowest")), float(every.lowest[name][2, 1]))
        same(numbers.answer(MeasureOf(over, name, "highest")), float(every.highest[name][2, 1]))
    assert numbers.answer(TypeOf(ONE)) == analysis.type_name(2, 1)
    assert numbers.answer(TypeOf(over)) == every.type_name(2, 1)
    counts = dict(analysis.type_counts)
    assert numbers.answer(HeadsOfType(Subject("enc", "one"), "mixed")) == counts.get("mixed", 0)
    assert numbers.answer(HeadsOfType(Subject("enc"), "self")) == dict(every.type_counts).get("self", 0)


def test_sentences_that_say_the_same_count_once() -> None:
    one, two = (EVIDENCE.analysis("enc", name) for name in ("one", "two"))
    assert one is not None
    assert two is not None
    once, again = _across_sentences([one, two]), _across_sentences([one, two, one, one])
    assert once.sentences == again.sentences == 2
    for name, values in once.values.items():
        assert np.array_equal(values, again.values[name], equal_nan=True)


def test_accuracies_are_those_of_the_probe(numbers: Numbers) -> None:
    assert numbers.answer(AccuracyOf(Subject("enc"), "nsubj")) == 0.75
    assert numbers.answer(AccuracyOf(Subject("enc", None, 1, 1), "nsubj")) == 3 / 8
    assert ">0.38</data>" in html(numbers, AccuracyOf(Subject("enc", None, 1, 1), "nsubj"))
    said = 'title="how often the chosen head of Encoder is right about nsubj"'
    assert said in html(numbers, AccuracyOf(Subject("enc"), "nsubj"))


@pytest.mark.parametrize(
    ("ask", "part", "reason"),
    [
        (AccuracyOf(Subject("enc", "one", 0, 0), "nsubj"), "target", "relations are scored over all"),
        (AccuracyOf(Subject("enc", None, 0), "nsubj"), "target", "the average of a layer is not probed"),
        (AccuracyOf(Subject("enc", None, 9, 0), "nsubj"), "target", "has no head L9H0"),
        (AccuracyOf(Subject("enc"), "nsubjj"), "relation", 'have no relation "nsubjj"'),
        (AccuracyOf(Subject("enc"), "obj"), "relation", '"obj" has no score'),
        (WeightOf(Subject("end", "one", 0, 0), "cat", "mat"), "target", 'the gallery has no model "end"'),
        (WeightOf(Subject("enc", "none", 0, 0), "cat", "mat"), "target", 'has no sentence "none"'),
        (WeightOf(Subject("enc", "one", 0, 2), "cat", "mat"), "target", "has no head L0H2"),
        (WeightOf(Subject("enc", "one", 3), "cat", "mat"), "target", "has no layer 3"),
        (WeightOf(Subject("enc", None, 0, 0), "cat", "mat"), "target", "weights are those of one sentence"),
        (WeightOf(ONE, "old", "mat"), "from", '"old" stands in the text 2 times'),
        (WeightOf(ONE, "cat", "dog"), "to", 'there is no token "dog"'),
        (ReceivedBy(ONE, "dog"), "word", 'there is no token "dog"'),
        (MeasureOf(ONE, "selv"), "measure", 'there is no measure "selv"'),
        (MeasureOf(ONE, "self", "lowest"), "which", "there is no lowest of one sentence"),
        (MeasureOf(Subject("enc", "one", 0), "self"), "target", "a measure is that of a head"),
        (TypeOf(Subject("enc", "one")), "target", "a type is that of a head"),
        (HeadsOfType(Subject("enc", "one"), "mixd"), "type", 'there is no type of head "mixd"'),
        (HeadsOfType(ONE, "mixed"), "target", "heads are counted on a whole page"),
    ],
)
def test_what_cannot_be_answered(numbers: Numbers, ask: Any, part: str, reason: str) -> None:
    with pytest.raises(AskError) as caught:
        numbers.answer(ask)
    assert caught.value.part == part
    assert reason in caught.value.reason


def test_what_was_not_captured_is_no_mistake(numbers: Numbers) -> None:
    for ask in (
        WeightOf(Subject("dec", "two", 0, 0), "cat", "old#1"),
        MeasureOf(Subject("dec", None, 0, 0), "self"),
        HeadsOfType(Subject("dec", "two"), "mixed"),
        AccuracyOf(Subject("dec"), "nsubj"),
    ):
        with pytest.raises(NotCaptured):
            numbers.answer(ask)  # type: ignore[arg-type]
    assert html(numbers, FigureOf(Subject("dec", "two", 0, 0))) == "–"


def html(numbers: Numbers, ask: Any, decimals: int | None = None) -> str:
    return LiveAnswers(numbers).answer(Live(ask, decimals, False, {}), "notes/x/").html


def test_a_number_is_printed_as_elsewhere(numbers: Numbers) -> None:
    ask = WeightOf(ONE, "cat", "mat")
    exact = float(numbers.answer(ask))
    about_it = "“cat” → “mat” in L2H1 of Encoder on “First &amp; only”"
    shown = "&lt; 0.01" if exact < 0.01 else f"{exact:.2f}"
    assert html(numbers, ask) == f'<data class="live" value="{exact:.6g}" title="{about_it}">{shown}</data>'
    assert f">{exact:.4f}</data>" in html(numbers, ask, 4)
    assert "Decoder &lt;b&gt;" in html(numbers, TypeOf(Subject("dec", "one", 0, 0)))
    assert re.search(r">\d\.\d</data>", html(numbers, MeasureOf(ONE, "distance")))


def test_a_table_of_keys_counts_in_words(numbers: Numbers) -> None:
    made = html(numbers, KeysOf(Subject("enc", "one", 2, 1), "cat", top=9))
    rows = re.findall(r"<td>([^<]+) <data[^>]* value=\"([^\"]+)\"", made)
    weights = WEIGHTS["enc", "one"][2, 1, 4].astype(np.float64)
    true = {
        "“The”": weights[1],
        "“old” (1st)": weights[OLD].sum(),
        "“cat”": weights[4],
        "“sat”": weights[5],
        "“on”": weights[6],
        "“the”": weights[7],
        "“old” (2nd)": weights[OLD_TOO].sum(),
        "“mat”": weights[10],
    }
    assert [name for name, _ in rows] == sorted(true, key=lambda name: -true[name])
    assert [float(value) for _, value in rows] == pytest.approx(sorted(true.values(), reverse=True), rel=1e-4)
    assert "[CLS]" in html(numbers, KeysOf(Subject("enc", "one", 2, 1), "cat", 9, sinks=True))


def test_a_table_of_keys_has_a_row_for_each_layer_or_head(numbers: Numbers) -> None:
    def rows(subject: Subject) -> list[str]:
        return re.findall(r'<th scope="row">([^<]+)', html(numbers, KeysOf(subject, "cat")))

    assert rows(Subject("enc", "one")) == ["L0", "L1", "L2"]
    assert rows(Subject("enc", "one", 1)) == ["L1H0", "L1H1"]
    assert rows(Subject("enc", "one", 1, 1)) == ["L1H1"]


def test_a_table_of_a_causal_model_leaves_out_the_first_word(numbers: Numbers) -> None:
    # [CLS] is the first token here, and an ordinary one.
    made = html(numbers, KeysOf(Subject("dec", "one", 0, 0), "cat", 9))
    assert re.findall(r"<td>([^<]+) <", made)
    assert "the first word left out" in made


def test_pairs_are_those_of_the_page(numbers: Numbers) -> None:
    analysis = EVIDENCE.analysis("enc", "one")
    assert analysis is not None
    made = html(numbers, PairsOf(ONE, 2))
    values = [float(value) for value in re.findall(r'value="([^"]+)"', made)]
    assert values == pytest.approx(analysis.top_pair_weights[2, 1, :2].tolist(), rel=1e-4)


def test_a_figure_says_what_it_shows_and_leads_to_its_page(numbers: Numbers) -> None:
    made = html(numbers, FigureOf(ONE, "A <i>caption"))
    assert 'href="../../enc/one/l02h01/"' in made
    assert "<strong>A &lt;i&gt;caption</strong> L2H1 is a " in made
    assert 'data-figure="embedded"' in made
    assert " id=" not in made
    assert " style=" not in made


@pytest.mark.parametrize(
    ("value", "bounds", "told"),
    [
        (0.7649, at_least(0.7), "0.76"),
        (0.2996, at_least(0.3), "0.2996"),
        (0.2999999, at_least(0.3), "0.2999999"),
        (0.301, at_most(0.3), "0.301"),
        (float("nan"), at_most(0.3), "not defined"),
        (0.7749, about(0.76, 0.01), "0.775"),
        (0.0009, at_most(0.01), "0.001"),
        (0.0, at_most(0.01), "0.00"),
        (3e-8, at_most(0.01), "3e-08"),
    ],
)
def test_a_number_is_told_on_its_side_of_the_limit(value: float, bounds: Any, told: str) -> None:
    assert rounded_to_tell(bounds, value) == told


def test_every_call_can_be_answered(numbers: Numbers) -> None:
    own = NoteTarget("head", "enc", "one", 2, 1)
    calls = (
        'weight("cat", "mat")',
        'received("cat")',
        'measure("self")',
        "type()",
        'count("enc/one", "mixed")',
        'accuracy("models/enc/L2H1", "nsubj")',
        'keys("cat")',
        "pairs()",
        "figure()",
    )
    assert {call.partition("(")[0] for call in calls} == {one.name for one in SHORTCODES}
    for call in calls:
        assert LiveAnswers(numbers).answer(parse_live(call, own), "").html


@pytest.mark.parametrize(
    ("word", "told"),
    [("cat", "“cat”"), ("old#2", "“old” (2nd)"), ("#5", "token 5"), ("C#2", "“C#2”"), ("#tag", "“#tag”")],
)
def test_a_numbered_word_is_told_as_readers_count(word: str, told: str) -> None:
    assert quoted(word, "The old C#2 and the old cat") == told
