"""The demo gallery: its notes quote numbers, and every number is the one that the models give.

Most numbers are live values, which a build fills in. Here they are filled in too, and the text that readers
get is compared with weights captured anew and measured by other means: so a live value that asks for another
head or word than the text beside it says is found as well as a number that was typed wrong.

How a note quotes: the head, or the model and sentence, is linked first; the number follows in the same
paragraph, list item or table row. In the note of a head or of a pair the link may be left out.

    [[minilm/tired-cat/L3H1]]: “it” → “cat” 0.76                        a weight of that head
    [[minilm/tired-cat]]: “it” → “cat” 0.18 (layer 5, heads averaged)   a mean over the heads of a layer
    [[minilm/tired-cat]]: “[CLS]” receives 0.47                         a mean over all heads and queries
    [[models/minilm/L0H2]]: previous-token mass of 1.00 (0.95 to 1.00)  a measure, here over all sentences
    [[models/minilm/L2H3]]: nsubj accuracy of 0.89                      of a head, for a relation
    [[minilm/tired-cat]]: 21 first-token heads                          a count of types
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.analysis import (
    Across,
    HeadsAcross,
    RelationScore,
    SentenceAnalysis,
    analyse,
    gold_of,
)
from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores, measure_repeats
from attention_gallery.analysis.measures.sentence_analysis import heads_only
from attention_gallery.analysis.probing.argmax_targets import find_argmax_targets
from attention_gallery.build.plan.captures import text_input
from attention_gallery.evidence.answers import Numbers
from attention_gallery.evidence.claim_checks import check_claims
from attention_gallery.evidence.embeds import LiveAnswers
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.figures.describe import quoted_tokens
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.manifest.schema import schema_text
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown.note_links import parse_link
from attention_gallery.notes.questions.shortcodes import parse_live
from attention_gallery.notes.target import NoteTarget
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.records import AttentionLayer, RepeatedTokens, StoredAttention
from attention_gallery.store.memory_capture import MemoryCapture
from sample_notes import load_notes

ROOT = Path(__file__).parents[1]

TOKEN = r"“[^”]+”(?:\ \(\d+(?:st|nd|rd|th)\))?"
NUMBER = r"\d\.\d\d"
SAID = re.compile(
    rf"""\[\[(?P<link>[^\]]+)\]\]
    | (?P<query>{TOKEN})\ →\ (?P<key>{TOKEN})\ (?P<weight><\ 0\.01|{NUMBER})
      (?:\ \(layer\ (?P<layer>\d+),\ heads\ averaged\))?
    | (?P<receiver>{TOKEN})\ receives\ (?P<received>{NUMBER})
    | (?P<measure>self|previous-token|next-token|first-token|separator|local
      |duplicate-token|induction|punctuation)
      \ mass\ of\ (?P<mass>{NUMBER})
      (?:\ \((?P<lowest>{NUMBER})\ to\ (?P<highest>{NUMBER})\))?
    | (?P<relation>\w+)\ accuracy\ of\ (?P<accuracy>{NUMBER})
    | (?P<count>\d+)\ (?P<kind>previous-token|next-token|self|separator|first-token
      |punctuation|duplicate-token|induction|local|focused|broad|mixed)
      \ heads?\b""",
    re.VERBOSE,
)
# Half of the last decimal, and a little for processors that add in another order.
HALF = 0.005 + 1e-5
FILLED = re.compile(r"\{\{.*?\}\}", re.S)


@dataclass(frozen=True)
class Place:
    """What a number is about; a sentence of None means all of them."""

    model: str | None = None
    sentence: str | None = None
    layer: int | None = None
    head: int | None = None


@dataclass(frozen=True)
class Claim:
    """One number of a note, as it was written, and the place that it is about."""

    note: str
    text: str
    place: Place
    parts: dict[str, str]


def prose(note: Note) -> str:
    """The note without code and formulas, whose numbers are their own."""
    text = re.sub(r"^```.*?^```", "", note.body, flags=re.M | re.S)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    return re.sub(r"(?<!`)`[^`\n]+`", "", text)


def blocks(text: str) -> Iterator[str]:
    """Paragraphs, list items and table rows, each on one line."""
    for paragraph in re.split(r"\n\s*\n", text):
        for block in re.split(r"\n(?=\s*(?:[-*]|\d+\.|\|)\s)", paragraph):
            yield " ".join(block.split())


def typed(call: str, own: NoteTarget) -> str:
    """Refuse a live value where numbers should all be typed."""
    raise AssertionError(call)


def claims_of(note: Note, fill: Callable[[str, NoteTarget], str] = typed) -> tuple[list[Claim], list[str]]:
    """The claims of a note, and the numbers of it that are no claim.

    `fill` gives the text of a live value of a note.
    """
    found: list[Claim] = []
    strays: list[str] = []
    own = Place(note.target.model, note.target.sentence, note.target.layer, note.target.head)
    text = FILLED.sub(lambda call: fill(call[0][2:-2], note.target), prose(note))
    for block in blocks(text):
        place = own
        for said in SAID.finditer(block):
            parts = {name: value for name, value in said.groupdict().items() if value is not None}
            if "link" in parts:
                place = linked(parts["link"]) or place
            else:
                found.append(Claim(note.name, said[0], place, parts))
        strays += [f"{note.name}: {number}" for number in re.findall(r"\d*\.\d{2,}", SAID.sub("", block))]
    return found, strays


def linked(link: str) -> Place | None:
    target = parse_link(link)
    return Place(target.model, target.sentence, target.layer, target.head) if target.model else None


class Evidence:
    """The attention that the demo's models really give, captured when it is asked for."""

    def __init__(self, settings: GallerySettings) -> None:
        self._sentences = {sentence.slug: sentence for sentence in settings.sentences}
        self._models = {model.slug: model for model in settings.models}
        self._settings = settings.analysis
        # Kept for the life of this object: each model is loaded once and each sentence captured once.
        self.capture = cache(self._capture)
        self.weights = cache(self._weights)
        self.analysis = cache(self._analysis)
        self.across = cache(self._across)
        self.probe = cache(self._probe)
        self._loaded = cache(self._load)
        self._scores = cache(self._measure_repeats)

    def _load(self, model: str) -> Any:
        from attention_gallery.capturing.passes.prepare import prepare
        from attention_gallery.models import resolve
        from attention_gallery.models.loading.load_model import load

        spec = self._models[model]
        writes = any(one.generate and one.read_by(model) for one in self._sentences.values())
        return prepare(load(resolve(spec, ROOT), spec.dtype, writes))

    def _capture(self, model: str, sentence: str) -> StoredAttention:
        from attention_gallery.capturing import capture_one

        return capture_one(self._loaded(model), text_input(self._sentences[sentence]))

    def _weights(self, model: str, sentence: str) -> np.ndarray:
        """float32[layer, head, query, key]."""
        entry = self.capture(model, sentence)
        return np.stack([entry.layer(index).weights for index in range(entry.facts.layers)])

    def _analysis(self, model: str, sentence: str) -> SentenceAnalysis:
        return analyse(self.capture(model, sentence), self._settings)

    def _across(self, model: str) -> HeadsAcross:
        gathered = Across()
        for sentence in self._sentences.values():
            if sentence.pages and sentence.read_by(model):
                gathered.add(heads_only(self.analysis(model, sentence.slug)))
        return gathered.result(self.repeats(model))

    def repeats(self, model: str) -> RepeatScores:
        """What its heads do on random tokens read twice."""
        return self._scores(model)

    def _measure_repeats(self, model: str) -> RepeatScores:
        from attention_gallery.capturing import run_batch
        from attention_gallery.capturing.reading.repeated import read_repeated
        from attention_gallery.models import ModelFingerprint

        prepared = self._loaded(model)
        loaded = prepared.loaded
        read = read_repeated(loaded, RepeatedTokens(), model, loaded.resolved.problem)
        layers: list[AttentionLayer] = []
        (told,) = run_batch(prepared, [read], [{"self": layers.append}], ModelFingerprint("", ""))
        tokens = read.queries("self")
        origin = told["self"].provenance
        return measure_repeats(MemoryCapture("", "", tokens, loaded.facts, origin, tuple(layers)))

    def attention(self, model: str, sentence: str) -> StoredAttention:
        """For live values, as a build reads the store."""
        return self.capture(model, sentence)

    def relations(self, model: str) -> Mapping[str, RelationScore]:
        """What its heads know of the relations, sentences without pages included."""
        return self.probe(model).by_kind

    def _probe(self, model: str) -> ModelProbe:
        read = [one for one in self._sentences.values() if one.read_by(model)]
        asked = tuple((gold_of(sentence), sentence.slug) for sentence in read)
        causal = self.capture(model, read[0].slug).facts.kind == "decoder"
        return ModelProbe(
            asked, causal, lambda slug, gold: find_argmax_targets(self.capture(model, slug), gold)
        )

    def numbers(self) -> Numbers:
        """The answers that a build would give, from these captures."""
        read = [
            (model, sentence)
            for model in self._models
            for sentence, spec in self._sentences.items()
            if spec.pages and spec.read_by(model)
        ]
        models = {}
        for model, sentence in read:
            facts = self.capture(model, sentence).facts
            models[model] = self._models[model].title, HeadRoutes.from_counts(facts.layers, facts.heads)
        titles = {sentence: spec.title for sentence, spec in self._sentences.items()}
        links = LinkMap(models, titles, {}, dict.fromkeys(read, ()), frozenset(), True)
        return Numbers(links, self._sentences.values(), self)

    def token(self, model: str, sentence: str, name: str) -> int:
        """The position of a token; a name that fits several is refused, as readers could not tell either."""
        return quoted_tokens(self.capture(model, sentence).tokens).index(name)

    def check(self, claim: Claim) -> str | None:
        """What is wrong with a claim, or None."""
        place, parts = claim.place, claim.parts
        where = f"{claim.note}: {claim.text} [{place}]"
        if place.model is None:
            return f"{where}: no page is linked before it"
        try:
            pairs = list(self._numbers(place, parts))
        except (KeyError, ValueError, IndexError) as error:
            return f"{where}: {error}"
        wrong = [f"{said} is {true:.4f}" for said, true in pairs if not agrees(said, true)]
        return f"{where}: {', '.join(wrong)}" if wrong else None

    def _numbers(self, place: Place, parts: dict[str, str]) -> Iterator[tuple[str, float]]:
        """Each printed number beside the true one."""
        assert place.model is not None
        if "count" in parts:
            whole = self._measured(place)
            yield parts["count"], float(dict(whole.type_counts).get(parts["kind"], 0))
        elif "relation" in parts:
            if place.layer is None or place.head is None:
                raise ValueError("no head is linked before it")
            heads = self.relations(place.model)[parts["relation"]].heads
            assert heads is not None
            yield parts["accuracy"], float(heads.shares[place.layer, place.head])
        elif "measure" in parts:
            if place.layer is None or place.head is None:
                raise ValueError("no head is linked before it")
            whole, name = self._measured(place), parts["measure"].removesuffix("-token")
            yield parts["mass"], float(whole.values[name][place.layer, place.head])
            for end in ("lowest", "highest"):
                if end in parts:
                    yield parts[end], float(getattr(whole, end)[name][place.layer, place.head])
        else:
            yield from self._weight(place, parts)

    def _weight(self, place: Place, parts: dict[str, str]) -> Iterator[tuple[str, float]]:
        if place.sentence is None or place.model is None:
            raise ValueError("no sentence is linked before it")
        weights = self.weights(place.model, place.sentence)
        if "receiver" in parts:
            key = self.token(place.model, place.sentence, parts["receiver"])
            yield parts["received"], float(weights[..., key].mean())
            return
        query = self.token(place.model, place.sentence, parts["query"])
        key = self.token(place.model, place.sentence, parts["key"])
        if "layer" in parts:
            yield parts["weight"], float(weights[int(parts["layer"]), :, query, key].mean())
        elif place.layer is None or place.head is None:
            raise ValueError("no head is linked before it")
        else:
            yield parts["weight"], float(weights[place.layer, place.head, query, key])

    def _measured(self, place: Place) -> SentenceAnalysis | HeadsAcross:
        assert place.model is not None
        if place.sentence is None:
            return self.across(place.model)
        return self.analysis(place.model, place.sentence)


