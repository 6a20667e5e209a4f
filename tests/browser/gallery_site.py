"""The galleries that the browser tests read: made once, of synthetic attention and difficult texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from attention_gallery.build.plan.captures import key_of, text_input
from attention_gallery.manifest.blocks.word_spans import occurrences
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.models import FingerprintMemory, fingerprint, resolve
from attention_gallery.records import AttentionLayer, Float32, ModelFacts, Provenance, StoredAttention, Tokens
from attention_gallery.store import AttentionStore, SideOutputShape
from sample_environment import sample_environment
from sample_gallery import Sample, make_model, random_attention, side_outputs_of, target_of

HOSTILE = "<img src=x onerror=alert(1)> \"quoted\" & '<script>alert(2)</script>' {{ 7 }}"
CUT = 117
PARAGRAPH = " ".join(f"Word{i} leads to another, and so on." for i in range(17)) + " That is the end."
SENTENCES: tuple[dict[str, Any], ...] = (
    {
        "slug": "cat",
        "title": "The tired cat",
        "text": "The cat did not cross the street because it was too tired.",
        "focus": "it",
        "tags": ["coreference", "plain"],
        "aliases": ["old-cat"],
        "relations": [{"from": "it", "to": "cat", "kind": "coreference"}],
    },
    {
        "slug": "scripts",
        "title": "مرحبا 🐈‍⬛ 你好",
        "text": "مرحبا بالعالم 👩‍👩‍👧 今天天气很好 שלום 🐈‍⬛ ok",
        "language": "ar",
        "tags": ["letters"],
    },
    {
        "slug": "long-words",
        "title": "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
        "text": f"See Donaudampfschifffahrtsgesellschaftskapitän at {'verylong' * 15} now",
    },
    {"slug": "paragraph", "title": "A paragraph", "text": PARAGRAPH, "tags": ["plain"]},
    {
        "slug": "hostile",
        "title": HOSTILE,
        "text": f"Read </script> {HOSTILE} once",
        "tags": ["a <b> & 'c'"],
    },
)
MODELS: tuple[dict[str, Any], ...] = (
    {
        "slug": "enc",
        "title": "Encoder",
        "source": "./models/enc",
        "description": "Sees it all.",
        "aliases": ["old-enc"],
    },
    {"slug": "dec", "title": f"Decoder {HOSTILE}", "source": "./models/dec"},
)
CONTRASTS: tuple[dict[str, Any], ...] = (
    {
        "slug": "pair",
        "aliases": ["docs"],
        "title": HOSTILE,
        "description": HOSTILE,
        "model": "enc",
        "sentences": ["cat", "hostile"],
    },
    {"slug": "both-models", "models": ["enc", "dec"], "sentence": "scripts"},
    {"slug": "heads", "model": "dec", "heads": ["L0H1", "L1H1"]},
    {"slug": "there", "model": "enc", "heads": ["L1H2", "L2H3"], "sentence": "cat"},
    {"slug": "long", "model": "dec", "sentences": ["long-words", "paragraph"]},
)
BOTH = {
    "slug": "both",
    "title": "Translator",
    "source": "./models/both",
    "description": "Reads, then writes.",
}
SHAPES = {"enc": (3, 4, False), "dec": (2, 2, True), "deep": (30, 9, True), "both": (2, 3, True)}
PROSE = """
Attention is $\\alpha_{ij} = \\frac{e^{q_i k_j}}{\\sum_l e^{q_i k_l}}$, said once.[^one]

$$\\mathrm{sm}\\left(\\frac{QK^\\top}{\\sqrt{d_k}}\\right)V = \\sum_{j=1}^{n} a_{ij} v_j \\quad\\forall i$$

| layer | looks at | weight | said at length |
|---|---|---:|---|
| 0 | `[CLS]` | 0.25 | a cell whose text is long enough to be wider than a telephone |
| 1 | cat | 0.75 | another |

```python
def attention(query, key, value):  # a line that is longer than a telephone is broad, on purpose
    return softmax(query @ key.T / query.shape[-1] ** 0.5) @ value
```

