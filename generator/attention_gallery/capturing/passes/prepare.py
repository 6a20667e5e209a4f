"""Choose how a loaded model is captured, by trying it on a few tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
import transformers

from attention_gallery.capturing.passes.layer_writer import HeadSink, InexactAttentionError, LayerSink
from attention_gallery.capturing.passes.norms import find_factors, vector_norms
from attention_gallery.capturing.passes.pass_inputs import trial_inputs
from attention_gallery.capturing.passes.predicting import Predictor, find_predictor
from attention_gallery.capturing.passes.sharing import EQUAL_LENGTHS, ONE_BY_ONE, can_share
from attention_gallery.capturing.reading.model_reading import ModelInput
from attention_gallery.capturing.strategies import STRATEGIES, Strategy
from attention_gallery.errors import GalleryError, ModelError
from attention_gallery.files import is_system_trouble
from attention_gallery.models.inspecting.suited import mend, no_attention
from attention_gallery.models.inspecting.trial import failed, final_states
from attention_gallery.models.inspecting.versions import library_versions
from attention_gallery.models.loading.foreign import MODEL_FAULTS
from attention_gallery.models.loading.load_model import LoadedModel
from attention_gallery.models.loading.memory import lacks_memory, raise_trouble
from attention_gallery.models.loading.placement import running_on
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.records import NumericEnvironment, failure_reason
from attention_gallery.store import SideOutputShape

# How many tokens the trial has: of two lengths, so that the three kinds of an encoder-decoder, whose
# attention is source × source, target × target and target × source, are told apart by their shapes.
_SOURCE, _TARGET = 6, 4
_EXTENT = {
    "self": (_SOURCE, _SOURCE),
    "encoder": (_SOURCE, _SOURCE),
    "decoder": (_TARGET, _TARGET),
    "cross": (_TARGET, _SOURCE),
}
NO_NORMS = "what its heads take is not put through one linear layer that is known"
# What models call a learnt share of attention that goes to no token.
_SINKS = ("sinks", "sink", "attention_sink_bias", "sink_bias")
# How far a strategy may change what the model computes, relative to the largest state, in float32.
_SAME = 1e-5


SideOutput = Literal["norms", "predictions"]


class SideOutputError(Exception):
    """Something that is told beside the weights could not be worked out; the weights can do without."""

    def __init__(self, output: SideOutput, error: BaseException) -> None:
        super().__init__(f"{output}: {error}")
        self.output: SideOutput = output
        self.error = error


class _Seen(Exception):  # noqa: N818 - nothing went wrong
    """Every layer that is wanted has come."""


class _OtherShapeError(InexactAttentionError):
    """What came has so many axes, and is no attention of all tokens of the trial to all."""

    def __init__(self, reason: str, axes: int) -> None:
        super().__init__(reason)
        self.axes = axes


@dataclass(frozen=True, slots=True, eq=False)
class PreparedModel:
    """A loaded model and the way in which its attention is captured.

    `kinds` names for every place in the model that attends the kind of attention that it gives. `factors`
    have for every place of which that is known what turns its values into lengths: see `norms.find_factors`.
    `predictor` is its language-modelling head, where it has one that can be asked. `failed` says of what is
    told beside the weights why it is not, where telling it failed. `shares` tells whether texts of one length
    may share a pass at all: see `sharing`.
    """

    loaded: LoadedModel
    strategy: Strategy
    kinds: Mapping[str, str]
    factors: Mapping[str, torch.Tensor] = field(default_factory=dict)
    predictor: Predictor | None = None
    failed: Mapping[SideOutput, str] = field(default_factory=dict)
    shares: bool = True

    @property
    def environment(self) -> NumericEnvironment:
        """All that decides about the last bits of what this captures."""
        versions = library_versions()
        return NumericEnvironment(
            torch=versions.get("torch", torch.__version__),
            transformers=versions.get("transformers", transformers.__version__),
            device=self.loaded.model.device.type,
            dtype=self.loaded.dtype,
            strategy=self.strategy.name,
            batch=EQUAL_LENGTHS if self.shares else ONE_BY_ONE,
            threads=self.loaded.threads,
        )

    def tells_norms(self, kind: str) -> bool:
        """Whether the lengths of what heads take are known for every layer of one kind of attention."""
        names = [name for name, own_kind in self.kinds.items() if own_kind == kind]
        return bool(names) and all(name in self.factors for name in names)

    @property
    def no_norms(self) -> str:
        """Why the lengths of what heads take are not known, where they are not."""
        if "norms" in self.failed:
            return self.failed["norms"]
        quantised = self.loaded.facts.quantised
        return f"{NO_NORMS}; its weights are quantised ({quantised})" if quantised else NO_NORMS

    @property
    def no_predictions(self) -> str:
        """Why the model does not predict, "" where it does."""
        if self.predictor is not None:
            return ""
        if "predictions" in self.failed:
            return self.failed["predictions"]
        return self.loaded.headless or "its language-modelling head cannot be asked by itself"

    def without(self, error: SideOutputError) -> PreparedModel:
        """The same model, which no longer tells what failed."""
        failed = {**self.failed, error.output: failure_reason(error.error)}
        if error.output == "norms":
            return replace(self, factors={}, failed=failed)
        return replace(self, predictor=None, failed=failed)

    def side_outputs(self, read: ModelInput, kind: str, predictions: int) -> SideOutputShape:
        """What a pass will tell beside the weights of one kind, with so many predictions at each place."""
        shape = None
        if self.predictor is not None and predictions and kind == "self":
            shape = len(self.predictor.positions(read)), min(predictions, self.predictor.size)
        return SideOutputShape(self.tells_norms(kind), shape)

    def capture(
        self, inputs: Mapping[str, Any], sinks: Mapping[str, HeadSink], to_end: bool = False
    ) -> tuple[dict[str, list[torch.Tensor]], torch.Tensor | None]:
        """Run the model on `inputs` and give every layer to the sink of its kind, if it has one.

        It gives the lengths of what heads take, by kind of those that tell them, [batch, head, key] for each
        layer, and what the model made of its tokens, [batch, token, feature], None where it ended before.
        The pass ends with the last layer that is wanted, since what follows would change no weight, unless it
        is to go on `to_end`. Whoever has many sentences quietens the libraries once for all of them. Raises
        `InexactAttentionError`, or whatever the model's code raises.
        """

        def receive(name: str, weights: torch.Tensor, first: int = 0) -> None:
            kind = self.kinds.get(name)
            if kind is None:
                raise InexactAttentionError(f"{name} attends now, although it did not on trial")
            if kind in sinks:
                sinks[kind](weights, first)
                if may_stop and all(sink.full for sink in sinks.values()):
                    raise _Seen

        # Code of others may leave something open, and accelerate brings weights back when a part has run.
        may_stop = not (to_end or self.loaded.remote_code or hasattr(self.loaded.model, "hf_device_map"))
        norms: dict[str, list[torch.Tensor]] = {kind: [] for kind in sinks if self.tells_norms(kind)}

        def take(name: str, value: torch.Tensor) -> None:
            kind = self.kinds.get(name, "")
            if kind in norms:
                with side_output("norms"):
                    norms[kind].append(vector_norms(self.factors[name], value))

        strategy = self.strategy.taking_values(take) if norms else self.strategy
        states = None
        with torch.inference_mode(), suppress(_Seen):
            states = strategy.run(self.loaded.model, inputs, receive)
        for sink in sinks.values():
            sink.finish()
        return norms, states


def prepare(loaded: LoadedModel, strategies: Sequence[Strategy] = STRATEGIES) -> PreparedModel:
    """Try the strategies in turn on a few tokens and take the first that sees every layer as it must be.

    That is: as many layers of each kind as the configuration says, of the right shape, with rows that sum to
    1, nothing above the diagonal of a causal model, and a model that computes the same as without it. Raises
    `ModelError` that says of each strategy why it failed, `MemoryError`, and `OSError` for trouble of the
    system.
    """
    with running_on(loaded.threads):
        return _prepared(loaded, strategies)


def _prepared(loaded: LoadedModel, strategies: Sequence[Strategy]) -> PreparedModel:
    if getattr(loaded.model.config, "attention_type", None) == "block_sparse":
        # BigBird switches to full attention for short texts, also for all that it reads afterwards.
        sparse = InexactAttentionError("it is block-sparse: most pairs of tokens have no weight")
        raise _not_captured(loaded, {"": sparse})
    inputs = trial_inputs(loaded, (_SOURCE, _TARGET))
    try:
        with quiet_libraries(), torch.inference_mode():
            plain = final_states(loaded.model(**inputs))
    except GalleryError:
        raise
    except MODEL_FAULTS as error:
        raise_trouble(error)
        raise failed(loaded.resolved, error, loaded.model) from error
    faults: dict[str, BaseException] = {}  # of a strategy that can be tried in two ways, that of the last one
    for strategy in strategies:
        try:
            kinds = _tried(loaded, strategy, inputs, plain)
            bound = strategy.bound(loaded.model)
            prepared = _with_side_outputs(PreparedModel(loaded, bound, kinds), inputs)
            return replace(prepared, shares=can_share(prepared))
        except GalleryError:  # ours says what is wrong with the model, whatever the strategy
            raise
        except MODEL_FAULTS as error:
            raise_trouble(error)
            faults[strategy.name] = error
    missed = [fault for fault in faults.values() if isinstance(fault, OSError)]
    if faults and len(missed) == len(faults):  # it is its code that fails, and not how its attention is taken
        raise failed(loaded.resolved, missed[0], loaded.model) from missed[0]
    raise _not_captured(loaded, faults)


def _with_side_outputs(prepared: PreparedModel, inputs: Mapping[str, Any]) -> PreparedModel:
    """The model with what it can tell beside the weights; what fails on trial is not told."""
    loaded, extended = prepared.loaded, prepared
    try:
        with side_output("norms"):
            factors = find_factors(loaded.model, prepared.strategy, inputs, loaded.dtype)
            extended = replace(extended, factors=factors)
    except SideOutputError as error:
        extended = extended.without(error)
    try:
        with side_output("predictions"):
            return replace(extended, predictor=find_predictor(loaded, inputs))
    except SideOutputError as error:
        return extended.without(error)


@contextmanager
def side_output(output: SideOutput) -> Iterator[None]:
    """Raise `SideOutputError` where working out something beside the weights fails.

    What is wrong with the memory, or the disk, concerns the weights as well, and keeps its meaning.
    """
    try:
        yield
    except GalleryError:
        raise
    except MODEL_FAULTS as error:  # whatever it is: captures can do without
        if lacks_memory(error) or is_system_trouble(error):
            raise
        raise SideOutputError(output, error) from error


def _tried(
    loaded: LoadedModel, strategy: Strategy, inputs: Mapping[str, Any], plain: torch.Tensor
) -> dict[str, str]:
    """The kind of attention of every place that attends. Raises what the strategy or a check finds wrong."""
    sinks = {
        kind: LayerSink(facts, _EXTENT[kind], lambda layer: None) for kind, facts in loaded.parts.items()
    }
    kinds: dict[str, str] = {}

    def receive(name: str, weights: torch.Tensor, first: int = 0) -> None:
        kind = _kind_of(loaded, weights)
        if kinds.setdefault(name, kind) != kind:
            raise InexactAttentionError(f"{name} gives two kinds of attention")
        sinks[kind](weights[0], first)

    with quiet_libraries(), torch.inference_mode():
        states = strategy.on_trial().run(loaded.model, inputs, receive)
    for kind, sink in sinks.items():
        try:
            sink.finish()
        except InexactAttentionError as error:
            raise InexactAttentionError(str(error) if kind == "self" else f"{kind}: {error}") from error
    if loaded.dtype == "float32":  # in other formats our softmax is more exact than the model's own
        _check_same(states, plain)
    return kinds


def _kind_of(loaded: LoadedModel, weights: torch.Tensor) -> str:
    shape = tuple(weights.shape)
    for kind in loaded.parts:
        if len(shape) == 4 and shape[0] == 1 and shape[2:] == _EXTENT[kind]:
            return kind
    expected = " or ".join(str((1, facts.heads, *_EXTENT[kind])) for kind, facts in loaded.parts.items())
    raise _OtherShapeError(f"attention of the shape {shape} came instead of {expected}", len(shape))


def _check_same(states: torch.Tensor, plain: torch.Tensor) -> None:
    difference = float((states - plain).abs().max() / plain.abs().max().clamp(min=1e-30))
    if not difference <= _SAME:
        raise InexactAttentionError(f"the model computes something else with it (off by {difference:.2g})")


def _not_captured(loaded: LoadedModel, faults: Mapping[str, BaseException]) -> ModelError:
    reasons = {name: str(fault) or type(fault).__name__ for name, fault in faults.items()}
    summary = _summed_up(reasons)
    if any(name.rpartition(".")[2] in _SINKS for name, _ in loaded.model.named_parameters()):
        summary = "part of it goes to sinks outside the sentence, so that its rows do not sum to 1"
    elif loaded.dtype != "float32" and reasons and all("miss 1" in why for why in [*reasons.values()][1:]):
        summary += f"; its own softmax is rounded to {loaded.dtype}, so try `dtype: float32`"
    elif known := no_attention(loaded.model) or _in_words([*faults.values()]):
        summary = f"{known} ({summary})"
    named = f'the attention of "{loaded.resolved.source}" ({loaded.facts.architecture})'
    reason = f"{named} cannot be captured: {summary}"
    return loaded.resolved.error(reason, mend(loaded.model, loaded.resolved))


def _in_words(faults: Sequence[BaseException]) -> str:
    """What kind of attention gave none of the strategies what is needed, "" where that is not known."""
    shapes = [fault.axes for fault in faults if isinstance(fault, _OtherShapeError)]
    if any(axes >= 4 for axes in shapes):
        attends = "it attends within windows or blocks, or to a shortened text"
        return f"it does not weigh every token against every token: {attends}"
    if shapes or any("miss 1" in str(fault) for fault in faults):
        return "what it computes are not shares of attention that each token gives to the others"
    if any("0 layers gave" in str(fault) for fault in faults):
        return "it computes its attention in a way of its own, without a weight for every two tokens"
    return ""


def _summed_up(reasons: Mapping[str, str]) -> str:
    """Why each strategy failed; what is true of several is said once."""
    failing = {
        reason: [name for name, why in reasons.items() if why == reason] for reason in reasons.values()
    }
    if len(failing) == 1:
        return next(iter(failing))
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in failing.items())
