"""What a model's files make of a text, held to limits: chat templates and tokenizers are strangers' programs.

Most can be seen to be harmless, and are run as they are. The others are tried out first, each in a process of
its own under limits of time and memory (`workers.Limits`), which is kept beside the tokenizer that it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from attention_gallery.errors import ModelError
from attention_gallery.workers import LimitedProcess, Limits, LimitsExceededError, TaskFailedError
from attention_gallery.workers.chat import cannot_grow
from attention_gallery.workers.tokenizers import growth

# In characters: a chat, and what a tokenizer may make of a text, that need not be tried out first.
_SHORT_CHAT = 20_000
_LONGEST_MADE = 4_000_000
_LIMITS = Limits()
_RENDERER, _TRYER = "attention_gallery.workers.chat:renderer", "attention_gallery.workers.tokenizers:tryer"
_MEND = "its files ask for what no text needs: use another model, or mend them"


class UnboundedError(ModelError):
    """What a model's files make of a text goes beyond the limits; without the model's name and a place."""


Made = TypeVar("Made")


def apply_template(tokenizer: Any, messages: Sequence[dict[str, Any]], **options: Any) -> str:
    """A chat as the tokenizer's template writes it: `tokenizer.apply_chat_template` without tokens.

    Raises `UnboundedError` when the template goes beyond the limits, `TaskFailedError` or any other exception
    when it refuses the messages.
    """
    template = _own_template(tokenizer)
    short = sum(len(str(message)) for message in messages) <= _SHORT_CHAT
    if template is None or (
        short and _remembered(tokenizer, "harmless", template, lambda: cannot_grow(template))
    ):
        return str(tokenizer.apply_chat_template(list(messages), tokenize=False, **options))
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    setting = {"template": template, "special": special}
    process = _remembered(
        tokenizer, "process", template, lambda: LimitedProcess(_RENDERER, _LIMITS, **setting)
    )
    try:
        return str(process.ask(messages=list(messages), options=options))
    except LimitsExceededError as error:
        raise UnboundedError(f"its chat template goes on and on: {error}", _MEND) from error


def check_tokens(tokenizer: Any, text: str, pair: str | None = None) -> None:
    """Check that a tokenizer makes no more of a text than can be held. Raises `UnboundedError`."""
    _check(tokenizer, len(text) + len(pair or ""), text=text, pair=pair)


def check_decoding(tokenizer: Any, ids: Sequence[int]) -> None:
    """Check that a tokenizer makes no more of these tokens than can be held. Raises `UnboundedError`."""
    _check(tokenizer, 16 * len(ids), ids=[int(number) for number in ids])


def _check(tokenizer: Any, length: int, **question: Any) -> None:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return
    if _remembered(tokenizer, "growth", "", lambda: growth(backend)) * length <= _LONGEST_MADE:
        return
    process = _remembered(
        tokenizer, "process", "", lambda: LimitedProcess(_TRYER, _LIMITS, tokenizer=backend.to_str())
    )
    try:
        process.ask(**question)
    except LimitsExceededError as error:
        raise UnboundedError(f"its tokenizer goes on and on: {error}", _MEND) from error
    except TaskFailedError as error:
        reason = f"its tokenizer fails ({' '.join(str(error).split())[:300]})"
        raise UnboundedError(reason, "check that its files are whole, and made for this version") from error


def _own_template(tokenizer: Any) -> str | None:
    """The template that transformers itself would apply; None for a tokenizer that has a way of its own."""
    from transformers import PreTrainedTokenizerBase

    plain = isinstance(tokenizer, PreTrainedTokenizerBase)
    if not plain or type(tokenizer).apply_chat_template is not PreTrainedTokenizerBase.apply_chat_template:
        return None
    return str(tokenizer.get_chat_template())


def _remembered(tokenizer: Any, what: str, of: str, make: Callable[[], Made]) -> Made:
    """What was made for a tokenizer, of its template or itself, which lives as long as the tokenizer does."""
    known: dict[tuple[str, str], Made] = vars(tokenizer).setdefault("_within_limits", {})
    if (what, of) not in known:
        known[what, of] = make()
    return known[what, of]