See [[enc/cat/L1H2]], [[enc/cat#head=L1H2&token=3|the same, at one token]], [[models/dec]] and
[elsewhere](https://example.org/a/page).

Of “it”, “cat” gets {{ weight("enc/cat/L1H2", "it", "cat") }}, by {{ type("enc/cat/L1H2") }}.

{{ keys("dec/hostile", "once") }}

{{ figure("dec/scripts/L1H1", caption="Several scripts.") }}

{{ figure("enc/cat/L1H2") }}

[^one]: And here: Averyveryveryveryveryveryveryveryveryveryverylongwordwithoutanyplacetobreak.
"""
CLAIMS = """claims:
  - {of: enc/cat, from: it, to: cat, at_most: 1}
  - {of: enc/cat, from: it, to: cat, at_least: 1}
  - {head: dec/hostile/L0H0, measure: first, at_least: 0}
"""
NOTES = {
    "gallery.md": f"# Welcome\n{PROSE}",
    "about.md": f"# About\n\n## First\n{PROSE}\n## Second\n\nMade of numbers.\n",
    "models/enc.md": "# An encoder\n\nIt has *two* directions.\n",
    "models/enc/L1H2.md": "# This head\n\nEverywhere.\n",
    "sentences/cat.md": f"# Why the cat\n{PROSE}",
    "enc/cat.md": f"---\ntitle: Of this pair\n{CLAIMS}---\nOne of them.\n",
    "enc/cat/L1H2.md": f"# Of this head\n{PROSE}",
    "contrasts/pair.md": f"# Of this contrast\n{PROSE}",
    "notes/first.md": f"# First\n\n## One\n{PROSE}\n## Two\n\nMore.\n",
    "notes/second.md": f"---\ntitle: '{HOSTILE.replace(chr(39), chr(39) * 2)}'\n---\nSecond.\n",
}


@dataclass(frozen=True)
class Built:
    """A gallery that was built, and the attention that it shows."""

    sample: Sample

    @property
    def site(self) -> Path:
        return self.sample.site

    def pages(self) -> list[str]:
        """Every HTML file of the site, relative to it."""
        return sorted(path.relative_to(self.site).as_posix() for path in self.site.rglob("*.html"))

    def stored(self, model: str, sentence: str) -> StoredAttention:
        """What the store holds for a pair."""
        return next(
            store.open(key)
            for spec, kind, one, key, store in _jobs(self.sample)
            if (spec.slug if kind == "self" else f"{spec.slug}-{kind}", one.slug) == (model, sentence)
        )

    def weights(self, model: str, sentence: str) -> Float32:
        """The exact attention, float32[layer, head, query, key]."""
        stored = self.stored(model, sentence)
        return np.stack([stored.layer(index).weights for index in range(stored.facts.layers)])


def make(root: Path, **settings: Any) -> Built:
    """Build a gallery in which everything but the attention is real."""
    sample = Sample.make(root, notes=settings.pop("notes", {}), theme="default", **settings)
    for slug in (model["slug"] for model in settings["models"]):
        layers, heads, causal = SHAPES[slug]
        make_model(root / "models" / slug, layers=layers, heads=heads, causal=causal, crossing=slug == "both")
    for spec, kind, sentence, key, store in _jobs(sample):
        _capture(store, key, sentence, spec, kind)
    sample.build()
    return Built(sample)


def whole(root: Path) -> Built:
    """Two models, five sentences, every kind of page."""
    return make(
        root,
        title="Where attention goes",
        theme_options={"plotly": "idle"},
        description="A gallery that was made for tests.",
        author="Nobody & <co>",
        models=[dict(model) for model in MODELS],
        sentences=[dict(sentence) for sentence in SENTENCES],
        contrasts=[dict(contrast) for contrast in CONTRASTS],
        lengths={"sentence": "paragraph", "words": [8, 16, 32]},
        notes=NOTES,
    )


def deep(root: Path) -> Built:
    """A model of 30 layers with 9 heads on one sentence; few of its heads have pages."""
    return make(
        root,
        title="Deep",
        models=[{"slug": "deep", "title": "Deep", "source": "./models/deep"}],
        sentences=[dict(SENTENCES[0], aliases=[])],
        pages={"heads": "notable"},
    )


TALK = (
    {"role": "system", "content": "Answer in one word."},
    {"role": "user", "content": "ما عاصمة النرويج؟"},
    {"role": "assistant", "content": "Oslo"},
    {"role": "user", "content": "And of Sweden,\nits neighbour?"},
)


def inputs(root: Path, special_tokens: str = "shown") -> Built:
    """A pair of texts, a chat, and a text of which the end was left out."""
    return make(
        root,
        title="Given to read",
        theme_options={"plotly": "idle"},
        models=[dict(model) for model in MODELS],
        pages={"special_tokens": special_tokens},
        sentences=[
            {
                "slug": "pair",
                "title": "Does it follow?",
                "text": "A man is playing a guitar.",
                "pair": "Somebody makes music.",
                "focus": "Somebody",
                "relations": [{"from": "Somebody", "to": "man"}],
            },
            {"slug": "chat", "title": "Capitals", "chat": [dict(message) for message in TALK], "generate": 2},
            {"slug": "cut", "title": "Too long", "text": PARAGRAPH, "truncate": True},
        ],
    )


def translating(root: Path) -> Built:
    """An encoder-decoder beside an encoder on two sentences."""
    return make(
        root,
        title="Across",
        theme_options={"plotly": "idle"},
        models=[dict(MODELS[0]), dict(BOTH)],
        sentences=[dict(SENTENCES[0], aliases=[]), dict(SENTENCES[1])],
        notes={"both-cross/cat.md": "# Looking across\n\nSee [[both-cross/cat/L1H2]].\n"},
    )


def probed(root: Path) -> Built:
    """An encoder that is probed for the subjects of forty sentences without pages, which one head knows."""
    sample = Sample(root)
    words = [f"A cat{number} {'very ' * (number % 3)}sat{' now' * (number // 3 % 4)}" for number in range(40)]
    trees = "".join(map(_tree, words, range(40)))
    sample.write("data/trees.conllu", trees)
    return make(
        root,
        title="Probed",
        models=[dict(MODELS[0])],
        sentences=[dict(SENTENCES[0], aliases=[]), {"conllu": "data/trees.conllu", "pages": False}],
        pages={"heads": "none"},
    )


def _tree(text: str, number: int) -> str:
    """A sentence in CoNLL-U whose second word is the subject of its verb."""
    words = text.split()
    verb = words.index("sat") + 1
    lines = [f"# sent_id = t{number}", f"# text = {text}"]
    for index, form in enumerate(words, 1):
        head, kind = {1: (2, "det"), 2: (verb, "nsubj"), verb: (0, "root")}.get(index, (verb, "advmod"))
        lines.append("\t".join([str(index), form, *"____", str(head), kind, "_", "_"]))
    return "\n".join(lines) + "\n\n"


def _know_subjects(weights: Any, sentence: Any, tokens: Any) -> None:
    """Let a head look from each subject at its verb: weights[query, key]."""
    for relation in sentence.relations:
        if relation.kind == "nsubj":
            sides = (relation.from_, relation.to)
            spans = [one if isinstance(one, tuple) else occurrences(sentence.joined, one)[0] for one in sides]
            query, key = (
                np.flatnonzero((tokens.offsets[:, 0] < end) & (tokens.offsets[:, 1] > start))
                for start, end in spans
            )
            weights[query] *= 0.01
            weights[np.ix_(query, key)] = 0.9 / len(key)
            weights[query] /= weights[query].sum(axis=1, keepdims=True)


def _jobs(sample: Sample) -> list[tuple[Any, str, Any, str, AttentionStore]]:
    manifest = load_manifest(sample.manifest)
    store = AttentionStore(manifest.root / ".gallery" / "store")
    memory = FingerprintMemory(manifest.root / ".gallery" / "fingerprints.json")
    jobs = []
    for spec in manifest.settings.models:
        found = resolve(spec, manifest.root)
        digests = fingerprint(found, memory)
        for kind in found.kinds:
            for one in manifest.settings.sentences:
                key = key_of(manifest.settings, spec, digests, text_input(one), kind)
                jobs.append((spec, kind, one, key, store))
    return jobs


def _capture(store: AttentionStore, key: str, sentence: Any, spec: Any, kind: str) -> None:
    layers, heads, causal = SHAPES[spec.slug]
    causal = causal if kind == "self" else kind == "decoder"
    facts = ModelFacts(
        "Sample", "sample", layers, heads, heads, causal, 512, 64, 1000, 1_000_000, "safetensors"
    )
    facts = replace(facts, cross=kind == "cross")
    tokens = tokens_of(sentence, causal=causal)
    text = sentence.joined
    keys = None
    if kind in ("decoder", "cross"):
        tokens, keys = subwords(target_of(text), causal=True), tokens if kind == "cross" else None
    random = np.random.default_rng(int(key[:12], 16))
    side_outputs = side_outputs_of(np.random.default_rng(1), facts, tokens, keys or tokens)
    with store.writer(
        key, text, tokens, facts, keys, side_outputs=SideOutputShape.of(side_outputs)
    ) as writer:
        for layer in range(layers):
            weights = random_attention(random, heads, len(tokens), len(keys or tokens), causal=causal)
            if layer == 1 and not causal and keys is None:
                _know_subjects(weights[2], sentence, tokens)
            writer.write(AttentionLayer(layer, facts.kind, weights))
        writer.finish(
            Provenance("w" * 64, "t" * 64, spec.source, None, sample_environment(), 1e-7), side_outputs
        )


def tokens_of(sentence: Any, *, causal: bool) -> Tokens:
    """A sentence as a tokenizer would cut it: parts between special tokens; of a long text the beginning."""
    if sentence.truncate:
        whole = subwords(sentence.text, causal=causal)
        return _taken(whole, len(whole) - CUT)
    if not sentence.chat and sentence.pair is None:
        return subwords(sentence.text, causal=causal)
    if sentence.chat:
        parts = [(one.role, one.content) for one in sentence.chat]
        around = [(["<|im_start|>", role, "⏎"], ["<|im_end|>", "⏎"]) for role, _ in parts]
    else:
        parts = [("first", sentence.text), ("second", sentence.pair)]
        around = [
            ([] if causal else ["[CLS]"], [] if causal else ["[SEP]"]),
            ([], [] if causal else ["[SEP]"]),
        ]
    rows: list[tuple[str, bool, int, int, int]] = []
    base = 0
    for segment, ((_, text), (before, after)) in enumerate(zip(parts, around, strict=True)):
        inner = subwords(text, causal=True)
        assert inner.offsets is not None
        rows += [(mark, True, base, base, -1) for mark in before]
        for shown, (start, end) in zip(inner.texts, inner.offsets.tolist(), strict=True):
            rows.append((shown, False, base + start, base + end, segment))
        rows += [(mark, True, base + len(text), base + len(text), -1) for mark in after]
        base += len(text) + 1
    return _from_rows(rows, tuple(name for name, _ in parts))


def _from_rows(rows: list[tuple[str, bool, int, int, int]], names: tuple[str, ...]) -> Tokens:
    """Tokens from (text, special, start, end, segment); each is a word of its own."""
    texts, special, starts, ends, segments = zip(*rows, strict=True)
    own = np.cumsum([not one for one in special]) - 1
    known = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return Tokens(
        np.array([known[text] for text in texts], np.int64),
        tuple(texts),
        np.array(special, bool),
        np.zeros(len(rows), bool),
        np.array([starts, ends], np.int32).T.copy(),
        np.where(special, -1, own).astype(np.int32),
        np.array(segments, np.int32),
        names,
    )


def _taken(tokens: Tokens, count: int) -> Tokens:
    """The first tokens only; a special one at the end stays."""
    assert tokens.offsets is not None
    assert tokens.words is not None
    ends = int(tokens.special[-1])
    kept = [*range(count - ends), *([len(tokens) - 1] if ends else [])]
    return Tokens(
        tokens.ids[kept],
        tuple(tokens.texts[index] for index in kept),
        tokens.special[kept],
        tokens.continues[kept],
        tokens.offsets[kept],
        tokens.words[kept],
        left_out=len(tokens) - len(kept),
    )


def subwords(text: str, *, causal: bool) -> Tokens:
    """Runs of letters, at most 12 of them in a decoder; one token for anything else that is not a space."""
    pattern = r"\w{1,12}|[^\w\s]" if causal else r"\w+|[^\w\s]+"
    spans = [match.span() for match in re.finditer(pattern, text)]
    words: list[int] = []
    for i, (start, _) in enumerate(spans):
        joined = i > 0 and spans[i - 1][1] == start and text[start].isalnum()
        words.append((words[-1] if joined else words[-1] + 1) if words else 0)
    texts = [text[start:end] for start, end in spans]
    special = [False] * len(texts)
    if not causal:
        texts, special = ["[CLS]", *texts, "[SEP]"], [True, *special, True]
        spans, words = [(0, 0), *spans, (len(text), len(text))], [-1, *words, -1]
    continues = [i > 0 and words[i] >= 0 and words[i] == words[i - 1] for i in range(len(words))]
    return Tokens(
        np.arange(len(texts), dtype=np.int64),
        tuple(texts),
        np.array(special, bool),
        np.array(continues, bool),
        np.array(spans, np.int32).reshape(len(texts), 2),
        np.array(words, np.int32),
    )