def agrees(said: str, true: float) -> bool:
    """Whether a printed number is the true one, to its decimals."""
    if said.startswith("<"):
        return 0 < true < 0.01
    return abs(float(said) - true) <= (HALF if "." in said else 0)


class Demo:
    """The demo as it lies in the repository."""

    @cached_property
    def whole(self) -> GallerySettings:
        """All of it."""
        return load_manifest(ROOT / "gallery.yaml").settings

    @cached_property
    def settings(self) -> GallerySettings:
        """Without the sentences that have no pages: notes speak of the others."""
        paged = tuple(sentence for sentence in self.whole.sentences if sentence.pages)
        return self.whole.model_copy(update={"sentences": paged})

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        models = [model.slug for model in self.settings.models]
        sentences = [sentence.slug for sentence in self.settings.sentences]
        contrasts = [contrast.slug for contrast in self.settings.contrasts]
        return load_notes(ROOT / self.settings.content, models, sentences, ROOT, contrasts)


@pytest.fixture(scope="module")
def demo() -> Demo:
    return Demo()


@pytest.fixture(scope="module")
def evidence(demo: Demo) -> Evidence:
    return Evidence(demo.whole)


@pytest.fixture(scope="module")
def said(demo: Demo, evidence: Evidence) -> tuple[list[Claim], list[str]]:
    """All claims of the demo with its live values filled in, and its stray numbers."""
    live = LiveAnswers(evidence.numbers())

    def fill(call: str, own: NoteTarget) -> str:
        return live.answer(parse_live(call, own), "").text

    found = [claims_of(one, fill) for one in demo.notes]
    return [claim for claims, _ in found for claim in claims], [
        stray for _, strays in found for stray in strays
    ]


