"""A small gallery whose attention real models compute: an encoder, a decoder and an encoder-decoder.

Their weights are random but fixed. Everything is the real thing, the capture included.
"""

from __future__ import annotations

import copy
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "capturing"))

from safetensors.torch import load_file, save_file
from tiny_models import save_tiny

from sample_gallery import TINY_THEME, Sample

# Two of six tokens and two of 24, which share a pass in a model that lets them.
SETTINGS: dict[str, Any] = {
    "title": "Captured",
    "theme": "tiny",
    "models": [
        {"slug": "bert", "title": "Encoder", "source": "./models/bert"},
        {"slug": "llama", "title": "Decoder", "source": "./models/llama"},
        {"slug": "bart", "title": "Both", "source": "./models/bart"},
    ],
    "sentences": [
        {
            "slug": "trophy",
            "title": "The trophy",
            "text": "It is too big.",
            "focus": "It",
            "relations": [{"from": "big", "to": "It", "kind": "property"}],
        },
        {"slug": "case", "title": "The case", "text": "It is not big."},
        {
            "slug": "bridge",
            "title": "A bridge",
            "text": "A river runs under the bridge",
            "tags": ["water"],
            "models": ["bert", "llama"],
        },
        {
            "slug": "river",
            "title": "The river",
            "text": "The river runs because it is too big for the brown suitcase.",
            "relations": [{"from": "it", "to": "river", "kind": "coreference"}],
            "models": ["llama", "bert"],
        },
        {"slug": "told", "text": "It is too big.", "target": "It is so.", "models": ["bart"]},
    ],
    "contrasts": [
        {"slug": "pair", "title": "A pair", "model": "llama", "sentences": ["trophy", "case"]},
        {"slug": "heads", "title": "Two heads", "model": "bert", "heads": ["L0H0", "L1H1"]},
    ],
}
NOTES = {
    "gallery.md": "# Welcome\n\nSee [[bert/trophy/L0H1]].\n",
    "bert/trophy/L0H1.md": '# A head\n\nIt is {{ weight("#2", "#1") }}.\n\n{{ keys("bert/case", "#2") }}\n',
    "models/llama/L1H0.md": '# Across\n\nAll sentences: {{ measure("entropy", decimals=4) }}.\n',
    "notes/first.md": "# First\n\nA note with [[bart-cross/case]].\n",
}
_SMALL: dict[str, dict[str, int]] = {
    "bert": {"num_hidden_layers": 2, "num_attention_heads": 2},
    "llama": {"num_hidden_layers": 2, "num_attention_heads": 2},
    "bart": {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2},
}


class CapturedGallery(Sample):
    """A project whose builds capture what its store lacks."""

    def fill(self) -> None:
        """Nothing: a build captures by itself."""

    def copy(self, root: Path, *, clean: bool = False) -> CapturedGallery:
        """The same project elsewhere: see `Sample.copy`."""
        sample = super().copy(root, clean=clean)
        return CapturedGallery(sample.root, sample.settings)

    def restore(self) -> None:
        """Manifest, notes and models as they were at first, whatever was edited."""
        self.settings = copy.deepcopy(SETTINGS)
        shutil.rmtree(self.root / "content", ignore_errors=True)
        for card in self.root.glob("models/*/README.md"):
            card.unlink()
        for name, text in NOTES.items():
            self.note(name, text)

    def from_nothing(self, root: Path) -> CapturedGallery:
        """The same sources elsewhere, without anything that builds made, and built there."""
        shutil.copytree(self.root, root, ignore=shutil.ignore_patterns("site", ".gallery"))
        gallery = CapturedGallery(root, copy.deepcopy(self.settings))
        gallery.build()
        return gallery


def save_models(folder: Path) -> Path:
    """The three models, and the decoder with other weights, once for all galleries of a test."""
    for family, changes in _SMALL.items():
        # With a head, so that predictions are kept, too.
        save_tiny(folder / family, family, head=True, **changes)
    shutil.copytree(folder / "llama", folder / "trained")
    weights = folder / "trained" / "model.safetensors"
    save_file({name: 1.25 * tensor for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})
    return folder


def make_gallery(root: Path, models: Path) -> CapturedGallery:
    """A new project, not built yet, with copies of these models."""
    gallery = CapturedGallery(root)
    shutil.copytree(TINY_THEME, root / "themes" / "tiny")
    # All that pages are made with, so that no value that differs stays unseen.
    base = root / "themes" / "tiny" / "templates" / "base.html"
    whole = "<pre>{{ view }} {{ page }} {{ site }}</pre>"
    text = base.read_text(encoding="utf-8")
    base.write_text(text.replace("{% block main %}", whole + "{% block main %}", 1), encoding="utf-8")
    shutil.copytree(models, root / "models")
    gallery.restore()
    return gallery
