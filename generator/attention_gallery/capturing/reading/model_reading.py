"""What a model reads of a sentence: its tokens, and what its decoder is given or goes on to write."""

from __future__ import annotations

from dataclasses import dataclass

from attention_gallery.capturing.reading.continuing import continue_prompt, given_target, written_target
from attention_gallery.capturing.reading.limits import UnboundedError
from attention_gallery.capturing.reading.tokenise import tokenise
from attention_gallery.errors import ModelError
from attention_gallery.models.loading.load_model import LoadedModel
from attention_gallery.models.sources.resolved import ProblemMaker
from attention_gallery.records import ModelFacts, TextInput, Tokens

# How much an encoder-decoder without a target writes at most, in tokens.
DEFAULT_CONTINUATION = 32


@dataclass(frozen=True, slots=True, eq=False)
class ModelInput:
    """One sentence as a model reads it.

    `tokens` are what the model, or its encoder, reads of `text`; for a model that goes on by itself they
    take in what it wrote. `target` is what the decoder of an encoder-decoder reads of `target_text`.
    """

    text: str
    tokens: Tokens
    target_text: str = ""
    target: Tokens | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """How many tokens the model reads, and how many its decoder, where that reads others."""
        return (len(self.tokens),) if self.target is None else (len(self.tokens), len(self.target))

    def queries(self, kind: str) -> Tokens:
        """The tokens that look."""
        return self.target if self.target is not None and kind in ("decoder", "cross") else self.tokens

    def keys(self, kind: str) -> Tokens:
        """The tokens that are looked at."""
        return self.target if self.target is not None and kind == "decoder" else self.tokens

    def size(self, kind: str) -> tuple[int, int]:
        """How many tokens look, and at how many."""
        return len(self.queries(kind)), len(self.keys(kind))

    def text_of(self, kind: str) -> str:
        """The text that the queries are tokens of."""
        return self.target_text if kind in ("decoder", "cross") else self.text


def read_input(loaded: LoadedModel, text_input: TextInput, model: str, problem: ProblemMaker) -> ModelInput:
    """What a model reads of `text_input`; `model` is the model's name for people.

    A continuation is written here, greedily, and costs a pass through the model for each of its tokens.
    Raises `ModelError` when the text cannot be read (see `read_tokens`) or asks for what the model cannot do.
    """
    try:
        return _read_input(loaded, text_input, model, problem)
    except UnboundedError as error:
        raise _placed(error, model, problem) from error


def _read_input(loaded: LoadedModel, text_input: TextInput, model: str, problem: ProblemMaker) -> ModelInput:
    tokens = read_tokens(loaded, text_input, model, problem)
    if loaded.is_encoder_decoder:
        return _with_target(loaded, text_input, tokens, model, problem)
    if text_input.target is not None:
        reason = f'a target was given, but the model "{model}" has no decoder that reads one'
        mend = "leave out `target`, or let only encoder-decoders (T5, BART) read it: `models: […]`"
        raise ModelError(problem(reason, mend))
    if not text_input.generate:
        return ModelInput(text_input.joined, tokens)
    if loaded.writer is None:
        reason = f'the model "{model}" cannot continue a text: {loaded.mute}'
        mend = "leave out `generate`, or let only decoders (GPT, Llama) read it: `models: […]`"
        raise ModelError(problem(reason, mend))
    context = loaded.facts.context
    limit = text_input.generate if context is None else min(text_input.generate, context - len(tokens))
    # What is written after a chat is another message, on a line of its own.
    prompt = text_input.joined + ("\n" if text_input.chat else "")
    tokens, text = continue_prompt(loaded, prompt, tokens, limit)
    return ModelInput(text, tokens)


def _with_target(
    loaded: LoadedModel, text_input: TextInput, tokens: Tokens, model: str, problem: ProblemMaker
) -> ModelInput:
    facts = loaded.parts["decoder"]
    if text_input.target is not None:
        if text_input.generate:
            reason = "the decoder cannot both read a given target and write one by itself"
            raise ModelError(problem(reason, "leave out either `target` or `generate`"))
        _check_text(text_input.target, problem)
        target = given_target(loaded, text_input.target)
        _check_fit(target, facts, (model, "target", "shorten the target"), problem)
        return ModelInput(text_input.joined, tokens, text_input.target, target)
    if loaded.writer is None:
        reason = f'the model "{model}" cannot write what its decoder should read: {loaded.mute}'
        raise ModelError(problem(reason, "give its decoder a text: `target: …`"))
    # The first token is the one with which decoders begin.
    limit = text_input.generate or DEFAULT_CONTINUATION
    target, text = written_target(loaded, tokens, min(limit, (facts.context or limit + 1) - 1))
    return ModelInput(text_input.joined, tokens, text, target)


def read_tokens(loaded: LoadedModel, text_input: TextInput, model: str, problem: ProblemMaker) -> Tokens:
    """The tokens of what a model is given; `model` is the model's name for people.

    A text that is to be truncated leaves room for what the model may add. Raises `ModelError` when the text
    is not valid Unicode, has no tokens of its own, or has more than the model can read although it is not to
    be truncated, and for a chat that the model has no template for.
    """
    _check_text(text_input.joined, problem)
    context = loaded.facts.context
    added = 0 if loaded.is_encoder_decoder else text_input.generate
    try:
        tokens = tokenise(loaded.tokenizer, text_input, None if context is None else context - added)
    except ModelError as error:
        raise _placed(error, model, problem) from error
    if bool(tokens.special.all()):
        reason = f'the text has no tokens for the model "{model}"'
        raise ModelError(problem(reason, "write something that it can read"))
    mend = "shorten the text, split it into several sentences, or add `truncate: true`"
    _check_fit(tokens, loaded.facts, (model, "text", mend), problem)
    return tokens


def _placed(error: ModelError, model: str, problem: ProblemMaker) -> ModelError:
    named = f'the model "{model}" cannot read this'
    return ModelError(problem(f"{named}: {fault.reason}", fault.mend) for fault in error.problems)


def _check_text(text: str, problem: ProblemMaker) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        reason = f"the text has half of a surrogate pair (U+{code:04X}), which is not a character"
        raise ModelError(problem(reason, "write the character itself, or its full escape")) from error


def _check_fit(tokens: Tokens, facts: ModelFacts, names: tuple[str, str, str], problem: ProblemMaker) -> None:
    """`names` are the model's name, what was read, and what to do when it is too long."""
    model, what, mend = names
    if facts.context is not None and len(tokens) > facts.context:
        counted = f'the {what} has {len(tokens)} tokens for the model "{model}"'
        raise ModelError(problem(f"{counted}, which can read {facts.context}", mend))
    if int(tokens.ids.max()) >= facts.vocabulary:
        reason = f'the tokenizer of the model "{model}" makes tokens that the model does not know'
        raise ModelError(problem(reason, "check that tokenizer and weights belong together"))
