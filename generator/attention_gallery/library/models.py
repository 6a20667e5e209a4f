"""Load a model once and capture texts with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attention_gallery.errors import UserError
from attention_gallery.library.attention import Attention
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.manifest.source import parse_source

if TYPE_CHECKING:
    from attention_gallery.models.load import LoadedModel
    from attention_gallery.records import ModelFacts

Dtype = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A loaded model, to capture many texts with."""

    loaded: LoadedModel

    def __repr__(self) -> str:
        facts = self.facts
        return f"<{facts.architecture}: {facts.layers} layers × {facts.heads} heads>"

    @property
    def facts(self) -> ModelFacts:
        """The model: architecture, layers, heads, context."""
        return self.loaded.facts

    def capture(self, text: str) -> Attention:
        """The exact attention of every layer and head on a text. Raises `ModelError`, `UserError`."""
        from attention_gallery.capture import capture_one

        if not text.strip():
            raise UserError("the text is empty", mend="write a sentence")
        return Attention(capture_one(self.loaded, text))


def load(source: str | Path, *, revision: str | None = None, dtype: Dtype = "float32") -> Model:
    """A model by hub id, local folder, GGUF file or `package:name/path`; torch is imported now.

    Raises `ModelError` when it cannot be found or loaded, `ManifestError` when the source is no source.
    """
    from attention_gallery.models import resolve
    from attention_gallery.models.load import load as load_resolved

    name = _as_source(source)
    title = parse_source(name).title
    spec = ModelSpec(slug="model", title=title, source=name, revision=revision, dtype=dtype)
    return Model(load_resolved(resolve(spec, Path.cwd()), dtype))


def capture(
    model: Model | str | Path, text: str, *, revision: str | None = None, dtype: Dtype = "float32"
) -> Attention:
    """The exact attention of every layer and head of a model on a text.

    `model` is a `Model`, or anything that `load` takes; who captures more than one text loads it once.
    Raises `ModelError` when the model cannot be found, loaded or captured, or cannot read the text.
    """
    loaded = model if isinstance(model, Model) else load(model, revision=revision, dtype=dtype)
    return loaded.capture(text)


def _as_source(source: str | Path) -> str:
    """A path as the manifest writes it; a text that is the name of something here is a path too."""
    if isinstance(source, str) and (source.startswith("package:") or not Path(source).exists()):
        return source
    return str(Path(source).absolute())
