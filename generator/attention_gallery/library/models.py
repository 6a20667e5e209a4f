"""Load a model once and capture texts with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from attention_gallery.errors import UserError
from attention_gallery.library import arguments
from attention_gallery.library.arguments import Given
from attention_gallery.library.attention import Attention
from attention_gallery.library.calls import told_calls
from attention_gallery.library.notebook import model_html
from attention_gallery.manifest.settings import CaptureSettings, ModelSpec
from attention_gallery.manifest.source import parse_source
from attention_gallery.records import ATTENTION_KINDS, AttentionKind

if TYPE_CHECKING:
    from attention_gallery.capturing import PreparedModel
    from attention_gallery.models.loading.placement import Device
    from attention_gallery.records import ModelFacts

Dtype = Literal["float32", "bfloat16", "float16"]


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

    @told_calls
    def capture(
        self, text: str = "", *, kind: AttentionKind | None = None, **named: Unpack[Given]
    ) -> Attention:
        """The attention of every layer and head on a text, as the model computes it. See `capture`."""
        from attention_gallery.capturing import capture_one

        if kind is not None:
            arguments.one_of(kind, "`kind`", ATTENTION_KINDS)
        return Attention(capture_one(self.prepared, arguments.text_input(text, named), kind=kind))

    def _repr_html_(self) -> str:
        """The model in short, for notebooks."""
        return model_html(self.facts)


@told_calls
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
    what it takes to continue a text. Raises `ModelError` when it cannot be found or loaded, and `UserError`
    for arguments that are none.
    """
    name = arguments.source_of(source)
    _check(revision, dtype, device)
    threads = arguments.whole_number(threads, "`threads`", 1, arguments.MOST_THREADS)
    flags = {"spread": spread, "generates": generates, "trust_remote_code": trust_remote_code}
    for flag, value in flags.items():
        arguments.yes_or_no(value, flag)
    from attention_gallery.capturing import prepare
    from attention_gallery.models import resolve
    from attention_gallery.models.loading.load_model import load as load_resolved
    from attention_gallery.models.loading.placement import Placement

    spec = ModelSpec(
        slug="model",
        title=parse_source(name).title,
        source=name,
        revision=revision,
        trust_remote_code=trust_remote_code,
    )
    resolved = resolve(spec, Path.cwd())
    return Model(prepare(load_resolved(resolved, dtype, generates, Placement(device, spread, threads))))


@told_calls
def capture(
    model: Model | str | Path,
    text: str = "",
    *,
    kind: AttentionKind | None = None,
    revision: str | None = None,
    dtype: Dtype = "float32",
    device: Device = "auto",
    threads: int = CaptureSettings().threads,
    **named: Unpack[Given],
) -> Attention:
    """The attention of every layer and head of a model on a text, as it computes it, not rounded to store.

    `model` is a `Model`, or anything that `load` takes; who captures more than one text loads it once. `pair`
    is a second text, `chat` takes the place of the text, `chat_options` are given to its template, `target`
    is what the decoder of an encoder-decoder reads, `generate` how many tokens a decoder may add, `truncate`
    leaves out what is too long. `kind` is which attention of an encoder-decoder is wanted: "encoder" (the
    default), "decoder" or "cross". Raises `ModelError` when the model cannot be found, loaded or captured, or
    cannot read what it is given, and `UserError` for arguments that are none.
    """
    read = arguments.text_input(text, named)  # told before a model is loaded
    if kind is not None:
        arguments.one_of(kind, "`kind`", ATTENTION_KINDS)
    if not isinstance(model, Model):
        generates = read.generate > 0
        loaded = load(
            model, revision=revision, dtype=dtype, device=device, threads=threads, generates=generates
        )
        return loaded.capture(text, kind=kind, **named)
    if (revision, dtype, device, threads) != (None, "float32", "auto", CaptureSettings().threads):
        raise UserError(
            "the model is loaded already: `revision`, `dtype`, `device` and `threads` have no say any more",
            mend='give them to `load`, such as load("org/name", device="cpu")',
        )
    return model.capture(text, kind=kind, **named)


def _check(revision: object, dtype: object, device: object) -> None:
    if revision is not None and not isinstance(revision, str):
        raise UserError("`revision` is the text of a branch, tag or commit", mend='such as revision="main"')
    arguments.one_of(dtype, "`dtype`", arguments.DTYPES)
    arguments.one_of(device, "`device`", arguments.DEVICES)