def note(tmp_path: Path, name: str, text: str) -> Note:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    (found,) = load_notes(tmp_path, ["minilm"], ["tired-cat"])
    return found


def test_manifest_has_no_mistakes(demo: Demo) -> None:
    assert [model.slug for model in demo.settings.models] == ["minilm", "smollm2"]
    assert len(demo.settings.sentences) >= 12
    assert demo.settings.base_url is None


def test_editors_are_pointed_to_the_schema_as_it_is() -> None:
    """Mend with: attention-gallery schema > docs/gallery.schema.json"""
    first = (ROOT / "gallery.yaml").read_text(encoding="utf-8").split("\n", 1)[0]
    _, _, path = first.partition("# yaml-language-server: $schema=")
    assert (ROOT / path).read_text(encoding="utf-8") == schema_text()


def test_winograd_pair_differs_in_one_word(demo: Demo) -> None:
    texts = {sentence.slug: sentence.text for sentence in demo.settings.sentences}
    big, small = texts["trophy-big"].split(), texts["trophy-small"].split()
    assert [pair for pair in zip(big, small, strict=True) if pair[0] != pair[1]] == [("big.", "small.")]


def test_every_sentence_has_a_note(demo: Demo) -> None:
    noted = {one.target.sentence for one in demo.notes if one.target.kind == "sentence"}
    assert noted == {sentence.slug for sentence in demo.settings.sentences}


