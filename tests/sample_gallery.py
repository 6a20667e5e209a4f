"""A small gallery whose attention is random but fixed, so that no model has to run.

Its model folders are stand-ins with real fingerprints; its store holds softmax rows of seeded random
numbers. Everything after the capture is the real thing.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors.numpy import save_file

from attention_gallery.analysis import SentenceAnalysis, analyse
from attention_gallery.build import BuildOptions, BuildReport, build
from attention_gallery.build.plan.attention_kinds import ShownModel
from attention_gallery.build.plan.auxiliary_inputs import auxiliary_inputs
from attention_gallery.build.plan.captures import key_of, text_input
from attention_gallery.manifest.load_manifest import Manifest, load_manifest
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import FingerprintMemory, ModelFingerprint, fingerprint, resolve
from attention_gallery.progress import Reporter, SilentReporter
from attention_gallery.records import (
    AttentionLayer,
    Float32,
    ModelFacts,
    NumericEnvironment,
    Precision,
    Predictions,
    Provenance,
    SideOutputs,
    TextInput,
    Tokens,
)
from attention_gallery.store import AttentionStore, SideOutputShape
from sample_environment import sample_environment

TINY_THEME = Path(__file__).parent / "golden" / "tiny" / "themes" / "tiny"
MODELS: tuple[dict[str, Any], ...] = (
    {"slug": "enc", "title": "Encoder", "source": "./models/enc"},
    {"slug": "dec", "title": "Decoder", "source": "./models/dec", "description": "Reads left to right."},
)
SENTENCES: tuple[dict[str, Any], ...] = (
    {
        "slug": "cat",
        "title": "The tired cat",
        "text": "The cat did not cross because it was tired",
        "focus": "it",
    },
    {
        "slug": "river",
        "title": "A river",
        "text": "A river runs under the old bridge",
        "tags": ["water", "place"],
    },
    {"slug": "short", "title": "Short", "text": "Go now"},
)
# What stands for the random tokens that a model reads twice.
REPEATED = "lamp fern echo drum seed wolf lamp fern echo drum seed wolf"
NOTES = {
    "gallery.md": "# Welcome\n\nSee [[enc/cat/L0H1]].\n",
    "sentences/cat.md": "# Why the cat\n\nIt looks *back*.\n",
    "about.md": "# About\n\nMade of numbers.\n",
    "notes/first.md": "# First\n\nA note with [[dec]].\n",
}


@dataclass
class Sample:
    """A project folder. Change `settings` or files, then `build()`."""

    root: Path
    settings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, root: Path, *, notes: dict[str, str] | None = None, **settings: Any) -> Sample:
        """A new project with two models, three sentences and a few notes; `settings` replace parts of it.

        Its theme is a tiny one of its own, which compiles fast and prints nearly all that pages hand out.
        """
        sample = cls(root)
        sample.settings = {
            "title": "A sample",
            "theme": "tiny",
            "models": [dict(model) for model in MODELS],
            "sentences": [dict(sentence) for sentence in SENTENCES],
            **settings,
        }
        shutil.copytree(TINY_THEME, root / "themes" / "tiny")
        make_model(root / "models" / "enc", layers=2, heads=2, causal=False)
        make_model(root / "models" / "dec", layers=1, heads=3, causal=True)
        for name, text in (NOTES if notes is None else notes).items():
            sample.note(name, text)
        sample.save()
        return sample

    @property
    def manifest(self) -> Path:
        return self.root / "gallery.yaml"

    @property
    def site(self) -> Path:
        return self.root / self.settings.get("output", "site")

    @property
    def cache(self) -> Path:
        return self.root / ".gallery"

    def save(self) -> None:
        """Write the manifest, unless it says the same already."""
        text = yaml.safe_dump(self.settings, sort_keys=False, allow_unicode=True, width=200)
        if not self.manifest.exists() or self.manifest.read_text(encoding="utf-8") != text:
            self.manifest.write_text(text, encoding="utf-8")

    def note(self, name: str, text: str) -> None:
        """Write a note."""
        self.write(f"content/{name}", text)

    def write(self, name: str, text: str) -> Path:
        """Write a text file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def sentence(self, slug: str) -> dict[str, Any]:
        """One sentence of the settings, to be changed."""
        return next(one for one in self.settings["sentences"] if one["slug"] == slug)

    def fill(self) -> None:
        """Put random attention under every key that the store lacks."""
        fill_store(self.manifest)

    def build(self, reporter: Reporter | None = None, **options: Any) -> BuildReport:
        """Save, fill the store, build."""
        self.save()
        self.fill()
        return build(self.manifest, BuildOptions(**options), reporter or SilentReporter())

    def tree(self) -> dict[str, bytes | str]:
        """The site as it lies on the disk."""
        return tree(self.site)

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Inode and time of change of every file of the site: the same for a file that was not made again."""
        files = (path for path in self.site.rglob("*") if path.is_file())
        return {
            path.relative_to(self.site).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in files
        }

    def copy(self, root: Path, *, clean: bool = False) -> Sample:
        """The same project elsewhere, times of change included; `clean` leaves behind what builds made."""
        kept = ("site", "build.sqlite*", "analysis", "staging", "*.lock") if clean else ("*.lock",)
        shutil.copytree(self.root, root, ignore=shutil.ignore_patterns(*kept), symlinks=True)
        return Sample(root, copy.deepcopy(self.settings))

    def page(self, route: str) -> str:
        """The HTML of a page."""
        return (self.site / route / "index.html").read_text(encoding="utf-8")


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: bytes of files, targets of links, "folder" for empty folders."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[name] = "folder"
    return found


def make_model(folder: Path, *, layers: int, heads: int, causal: bool, crossing: bool = False) -> None:
    """A folder that is found and fingerprinted like a model; nothing can load it.

    `crossing` makes it an encoder-decoder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shape = {"layers": layers, "heads": heads, "causal": causal}
    if crossing:
        shape["is_encoder_decoder"] = True
    (folder / "config.json").write_text(json.dumps({"model_type": "sample", **shape}), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    save_file({"weight": np.arange(layers * heads + causal, dtype=np.float32)}, folder / "model.safetensors")


def fill_store(manifest_path: Path, environment: NumericEnvironment | None = None) -> None:
    """Put random attention under every key that the manifest needs and the store lacks.

    It is said to come from `environment`, or from this one.
    """
    manifest = load_manifest(manifest_path)
    store = AttentionStore(manifest.root / ".gallery" / "store")
    memory = FingerprintMemory(manifest.root / ".gallery" / "fingerprints.json")
    for spec in manifest.settings.models:
        found = resolve(spec, manifest.root)
        shape = json.loads((found.folder / "config.json").read_text(encoding="utf-8"))
        digests = fingerprint(found, memory)
        for kind in found.kinds:
            _fill_model(manifest, spec, (shape, kind), digests, store, environment)


def _fill_model(
    manifest: Manifest,
    spec: ModelSpec,
    captured: tuple[dict[str, Any], str],
    digests: ModelFingerprint,
    store: AttentionStore,
    environment: NumericEnvironment | None,
) -> None:
    shape, kind = captured
    wanted = {
        key_of(manifest.settings, spec, digests, text_input(sentence), kind): sentence.joined
        for sentence in manifest.settings.sentences
        if sentence.read_by(spec.slug)
    }
    for auxiliary in auxiliary_inputs(manifest.settings, ShownModel(0, kind, spec)):
        key = key_of(manifest.settings, spec, digests, auxiliary.model_input, kind)
        model_input = auxiliary.model_input
        wanted.setdefault(key, model_input.text if isinstance(model_input, TextInput) else REPEATED)
    for key, text in wanted.items():
        if not store.has(key):
            origin = Provenance(
                digests.weights,
                digests.tokenizer,
                spec.source,
                None,
                environment or sample_environment(spec.dtype, manifest.settings.capture.threads),
                1e-7,
            )
            precision = manifest.settings.capture.precision
            write_capture(store, key, text, shape, origin, precision, kind)


def write_capture(
    store: AttentionStore,
    key: str,
    text: str,
    shape: dict[str, Any],
    origin: Provenance,
    precision: Precision = "float32",
    kind: str = "self",
) -> None:
    """One synthetic capture; the same key always gives the same numbers."""
    layers, heads = shape["layers"], shape["heads"]
    causal = shape["causal"] if kind == "self" else kind == "decoder"
    facts = ModelFacts(
        "SampleModel", "sample", layers, heads, heads, causal, 512, 64, 1000, 22_700_000, "safetensors"
    )
    tokens, source, keys = tokens_of(text, causal=causal), text, None
    if kind in ("decoder", "cross"):
        text, keys = target_of(text), tokens if kind == "cross" else None
        tokens = tokens_of(text, causal=True)
    facts = replace(facts, cross=kind == "cross")
    random = np.random.default_rng(int(key[:12], 16))
    side_outputs = side_outputs_of(np.random.default_rng(1), facts, tokens, keys or tokens)
    shape_of_outputs = SideOutputShape.of(side_outputs)
    with store.writer(key, text, tokens, facts, keys, precision, shape_of_outputs, source) as writer:
        for layer in range(layers):
            size = len(tokens), len(keys or tokens)
            weights = random_attention(random, heads, *size, causal=causal)
            writer.write(AttentionLayer(layer, facts.kind, weights))
        writer.finish(origin, side_outputs)


def side_outputs_of(
    random: np.random.Generator, facts: ModelFacts, tokens: Tokens, keys: Tokens
) -> SideOutputs:
    """Lengths of vectors, short ones of special tokens; of a causal model three tokens that it expects."""
    norms = random.uniform(0.5, 2, (facts.layers, facts.heads, len(keys))).astype(np.float32)
    norms[..., keys.special] /= 10
    if not facts.causal:
        return SideOutputs(norms, no_predictions="its files hold no language-modelling head")
    count = len(tokens)
    ids = random.integers(0, count, (count, 3)).astype(np.int32)
    texts = tuple(tuple(tokens.texts[number] for number in row) for row in ids.tolist())
    shares = np.sort(random.dirichlet(np.ones(4), count).astype(np.float32)[:, :3])[:, ::-1]
    came = np.append(random.uniform(0, 1, count - 1), np.nan).astype(np.float32)
    return SideOutputs(norms, Predictions(np.arange(count, dtype=np.int32), ids, shares, came, texts))


def target_of(text: str) -> str:
    """What the decoder of an encoder-decoder reads: the words from last to first, and more of them."""
    return " ".join(["<s>", *reversed(text.split()), "and", "so", "on"])


def random_attention(
    random: np.random.Generator, heads: int, tokens: int, keys: int | None = None, *, causal: bool
) -> Float32:
    """Softmax rows, float32[head, query, key], from broad to sharp by head."""
    size = (heads, tokens, tokens if keys is None else keys)
    scores = random.normal(size=size) * np.linspace(0.5, 4, heads)[:, None, None]
    if causal:
        scores = np.where(np.tri(tokens, dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def tokens_of(text: str, *, causal: bool) -> Tokens:
    """One token a word; an encoder reads them between [CLS] and [SEP]."""
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    texts: Sequence[str] = [text[start:end] for start, end in spans]
    special = [False] * len(spans)
    words = list(range(len(spans)))
    if not causal:
        texts, special = ["[CLS]", *texts, "[SEP]"], [True, *special, True]
        spans, words = [(0, 0), *spans, (len(text), len(text))], [-1, *words, -1]
    return Tokens(
        np.arange(len(texts), dtype=np.int64),
        tuple(texts),
        np.array(special, bool),
        np.zeros(len(texts), bool),
        np.array(spans, np.int32).reshape(len(texts), 2),
        np.array(words, np.int32),
    )


def analyses_of(sample: Sample, model: str) -> list[SentenceAnalysis]:
    """The measures of a model on every sentence, found anew from the store, in the manifest's order."""
    manifest = load_manifest(sample.manifest)
    store = AttentionStore(sample.cache / "store")
    spec = next(one for one in manifest.settings.models if one.slug == model)
    digests = fingerprint(resolve(spec, manifest.root), FingerprintMemory(sample.cache / "fingerprints.json"))
    inputs = map(text_input, manifest.settings.sentences)
    keys = (key_of(manifest.settings, spec, digests, model_input) for model_input in inputs)
    return [analyse(store.open(key), manifest.settings.analysis) for key in keys]
