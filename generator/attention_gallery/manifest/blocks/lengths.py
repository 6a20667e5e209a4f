"""The length sweep: prefixes of one text, on which heads are measured to see what length does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from attention_gallery.errors import did_you_mean
from attention_gallery.manifest.findings import Finding
from attention_gallery.manifest.settings import CollectedSentence, GallerySettings, SentenceSpec
from attention_gallery.texts.words import text_words

LEAST_PREFIXES, MOST_PREFIXES = 2, 12


@dataclass(frozen=True, slots=True)
class LengthSweep:
    """Prefixes of one text, the shortest first; the last may be all of it.

    `sentence` is the slug of the sentence whose text it is, None for a text of its own. `truncate` is that
    of the sentence.
    """

    prefixes: tuple[str, ...]
    sentence: str | None
    truncate: bool


def length_sweep_of(settings: GallerySettings) -> LengthSweep | None:
    """The length sweep that the settings ask for, None where they ask for none or its sentence is gone."""
    lengths = settings.lengths
    if lengths is None:
        return None
    if lengths.text is not None:
        return LengthSweep(_prefixes(lengths.text, lengths.words), None, False)
    chosen = _chosen(settings)
    if chosen is None:
        return None
    return LengthSweep(_prefixes(chosen.text, lengths.words), chosen.slug, chosen.truncate)


def check_lengths(settings: GallerySettings, named: bool = True) -> Iterator[Finding]:
    """Reason, mend and place of what is wrong with the length sweep.

    Where the sentences are not all `named`, as some slug is wrong, the one that is asked for may be there.
    """
    lengths = settings.lengths
    if lengths is None:
        return
    if not LEAST_PREFIXES <= len(lengths.words) <= MOST_PREFIXES:
        mend = f"write {LEAST_PREFIXES} to {MOST_PREFIXES} numbers: `[8, 16, 32]`"
        reason = f"`words` has {len(lengths.words)} {'number' if len(lengths.words) == 1 else 'numbers'}"
        yield reason, mend, ("lengths", "words")
        return
    if any(first >= second for first, second in zip(lengths.words, lengths.words[1:], strict=False)):
        mend = "write ascending numbers, each once: `[8, 16, 32]`"
        yield "the numbers of words do not ascend", mend, ("lengths", "words")
        return
    if lengths.text is not None and lengths.sentence is not None:
        yield "`lengths` has both a sentence and a text", "remove one of them", ("lengths", "text")
        return
    if lengths.sentence is not None and not named:
        return
    if lengths.sentence is not None and (wrong := _wrong_sentence(settings, lengths.sentence)) is not None:
        yield (*wrong, ("lengths", "sentence"))
        return
    sweep = length_sweep_of(settings)
    if sweep is None:
        mend = "name a `sentence`, or write a `text`"
        yield "no sentence of the manifest can be read at several lengths", mend, ("lengths",)
    elif len(sweep.prefixes) < LEAST_PREFIXES:
        mend = "choose a longer text, or smaller numbers of `words`"
        yield (
            f"the text has {_count(sweep.prefixes[-1])}, too few for two lengths",
            mend,
            ("lengths", "words"),
        )


def _wrong_sentence(settings: GallerySettings, slug: str) -> tuple[str, str] | None:
    own = {
        sentence.slug: sentence
        for sentence in settings.sentences
        if not isinstance(sentence, CollectedSentence)
    }
    if slug not in own:
        return f'the manifest has no sentence "{slug}" of its own', did_you_mean(slug, own)
    if own[slug].chat or own[slug].pair is not None:
        return f'the sentence "{slug}" is more than one text', "name another, or write a `text`"
    if not _published(settings, own[slug]):
        return f'the sentence "{slug}" is a draft', "name one that is published, or write a `text`"
    return None


def _chosen(settings: GallerySettings) -> SentenceSpec | None:
    """The sentence that is named, or the longest of those that are plain texts."""
    slug = None if settings.lengths is None else settings.lengths.sentence
    candidates = [
        sentence
        for sentence in settings.sentences
        if not isinstance(sentence, CollectedSentence)
        and not (sentence.chat or sentence.pair)
        and _published(settings, sentence)
        and slug in (None, sentence.slug)
    ]
    return max(candidates, key=lambda sentence: len(text_words(sentence.text)), default=None)


def _published(settings: GallerySettings, sentence: SentenceSpec) -> bool:
    """Whether a build without drafts has it: the sweep is the same with drafts and without."""
    return not sentence.draft and any(
        sentence.read_by(model.slug) for model in settings.models if not model.draft
    )


def _prefixes(text: str, words: tuple[int, ...]) -> tuple[str, ...]:
    """The text up to the end of its n-th word for each n; once, as a whole, where it is no longer."""
    spans = text_words(text)
    inside = [text[: spans[count - 1][1]] for count in words if count < len(spans)]
    return (*inside, text) if len(inside) < len(words) else tuple(inside)


def _count(text: str) -> str:
    words = len(text_words(text))
    return "1 word" if words == 1 else f"{words} words"