@pytest.mark.model
def test_no_number_stands_outside_a_claim(said: tuple[list[Claim], list[str]]) -> None:
    assert said[1] == []


@pytest.mark.model
def test_notes_quote_many_numbers(said: tuple[list[Claim], list[str]]) -> None:
    assert len(said[0]) >= 150
    assert {"count", "measure", "relation", "receiver", "layer", "query"} <= {
        name for claim in said[0] for name in claim.parts
    }


@pytest.mark.model
def test_quoted_numbers_are_true(said: tuple[list[Claim], list[str]], evidence: Evidence) -> None:
    wrong = [problem for claim in said[0] if (problem := evidence.check(claim))]
    assert not wrong, "\n" + "\n".join(wrong)


def test_numbers_are_left_to_the_build(demo: Demo) -> None:
    """No weight, measure or share is typed by hand."""
    typed_by_hand = [
        f"{one.name}: {number}"
        for one in demo.notes
        for number in re.findall(r"(?<![\d.])\d?\.\d{2,}", FILLED.sub("", prose(one)))
    ]
    assert typed_by_hand == []


@pytest.mark.model
def test_the_notes_stand_on_claims_that_hold(demo: Demo, evidence: Evidence) -> None:
    numbers = evidence.numbers()
    held: dict[str, int] = {"minilm": 0, "smollm2": 0}
    for one in demo.notes:
        checked, problems = check_claims(one, numbers)
        assert problems == []
        assert [claim.failure.reason for claim in checked if not claim.holds] == []
        for claim in checked:
            held[claim.claim.ask.subject.model] += 1
    assert min(held.values()) >= 10


