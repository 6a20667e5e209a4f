"""A gallery of any size without a real model: random attention in a real store.

The model's files are small stand-ins that have a fingerprint like any other; the weights in the store
are softmax rows of seeded random numbers. Everything after the capture is the real thing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from attention_gallery.build.plan.captures import key_of, text_input
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.models import FingerprintMemory, fingerprint, resolve
from attention_gallery.models.inspecting.versions import library_versions
from attention_gallery.records import AttentionLayer, ModelFacts, NumericEnvironment, Provenance, Tokens
from attention_gallery.store import AttentionStore

WORDS = (
    "the",
    "a",
    "cat",
    "dog",
    "street",
    "tired",
    "because",
    "it",
    "was",
    "did",
    "not",
    "cross",
    "old",
    "house",
    "river",
    "runs",
    "slowly",
    "under",
    "stone",
    "bridge",
)


@dataclass(frozen=True)
class Shape:
    """How large a gallery is: sentences of `tokens` tokens, read by one model of layers × heads."""

    sentences: int
    layers: int = 12
    heads: int = 12
    tokens: int = 24

    @property
    def head_pages(self) -> int:
        """How many pages of one head on one sentence it has."""
        return self.sentences * self.layers * self.heads


def make_gallery(root: Path, shape: Shape, seed: int = 0) -> Path:
    """Write a project with a filled store into an empty folder; returns its manifest."""
    root.mkdir(parents=True, exist_ok=True)
    _model_folder(root / "model", shape)
    texts = [sentence(index, shape.tokens) for index in range(shape.sentences)]
    manifest = root / "gallery.yaml"
    manifest.write_text(manifest_text(texts), encoding="utf-8")
    fill_store(manifest, shape, seed)
    return manifest


def sentence(index: int, tokens: int) -> str:
    """A sentence of `tokens` - 2 words, different for each index."""
    choose = np.random.default_rng(index)
    return f"{index} " + " ".join(str(word) for word in choose.choice(WORDS, tokens - 3))


def manifest_text(texts: list[str]) -> str:
    """A `gallery.yaml` with these sentences."""
    # The stand-in model cannot read the random tokens that every model is tried on.
    lines = ["title: A synthetic gallery", "analysis: {repeated_tokens: false}"]
    lines += ["models:", "  - {slug: model, title: Model, source: ./model}"]
    lines.append("sentences:")
    lines.extend(f'  - {{slug: s{index}, text: "{text}"}}' for index, text in enumerate(texts))
    return "\n".join(lines) + "\n"


def fill_store(manifest_path: Path, shape: Shape, seed: int = 0) -> None:
    """Put random attention under every key that the manifest needs and the store lacks."""
    manifest = load_manifest(manifest_path)
    cache = manifest.root / ".gallery"
    store = AttentionStore(cache / "store")
    spec = manifest.settings.models[0]
    digests = fingerprint(resolve(spec, manifest.root), FingerprintMemory(cache / "fingerprints.json"))
    facts = ModelFacts(
        "BertModel",
        "bert",
        shape.layers,
        shape.heads,
        shape.heads,
        False,
        512,
        64,
        30522,
        1000,
        "safetensors",
    )
    versions = library_versions()
    environment = NumericEnvironment(
        versions["torch"], versions["transformers"], "cpu", "float32", "interface", "equal lengths", 4
    )
    provenance = Provenance(digests.weights, digests.tokenizer, spec.source, None, environment, 1e-7)
    random = np.random.default_rng(seed)
    precision = manifest.settings.capture.precision
    for one in manifest.settings.sentences:
        key = key_of(manifest.settings, spec, digests, text_input(one))
        if store.has(key):
            continue
        with store.writer(key, one.text, tokens_of(one.text), facts, None, precision) as writer:
            for layer in range(shape.layers):
                writer.write(AttentionLayer(layer, "encoder", random_attention(random, shape)))
            writer.finish(provenance)


def random_attention(random: np.random.Generator, shape: Shape) -> np.ndarray:
    """Softmax rows, float32[head, query, key], from broad to sharp by head."""
    scores = random.normal(size=(shape.heads, shape.tokens, shape.tokens)).astype(np.float32)
    scores *= np.linspace(0.5, 4, shape.heads, dtype=np.float32)[:, None, None]
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def tokens_of(text: str) -> Tokens:
    """One token a word between [CLS] and [SEP]."""
    words = text.split(" ")
    count = len(words) + 2
    special = np.zeros(count, bool)
    special[[0, -1]] = True
    ends = np.cumsum([len(word) + 1 for word in words]) - 1
    starts = ends - [len(word) for word in words]
    offsets = np.zeros((count, 2), np.int32)
    offsets[1:-1] = np.stack([starts, ends], axis=1)
    offsets[-1] = len(text)
    return Tokens(
        np.arange(count, dtype=np.int64),
        ("[CLS]", *words, "[SEP]"),
        special,
        np.zeros(count, bool),
        offsets,
        np.array([-1, *range(len(words)), -1], np.int32),
    )


def _model_folder(folder: Path, shape: Shape) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "hidden_size": 64,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    save_file({"weight": np.zeros(4, np.float32)}, folder / "model.safetensors")
