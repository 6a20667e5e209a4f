"""What a sentence must hold beyond the types of its fields: which texts go together, and its words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from attention_gallery.manifest.blocks.relations import absent, check_relations
from attention_gallery.manifest.blocks.word_spans import occurrences
from attention_gallery.manifest.findings import Finding, KeyPath, entries
from attention_gallery.texts.reading import joined_texts

_LANGUAGE = re.compile(
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(?:-[A-Za-z0-9]{1,8})*|x(?:-[A-Za-z0-9]{1,8})+"
)
# What decides how a template is run, or is given to it besides: arguments of `apply_chat_template`.
NO_CHAT_OPTIONS = frozenset(
    {"self", "conversation", "conversations", "messages", "tools", "documents", "chat_template"}
    | {"add_generation_prompt", "continue_final_message", "sanitize_control_tokens"}
    | {"tokenize", "tokenizer", "tokenizer_kwargs", "padding", "truncation", "max_length"}
    | {"return_tensors", "return_dict", "return_assistant_tokens_mask", "kwargs"}
)
# Two fields that cannot stand in one sentence: the one told of, the other, the reason, the mend.
_APART = (
    ("chat", "text", "a sentence is a `text` or a `chat`, not both", "keep one of them"),
    ("pair", "chat", "a chat has no `pair`", "add a message to the chat, or write `text` and `pair`"),
    (
        "target",
        "generate",
        "`target` gives the words that `generate` would let the model find",
        "keep one of them",
    ),
)
_EMPTY = {
    "text": "write the sentence that the models read",
    "pair": "write the second text, or remove the key",
    "target": "write what the decoder reads, or remove the key to let it continue by itself",
}


def check_sentences(sentences: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
    """Reason, mend and place of everything wrong with these (index, sentence).

    Wrong types, missing keys and texts without a single character are told of by validation.
    """
    for i, sentence in sentences:
        keys: KeyPath = ("sentences", i)
        yield from check_language(sentence.get("language"), (*keys, "language"))
        yield from check_title(sentence, keys)
        yield from _texts(sentence, keys)
        yield from _chat(sentence, keys)
        yield from _chat_options(sentence, keys)
        yield from _tags(sentence.get("tags"), (*keys, "tags"))
        text = _joined(sentence)
        if text.strip():
            yield from _words(sentence, text, keys)


def check_collections(sentences: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
    """Reason, mend and place of what is wrong with the language and tags of the collections among these."""
    for i, sentence in sentences:
        if "conllu" in sentence:
            yield from check_language(sentence.get("language"), ("sentences", i, "language"))
            yield from _tags(sentence.get("tags"), ("sentences", i, "tags"))


def _tags(tags: Any, keys: KeyPath) -> Iterator[Finding]:
    for n, tag in enumerate(entries(tags)):
        if isinstance(tag, str) and (not tag.strip() or tag in tags[:n]):
            reason = f'the tag "{tag}" stands here twice' if tag.strip() else "the tag is empty"
            yield reason, "remove it", (*keys, n)


def check_language(value: Any, keys: KeyPath) -> Iterator[Finding]:
    """A finding unless `value` has the form of a language tag."""
    if isinstance(value, str) and not _LANGUAGE.fullmatch(value):
        yield f'"{value}" is not a language tag', 'write a BCP 47 tag such as "en", "no" or "pt-BR"', keys


def check_title(item: dict[str, Any], keys: KeyPath) -> Iterator[Finding]:
    """A finding for a title of blanks."""
    title = item.get("title")
    if isinstance(title, str) and not title.strip():
        yield "the title is empty", "write a name, or remove the key", (*keys, "title")


def _texts(sentence: dict[str, Any], keys: KeyPath) -> Iterator[Finding]:
    """Which texts there are, and which cannot stand together."""
    if "text" not in sentence and "chat" not in sentence:
        mend = "add a line `text: …`, or a `chat:` of messages"
        yield f"item {int(keys[-1]) + 1} of `sentences` needs `text` or `chat`", mend, keys
    for key, mend in _EMPTY.items():
        text = sentence.get(key)
        if isinstance(text, str) and text and not text.strip():
            yield f"the {key} is empty", mend, (*keys, key)
    for key, other, reason, mend in _APART:
        if sentence.get(key) not in (None, 0) and sentence.get(other) not in (None, 0):
            yield reason, mend, (*keys, key)


def _chat(sentence: dict[str, Any], keys: KeyPath) -> Iterator[Finding]:
    messages = _messages(sentence)
    for n, message in messages:
        content = message.get("content")
        if isinstance(content, str) and content and not content.strip():
            yield "the content is empty", "write what is said", (*keys, "chat", n, "content")
    generate = sentence.get("generate")
    if isinstance(generate, int) and generate > 0 and messages:
        n, last = messages[-1]
        if last.get("role") == "assistant":
            reason = "the last message is the assistant's own: it leaves nothing to answer"
            yield reason, "end with a message of the user, or remove `generate`", (*keys, "chat", n, "role")


def _chat_options(sentence: dict[str, Any], keys: KeyPath) -> Iterator[Finding]:
    options = sentence.get("chat_options")
    if not isinstance(options, dict):
        return
    if options and "chat" not in sentence:
        yield "there is no chat for these options", "remove `chat_options`", (*keys, "chat_options")
    for name, value in options.items():
        if not isinstance(name, str):
            continue  # told of by validation
        if name in NO_CHAT_OPTIONS or not name.isidentifier():
            reason = f"`{name}` is not an option that a chat template can be given here"
            yield reason, "write the name of an option that the template has", (*keys, "chat_options", name)
        elif isinstance(value, float) and not math.isfinite(value):
            yield f"`{name}` is not a finite number", "write a number", (*keys, "chat_options", name)


def _messages(sentence: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    chat = enumerate(entries(sentence.get("chat")))
    return [(n, message) for n, message in chat if isinstance(message, dict)]


def _joined(sentence: dict[str, Any]) -> str:
    """All that is given to read, also where it is not yet known to be a text with its pair, or a chat."""
    texts = [sentence.get("text"), sentence.get("pair")]
    texts += [message.get("content") for _, message in _messages(sentence)]
    return joined_texts([text for text in texts if isinstance(text, str)])


def _words(sentence: dict[str, Any], text: str, keys: KeyPath) -> Iterator[Finding]:
    focus = sentence.get("focus")
    if isinstance(focus, str) and not occurrences(text, focus.strip() and focus):
        yield absent(focus, text, (*keys, "focus"))
    yield from check_relations(sentence.get("relations"), text, (*keys, "relations"))
