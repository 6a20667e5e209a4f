"""Run one sentence through a loaded model and stream its attention out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from attention_gallery.capture.attention import NoEagerAttentionError, capturing
from attention_gallery.capture.sink import InexactAttentionError, LayerSink
from attention_gallery.capture.tokens import tokenise
from attention_gallery.errors import ModelError
from attention_gallery.hashing import digest
from attention_gallery.models.fingerprints import ModelFingerprint
from attention_gallery.models.load import LoadedModel
from attention_gallery.models.quiet import quiet_libraries
from attention_gallery.models.resolved import ProblemMaker
from attention_gallery.models.versions import library_versions
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

    @property
    def keys(self) -> Tokens:
        """The tokens that are looked at."""
        return self.tokens

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
    tokens = read_tokens(loaded, text, loaded.resolved.source, loaded.resolved.problem)
    layers: list[AttentionLayer] = []
    provenance = run(loaded, tokens, layers.append, fingerprint or ModelFingerprint("", ""))
    key = digest({"text": text, "source": loaded.resolved.source, "dtype": loaded.dtype})
    return MemoryCapture(key, text, tokens, loaded.facts, provenance, tuple(layers))


def read_tokens(loaded: LoadedModel, text: str, model: str, problem: ProblemMaker) -> Tokens:
    """The tokens of a text; `model` is the model's name for people.

    Raises `ModelError` when the text is not valid Unicode, has no tokens of its own, or has more than the
    model can read.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        reason = f"the text has half of a surrogate pair (U+{code:04X}), which is not a character"
        raise ModelError(problem(reason, "write the character itself, or its full escape")) from error
    tokens = tokenise(loaded.tokenizer, text)
    context = loaded.facts.context
    if bool(tokens.special.all()):
        reason, mend = f'the text has no tokens for the model "{model}"', "write something that it can read"
    elif context is not None and len(tokens) > context:
        reason = f'the text has {len(tokens)} tokens for the model "{model}", which can read {context}'
        mend = "shorten the text, or split it into several sentences"
    elif int(tokens.ids.max()) >= loaded.facts.vocabulary:
        reason = f'the tokenizer of the model "{model}" makes tokens that the model does not know'
        mend = "check that tokenizer and weights belong together"
    else:
        return tokens
    raise ModelError(problem(reason, mend))


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
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        NotImplementedError,
        RuntimeError,
        TypeError,
    ) as error:
        raise _failed(loaded, error) from error
    return Provenance(
        model_fingerprint=fingerprint.weights,
        tokenizer_fingerprint=fingerprint.tokenizer,
        source=loaded.resolved.source,
        revision=loaded.resolved.revision,
        dtype=loaded.dtype,
        libraries=library_versions(),
        seconds=time.perf_counter() - started,
        row_sum_error=sink.row_sum_error,
        remote_code=loaded.remote_code,
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


def _failed(loaded: LoadedModel, error: Exception) -> ModelError:
    # A model's files are untrusted, and what its code does with them can fail in any way.
    return ModelError(
        loaded.resolved.problem(
            f'the model "{loaded.resolved.source}" failed while it read a text '
            f"({type(error).__name__}: {error})",
            "try it with transformers alone; if it works there, please report this",
        )
    )
