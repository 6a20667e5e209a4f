"""Load a model so that its attention can be captured: eager, evaluating, nothing missing, no code unasked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
)

from attention_gallery.errors import GalleryError, ModelError
from attention_gallery.files import is_system_trouble
from attention_gallery.models.inspecting.facts import read_facts
from attention_gallery.models.inspecting.quantised import (
    Weights,
    architecture_of,
    is_packed,
    nested_settings,
    quantisation,
    rounding,
)
from attention_gallery.models.inspecting.suited import check_reads_texts
from attention_gallery.models.loading.gguf_once import gguf_read_once
from attention_gallery.models.loading.not_loaded import cannot_load
from attention_gallery.models.loading.placement import BEST, Placement, running_on
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.models.on_disk.weight_files import count_tensors, inspect_model
from attention_gallery.models.sources.resolved import ResolvedModel
from attention_gallery.records import ModelFacts

# What a configuration counts that is built one by one; so many are built in no time.
_REPEATED = re.compile(r"(layers?|blocks|experts|depth)$")
_FEW = 1000
# Experts of a layer may lie in one tensor, and there are models with tens of thousands of small ones.
_MANY_EXPERTS = 1_000_000
_BARE = "its files hold no language-modelling head"
_NO_CLASS = "transformers knows no language-modelling head for it"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model and its tokenizer, ready to run in inference mode.

    `model` is what is captured: the model without its language-modelling head where the two can be parted.
    `threads` is how many threads of the processor it runs on. `writer` is the same model with that head, with
    which it can continue a text; where there is none, `mute` says why not. `head` is the same for predicting,
    of masked models, too, and `headless` says why there is none. `parts` are the facts of each kind of
    attention: "self", or "encoder", "decoder" and "cross".
    """

    model: Any
    tokenizer: Any
    parts: Mapping[str, ModelFacts]
    resolved: ResolvedModel
    dtype: str
    writer: Any = None
    mute: str = "it was loaded without its language-modelling head"
    head: Any = None
    headless: str = "it was loaded without its language-modelling head"
    threads: int = BEST.threads

    @property
    def facts(self) -> ModelFacts:
        """The facts of the part that reads the text."""
        return next(iter(self.parts.values()))

    @property
    def is_encoder_decoder(self) -> bool:
        """Whether one reading gives three kinds of attention."""
        return "cross" in self.parts

    @property
    def remote_code(self) -> bool:
        """Whether other code than that of transformers was run for its attention or its tokens."""
        classes = (type(self.model), type(self.model.config), type(self.tokenizer))
        return any(used_class.__module__.partition(".")[0] != "transformers" for used_class in classes)


