"""Run one sentence through a loaded model and stream its attention out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from attention_gallery import __version__
from attention_gallery.capture.attention import NoEagerAttentionError, capturing
from attention_gallery.capture.sink import InexactAttentionError, LayerSink
from attention_gallery.capture.tokens import tokenise
from attention_gallery.errors import ModelError
from attention_gallery.hashing import digest
from attention_gallery.models.fingerprints import ModelFingerprint
from attention_gallery.models.load import LoadedModel
from attention_gallery.models.quiet import quiet_libraries
from attention_gallery.models.resolved import ProblemMaker
from attention_gallery.records import AttentionLayer, ModelFacts, Provenance, Tokens


@dataclass(frozen=True, slots=True, eq=False)
class MemoryCapture:
    """A capture that was never stored; implements `records.StoredAttention`."""

    key: str
    text: str
    tokens: Tokens
    facts: ModelFacts
    provenance: Provenance
    layers: tuple[AttentionLayer, ...]

    def layer(self, index: int) -> AttentionLayer:
        """One layer, float32[head, query, key]. Raises `IndexError` when the model has no such layer."""
        if not 0 <= index < len(self.layers):
            raise IndexError(f"layer {index} of {len(self.layers)}")
        return self.layers[index]


def capture_one(loaded: LoadedModel, text: str, fingerprint: ModelFingerprint | None = None) -> MemoryCapture:
    """The attention of one sentence, kept in memory.

    Raises `ModelError` when the sentence has no tokens or more than the model can read, or when the model's
    attention cannot be captured exactly.
    """
    tokens = tokenise(loaded.tokenizer, text)
    check_length(tokens, loaded, loaded.resolved.problem)
    layers: list[AttentionLayer] = []
    provenance = run(loaded, tokens, layers.append, fingerprint or ModelFingerprint("", ""))
    key = digest({"text": text, "source": loaded.resolved.source, "dtype": loaded.dtype})
    return MemoryCapture(key, text, tokens, loaded.facts, provenance, tuple(layers))


def check_length(tokens: Tokens, loaded: LoadedModel, problem: ProblemMaker, name: str = "") -> None:
    """Raise `ModelError` when a sentence has no tokens of its own or does not fit the model's context."""
    model = name or loaded.resolved.source
    if bool(tokens.special.all()):
        raise ModelError(
            problem(f'the text has no tokens for the model "{model}"', "write something that it can read")
        )
    context = loaded.facts.context
    if context is not None and len(tokens) > context:
        raise ModelError(
            problem(
                f'the text has {len(tokens)} tokens for the model "{model}", which can read {context}',
                "shorten the text, or split it into several sentences",
            )
        )


def run(
    loaded: LoadedModel,
    tokens: Tokens,
    emit: Callable[[AttentionLayer], None],
    fingerprint: ModelFingerprint,
) -> Provenance:
    """Run the model on `tokens`, hand each layer to `emit` as it is computed, and say where it comes from.

    Raises `ModelError` when the model's attention cannot be captured whole and exact.
    """
    sink = LayerSink(loaded.facts, len(tokens), emit)
    ids = torch.from_numpy(tokens.ids)[None].to(loaded.model.device)
    started = time.perf_counter()
    try:
        with quiet_libraries(), torch.inference_mode(), capturing(loaded.model, sink):
            loaded.model(input_ids=ids, attention_mask=torch.ones_like(ids), **_no_cache(loaded))
        sink.finish()
    except (InexactAttentionError, NoEagerAttentionError) as error:
        raise _not_captured(loaded, error) from error
    return Provenance(
        model_fingerprint=fingerprint.weights,
        tokenizer_fingerprint=fingerprint.tokenizer,
        source=loaded.resolved.source,
        revision=loaded.resolved.revision,
        dtype=loaded.dtype,
        libraries=library_versions(),
        seconds=time.perf_counter() - started,
        row_sum_error=sink.row_sum_error,
    )


def _no_cache(loaded: LoadedModel) -> dict[str, bool]:
    # Keys and values of past tokens are of no use here and would stay in memory.
    return {"use_cache": False} if hasattr(loaded.model.config, "use_cache") and loaded.facts.causal else {}


def _not_captured(loaded: LoadedModel, error: Exception) -> ModelError:
    facts = loaded.facts
    if isinstance(error, NoEagerAttentionError):
        reason = f"its attention ({error}) is computed in a way of its own"
    else:
        reason = str(error)
    return ModelError(
        loaded.resolved.problem(
            f'the attention of "{loaded.resolved.source}" ({facts.architecture}) '
            f"cannot be captured: {reason}",
            "docs/capture.md lists the architectures that can be captured",
        )
    )


def library_versions() -> dict[str, str]:
    """The versions of what computes the numbers, by distribution name."""
    names = ("numpy", "tokenizers", "torch", "transformers")
    found = {"attention-gallery": __version__}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
