"""What models did not read of their sentences: a warning, and refused where something points there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from attention_gallery.build.plan.attention_kinds import ShownModel
from attention_gallery.build.plan.captures import Captures
from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.blocks.word_spans import occurrences, span_of
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.manifest.settings import CollectedSentence, ParsedRelation, SentenceSpec
from attention_gallery.pages.sections.model_inputs import dropped, quoted_spans
from attention_gallery.records import Tokens
from attention_gallery.texts.words import Span

Reading = tuple[ShownModel, int, Tokens]


def _readings(
    sentences: Sequence[SentenceSpec], captures: Captures, tokens_of: Callable[[str], Tokens]
) -> Iterator[Reading]:
    """What models were given of the sentences that have pages, and of chats, as far as these are captured:
    the model, the index of the sentence, and the tokens.
    """
    for model in captures.shown:
        for index, sentence in enumerate(sentences):
            key = captures.keys.get((model.spec.slug, sentence.slug))
            if key is not None and (sentence.pages or sentence.chat) and model.kind != "decoder":
                yield model, index, tokens_of(key)


def unread_warnings(manifest: Manifest, captures: Captures, tokens_of: Callable[[str], Tokens]) -> list[str]:
    """A warning for each model that was not given all of a sentence.

    `tokens_of` gives the tokens that a capture looks at, by its key. What `truncate` cuts off stands on pages
    alone, unless a focus or relation is there.

    Raises `ManifestError` for a focus or a relation in what a chat template or tokenizer drops.
    """
    warnings, problems = [], []
    for model, index, tokens in _readings(manifest.settings.sentences, captures, tokens_of):
        if not tokens.unread:
            continue
        sentence, spans = manifest.settings.sentences[index], dropped(tokens)
        if spans:
            quoted = quoted_spans(sentence.joined, spans)
            warnings.append(
                f'the model "{model.spec.slug}" does not read all of "{sentence.slug}": '
                f"{_reason(sentence)} {quoted}"
            )
        for path, annotation, positions in _annotations(sentence):
            if all(_overlaps(span, spans) for span in positions):
                problems.append(_refused(manifest, (model, index), path, annotation))
            elif all(_overlaps(span, tokens.unread) for span in positions):
                warnings.append(
                    f'the model "{model.spec.slug}" does not read {annotation} of "{sentence.slug}": '
                    "it is cut off, because the text is too long"
                )
    if problems:
        raise ManifestError(problems)
    return warnings


def _annotations(sentence: SentenceSpec) -> Iterator[tuple[tuple[str | int, ...], str, list[Span]]]:
    """What an author says of words: its keys in the manifest, how it is called, and where it may stand."""
    text = sentence.joined
    if sentence.focus is not None:
        yield ("focus",), f'the focus "{sentence.focus}"', list(occurrences(text, sentence.focus))
    if isinstance(sentence, CollectedSentence):
        return
    for number, relation in enumerate(sentence.relations):
        if isinstance(relation, ParsedRelation):
            continue
        for name, side in (("from", relation.from_), ("to", relation.to)):
            span = span_of(side, text)
            yield ("relations", number, name), f'"{text[slice(*span)]}"', [span]


def _overlaps(span: Span, unread: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in unread)


def _reason(sentence: SentenceSpec) -> str:
    return "its chat template leaves out or changes" if sentence.chat else "its tokenizer has no token for"


def _refused(
    manifest: Manifest, reading: tuple[ShownModel, int], path: tuple[str | int, ...], annotation: str
) -> Problem:
    model, index = reading
    why = _reason(manifest.settings.sentences[index])
    reason = f'{annotation} is not read by the model "{model.spec.slug}": {why} it'
    mend = "choose what it reads, or let only other models read the sentence: `models: […]`"
    return manifest.problem(reason, mend, "sentences", index, *path)