def load(
    resolved: ResolvedModel,
    dtype: str = "float32",
    continues: bool = False,
    placement: Placement = BEST,
    predicts: bool = False,
) -> LoadedModel:
    """Load a model; `continues` asks for the head with which it can continue a text, if it has one.

    `predicts` asks for the head with which its files say that it was saved, causal or masked: a head that is
    not among the weights would be random and is never used. Encoder-decoders always bring theirs.
    Raises `ModelError` when the libraries cannot load it, when it needs code of its own, or when weights are
    missing (they would be random numbers).
    """
    try:
        read_once = gguf_read_once() if resolved.gguf_file else nullcontext()
        with running_on(placement.threads), quiet_libraries(), read_once:
            return _load(resolved, dtype, (continues, predicts), placement)
    except (GalleryError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a model's files are untrusted, and the libraries raise almost anything
        if is_system_trouble(error):
            raise
        raise cannot_load(resolved, error) from error


def _load(
    resolved: ResolvedModel, dtype: str, purposes: tuple[bool, bool], placement: Placement
) -> LoadedModel:
    if problems := inspect_model(resolved):
        raise ModelError(problems)
    where = str(resolved.folder)
    common: dict[str, Any] = {"local_files_only": True, "trust_remote_code": resolved.trusted}
    if resolved.gguf_file is not None:
        common["gguf_file"] = resolved.gguf_file
    elif not resolved.trusted:
        _refuse_own_code(resolved)
    config = AutoConfig.from_pretrained(where, **common)
    check_reads_texts(config, resolved.source, resolved.problem)
    _refuse_too_many_layers(config, resolved)
    quantised = quantisation(config, resolved)
    continues, predicts = purposes
    auto = _auto_class(config, continues, predicts)
    bare = auto is AutoModel
    full, report = auto.from_pretrained(
        where,
        config=config,
        dtype=DTYPES[dtype],
        attn_implementation="eager",
        use_safetensors=True,
        output_loading_info=True,
        device_map="auto" if placement.spread else None,
        **common,
    )
    gaps = _refuse_random_weights(resolved, set() if bare else _head_names(full), report)
    placement.place(full, resolved)
    tokenizer = AutoTokenizer.from_pretrained(where, **common)
    _check_longest(tokenizer, resolved)
    model = full.eval() if bare else full.eval().base_model
    parts = read_facts(model, tokenizer, resolved, _weights(full, bare, quantised, dtype))
    loaded = LoadedModel(model, tokenizer, parts, resolved, dtype, threads=placement.threads)
    if not bare:
        return _with_head(loaded, full, auto, gaps)
    loaded = replace(loaded, mute=_NO_CLASS) if continues else loaded
    return replace(loaded, headless=_BARE) if predicts else loaded


def _with_head(loaded: LoadedModel, full: Any, auto: Any, gaps: bool) -> LoadedModel:
    """The model with its language-modelling head, for whatever it is good for, unless it has `gaps`."""
    saved = _saved_with(full.config)
    if gaps:
        reason = "its weights have no language-modelling head"
        return replace(loaded, mute=reason, headless=reason if saved is auto else _BARE)
    reasons = (
        (loaded.is_encoder_decoder, "those of encoder-decoders are not captured"),
        # A head that only continues texts, tied to the embeddings of a bare model, was saved by nobody. What
        # is told of one text must not depend on whether another one is continued.
        (saved is AutoModel, _BARE),
        (full is loaded.model, "its language-modelling head cannot be asked by itself"),
        (
            (auto is AutoModelForMaskedLM) == loaded.facts.causal,
            "its language-modelling head is of another kind than its attention",
        ),
    )
    headless = next((reason for is_so, reason in reasons if is_so), "")
    loaded = replace(loaded, head=None if headless else full, headless=headless)
    if not any(facts.causal for facts in loaded.parts.values()):
        return replace(loaded, mute="it is not a causal model")
    return replace(loaded, writer=full)


def _auto_class(config: Any, continues: bool, predicts: bool) -> Any:
    if getattr(config, "is_encoder_decoder", False):
        return AutoModelForSeq2SeqLM
    saved = _saved_with(config) if continues or predicts else AutoModel
    if saved is AutoModel and continues and type(config) in MODEL_FOR_CAUSAL_LM_MAPPING:
        return AutoModelForCausalLM
    return saved


def _saved_with(config: Any) -> Any:
    """The class whose head was saved with a model, by the name in its configuration.

    GGUF files name none; they hold whole decoders. Any other file without a name holds a bare model.
    """
    named = config.architectures or ()
    for mapping, auto in (
        (MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM),
        (MODEL_FOR_MASKED_LM_MAPPING, AutoModelForMaskedLM),
    ):
        listed = mapping.get(type(config), ())
        classes = listed if isinstance(listed, tuple | list) else (listed,)
        if any(getattr(head_class, "__name__", "") in named for head_class in classes):
            return auto
    gguf = not named and type(config) in MODEL_FOR_CAUSAL_LM_MAPPING
    return AutoModelForCausalLM if gguf else AutoModel


def _weights(full: Any, bare: bool, quantised: str, dtype: str) -> Weights:
    """What there is to say of the weights of a model that may have a language-modelling head."""
    packed = is_packed(full)
    whole = architecture_of(full) if packed else full
    head = set() if bare else _head_names(whole)
    parameters = sum(parameter.numel() for name, parameter in whole.named_parameters() if name not in head)
    if quantised and not packed:
        quantised += f", unpacked to {dtype}"
    return Weights(parameters, quantised, rounding(dtype, packed))


def _head_names(full: Any) -> set[str]:
    """The parameters of the language-modelling head, on which attention does not depend."""
    body = {id(parameter) for parameter in full.base_model.parameters()}
    head = full.get_output_embeddings() if full.base_model is full else None
    if head is not None and head.weight is not full.get_input_embeddings().weight:
        body -= {id(parameter) for parameter in head.parameters()}
    # A parameter that two names share is reported missing by either.
    named = full.named_parameters(remove_duplicate=False)
    return {name for name, parameter in named if id(parameter) not in body}


def _refuse_own_code(resolved: ResolvedModel) -> None:
    from transformers import PreTrainedConfig

    assert resolved.config is not None
    raw, _ = PreTrainedConfig.get_config_dict(str(resolved.folder), local_files_only=True)
    kind = raw.get("model_type")
    if raw.get("auto_map") and kind not in CONFIG_MAPPING:
        mend = (
            "choose a model that transformers knows by itself, or, if you trust its authors with this "
            "machine, write `trust_remote_code: true` beside its source"
        )
        raise resolved.error(f'"{resolved.source}" brings its own code ({kind}), which is not run', mend)


def _refuse_too_many_layers(config: Any, resolved: ResolvedModel) -> None:
    """Refuse a configuration with more layers than weights could fill; building them would never end."""
    named = [
        (number, name)
        for settings in nested_settings(config.to_dict())
        for name, number in settings.items()
        if isinstance(number, int)
        and _REPEATED.search(str(name))
        and number > (_MANY_EXPERTS if str(name).endswith("experts") else _FEW)
    ]
    if not named:
        return
    number, name = max(named, key=lambda pair: pair[0])
    if number > (tensors := count_tensors(resolved)):
        reason = f'the configuration of "{resolved.source}" asks for {number} `{name}`, '
        reason += f"but its weights are {tensors} tensors"
        raise resolved.error(reason, "check that config.json belongs to these weights")


def _check_longest(tokenizer: Any, resolved: ResolvedModel) -> None:
    """Refuse a tokenizer whose longest text is no number: it fails at every text, and does not say why."""
    longest = getattr(tokenizer, "model_max_length", None)
    if longest is not None and not isinstance(longest, int | float):
        named = f'the tokenizer of "{resolved.source}" has `model_max_length: {longest!r}`'
        mend = "write into tokenizer_config.json how many tokens the model can read, or remove the line"
        raise resolved.error(f"{named}, which is no number", mend)


def _refuse_random_weights(resolved: ResolvedModel, head: set[str], report: dict[str, Any]) -> bool:
    """Refuse weights with gaps outside the head; whether there are some in it."""
    # A pooler sits above the last layer, so attention does not depend on it; many checkpoints lack one.
    gaps = [name for name in report.get("missing_keys", ()) if "pooler" not in name]
    missing = sorted(name for name in gaps if name not in head)
    wrong = sorted(str(entry[0]) for entry in report.get("mismatched_keys", ()))
    if missing or wrong:
        what = "lack {} parameters" if missing else "have {} parameters of another shape"
        first, number = (missing or wrong)[0], len(missing or wrong)
        reason = f'the weights of "{resolved.source}" {what.format(number)} of its architecture: {first}, …'
        raise resolved.error(reason, "check that config.json belongs to these weights")
    return bool(gaps)
