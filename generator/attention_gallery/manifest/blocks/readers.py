"""Which models read which sentences, and what can be wrong with what the manifest says of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from attention_gallery.errors import did_you_mean
from attention_gallery.manifest.findings import Finding, entries
from attention_gallery.manifest.slugs import slugs_of

_Items = Sequence[tuple[int, dict[str, Any]]]


def check_readers(models: _Items, sentences: _Items) -> Iterator[Finding]:
    """Reason, mend and place of what is wrong with the `models` of sentences, given as (index, item).

    Values of a wrong type, and models that have a wrong slug, are told of elsewhere.
    """
    known = slugs_of({"models": tuple(model for _, model in models)}, "models")
    # A model that nobody names may be the one that was meant by a wrong name.
    wrong = list(_wrong(known, sentences))
    yield from wrong or _unread(models, sentences, known is not None)


def _wrong(known: Collection[str] | None, sentences: _Items) -> Iterator[Finding]:
    for i, sentence in sentences:
        chosen: Any = sentence.get("models")
        if chosen == ():
            mend = "name a model, or remove the key: then all models read it"
            yield "`models` names no model", mend, ("sentences", i, "models")
        for n, slug in enumerate(entries(chosen)):
            keys = ("sentences", i, "models", n)
            if isinstance(slug, str) and slug in chosen[:n]:
                yield f'the model "{slug}" stands here twice', "remove it", keys
            elif isinstance(slug, str) and known is not None and slug not in known:
                yield f'the gallery has no model "{slug}"', did_you_mean(slug, known), keys


def _unread(models: _Items, sentences: _Items, named: bool) -> Iterator[Finding]:
    paged = [sentence for _, sentence in sentences if sentence.get("pages") is not False]
    if sentences and not paged:
        yield "no sentence has pages", "remove `pages: false` from one of them", ("sentences",)
    chosen: list[Any] = [sentence.get("models") for sentence in paged]
    if not named or not chosen or not all(isinstance(names, tuple) for names in chosen):
        return  # a sentence that names no model is read by all
    for i, model in models:
        slug = model.get("slug")
        if isinstance(slug, str) and not any(slug in names for names in chosen):
            mend = "add it to the `models` of a sentence, or remove it"
            what = "sentence" if len(paged) == len(sentences) else "sentence with pages"
            yield f'no {what} is read by the model "{slug}"', mend, ("models", i)
