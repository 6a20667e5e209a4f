"""Load a model once and capture texts with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from attention_gallery.errors import UserError
from attention_gallery.library.attention import Attention
from attention_gallery.manifest.settings import CaptureSettings, ModelSpec
from attention_gallery.manifest.source import parse_source
from attention_gallery.records import AttentionKind, TextInput

if TYPE_CHECKING:
    from attention_gallery.capturing import PreparedModel
    from attention_gallery.models.placement import Device
    from attention_gallery.records import ModelFacts

Dtype = Literal["float32", "bfloat16", "float16"]


class Message(TypedDict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


class Given(TypedDict, total=False):
    """What a model may be given besides a text; see `capture`."""

    pair: str
    chat: Sequence[Message]
    target: str
    generate: int
    truncate: bool


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A loaded model that was tried out, to capture many texts with."""

    prepared: PreparedModel

    def __repr__(self) -> str:
        facts = self.facts
        return f"<{facts.architecture}: {facts.layers} layers × {facts.heads} heads>"

    @property
    def facts(self) -> ModelFacts:
        """The model: architecture, layers, heads, context."""
        return self.prepared.loaded.facts

    def capture(
        self, text: str = "", *, kind: AttentionKind | None = None, **given: Unpack[Given]
    ) -> Attention:
        """The exact attention of every layer and head on a text. See `capture`."""
        from attention_gallery.capturing import capture_one

        chat = tuple((message["role"], message["content"]) for message in given.get("chat", ()))
        if chat and text:
            raise UserError("a text and a chat were given", mend="give one of them")
        if not chat and not text.strip():
            raise UserError("the text is empty", mend="write a sentence, or give a chat")
        read = TextInput(
            text or "\n".join(content for _, content in chat),
            given.get("pair"),
            chat,
            given.get("target"),
            given.get("generate", 0),
            given.get("truncate", False),
        )
        return Attention(capture_one(self.prepared, read, kind=kind))


def load(
    source: str | Path,
    *,
    revision: str | None = None,
    dtype: Dtype = "float32",
    device: Device = "auto",
    spread: bool = False,
    threads: int = CaptureSettings().threads,
    generates: bool = False,
    trust_remote_code: bool = False,
) -> Model:
    """A model by hub id, local folder, GGUF file or `package:name/path`; torch is imported now.

    `spread` divides it among all devices that there are; `threads` is how many threads of the processor an
    operation takes, as `capture: {threads: …}` in a manifest: the last bits hang on it; `generates` loads
    what it takes to continue a text. Raises `ModelError` when it cannot be found or loaded, `ManifestError`
    when the source is no source.
    """
    from attention_gallery.capturing import prepare
    from attention_gallery.models import resolve
    from attention_gallery.models.load import load as load_resolved
    from attention_gallery.models.placement import Placement

    name = _as_source(source)
    spec = ModelSpec(
        slug="model",
        title=parse_source(name).title,
        source=name,
        revision=revision,
        trust_remote_code=trust_remote_code,
    )
    resolved = resolve(spec, Path.cwd())
    return Model(prepare(load_resolved(resolved, dtype, generates, Placement(device, spread, threads))))


def capture(
    model: Model | str | Path,
    text: str = "",
    *,
    kind: AttentionKind | None = None,
    revision: str | None = None,
    dtype: Dtype = "float32",
    device: Device = "auto",
    threads: int = CaptureSettings().threads,
    **given: Unpack[Given],
) -> Attention:
    """The exact attention of every layer and head of a model on a text.

    `model` is a `Model`, or anything that `load` takes; who captures more than one text loads it once. `pair`
    is a second text, `chat` takes the place of the text, `target` is what the decoder of an encoder-decoder
    reads, `generate` how many tokens a decoder may add, and `truncate` leaves out what is too long. `kind` is
    which attention of an encoder-decoder is wanted: "encoder" (the default), "decoder" or "cross". Raises
    `ModelError` when the model cannot be found, loaded or captured, or cannot read what it is given.
    """
    if not isinstance(model, Model):
        generates = bool(given.get("generate"))
        model = load(
            model, revision=revision, dtype=dtype, device=device, threads=threads, generates=generates
        )
    return model.capture(text, kind=kind, **given)


def _as_source(source: str | Path) -> str:
    """A path as the manifest writes it; a text that is the name of something here is a path too."""
    if isinstance(source, str) and (source.startswith("package:") or not Path(source).exists()):
        return source
    return str(Path(source).absolute())