@pytest.mark.model
def test_smollm2_cannot_know_which_half_of_the_pair_it_reads(evidence: Evidence) -> None:
    """The notes of the pair say that all rows but the last two are exactly the same."""
    big = evidence.weights("smollm2", "trophy-big")
    small = evidence.weights("smollm2", "trophy-small")
    np.testing.assert_array_equal(big[:, :, :-2], small[:, :, :-2])
    assert (big[:, :, -2:] != small[:, :, -2:]).any(axis=(0, 1, 3)).all()


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[minilm/tired-cat/L3H1]]: “it” → “cat” 0.77", "0.77 is 0.76"),
        ("[[minilm/tired-cat/L3H1]]: “it” → “cat” < 0.01", "< 0.01 is 0.76"),
        ("[[minilm/tired-cat/L3H1]]: “it” → “dog” 0.76", "not in tuple"),
        ("[[minilm/tired-cat]]: “it” → “cat” 0.76", "no head is linked"),
        ("[[minilm/tired-cat]]: “it” → “cat” 0.50 (layer 5, heads averaged)", "0.50 is 0.18"),
        ("[[minilm/tired-cat]]: 22 first-token heads", "22 is 21"),
        ("[[minilm/tired-cat]]: “cat” receives 0.40", "0.40 is 0.0"),
        ("[[minilm/tired-cat/L0H2]] has a previous-token mass of 0.90", "0.90 is 0.99"),
        ("“it” → “cat” 0.76", "no page is linked"),
    ],
)
def test_a_wrong_number_is_caught(tmp_path: Path, evidence: Evidence, text: str, reason: str) -> None:
    (claim,), strays = claims_of(note(tmp_path, "gallery.md", text))
    assert strays == []
    assert reason in (evidence.check(claim) or "")


@pytest.mark.model
def test_a_live_value_of_another_word_is_caught(tmp_path: Path, evidence: Evidence) -> None:
    live = LiveAnswers(evidence.numbers())
    text = '[[minilm/tired-cat/L3H1]]: “it” → “cat” {{ weight("minilm/tired-cat/L3H1", "it", "street") }}'
    found = claims_of(
        note(tmp_path, "gallery.md", text), lambda call, own: live.answer(parse_live(call, own), "").text
    )
    assert "0.03 is 0.76" in (evidence.check(found[0][0]) or "")


def test_a_bare_number_is_found(tmp_path: Path) -> None:
    text = "The head is 0.76 sure.\n\n```text\n0.50\n```\n\nSo $x = 0.25$ and `0.10`.\n\n$$\n0.75\n$$\n"
    found, strays = claims_of(note(tmp_path, "gallery.md", text))
    assert found == []
    assert strays == ["gallery.md: 0.76", "gallery.md: 0.25"]


def test_the_place_of_a_note_is_the_place_of_its_numbers(tmp_path: Path) -> None:
    text = "“it” →\n“cat” 0.76\n\n- [[minilm/tired-cat/L0H2]]: “it” → “because” 1.00\n- “it” → “cat” 0.76\n"
    found, _ = claims_of(note(tmp_path, "minilm/tired-cat/L3H1.md", text))
    assert [(claim.place.layer, claim.place.head) for claim in found] == [(3, 1), (0, 2), (3, 1)]
