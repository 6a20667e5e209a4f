"""Contrasts of a manifest: what each compares, the names it goes by, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from attention_gallery.errors import did_you_mean
from attention_gallery.manifest.blocks.sentences import check_title
from attention_gallery.manifest.findings import Finding, KeyPath, entries
from attention_gallery.manifest.settings import ContrastSpec
from attention_gallery.manifest.slugs import parse_head, possible_slugs, slugs_of

_FORMS = (
    "write `models: [a, b]` and `sentence`, or `model` and `sentences: [a, b]`, or `model` and "
    "`heads: [L3H1, L5H11]` with or without a `sentence`"
)
_LISTS = ("models", "sentences", "heads")
# What stands beside each list, and what need not.
_BESIDE = {"models": ({"sentence"}, {"sentence"}), "sentences": ({"model"}, {"model"})}
_BESIDE["heads"] = ({"model"}, {"model", "sentence"})


def contrast_title(item: Mapping[str, Any], models: Mapping[str, str], sentences: Mapping[str, str]) -> str:
    """What a contrast without a title is called; `models` and `sentences` are titles by slug."""
    named_models = _titles(item, "model", models)
    named_sentences = [f"“{title}”" for title in _titles(item, "sentence", sentences)]
    heads = item.get("heads")
    if isinstance(heads, tuple) and heads:
        on = f" on {named_sentences[0]}" if named_sentences else ""
        return f"{_joined(map(str, heads))} of {_joined(named_models)}{on}"
    if len(named_models) > 1:
        return f"{_joined(named_models)} on {_joined(named_sentences)}"
    return f"{_joined(named_sentences)} in {_joined(named_models)}"


def contrast_basis(item: Mapping[str, Any]) -> str:
    """The key that a title is made from."""
    return next((name for name in _LISTS if name in item), "model")


def _titles(item: Mapping[str, Any], name: str, titles: Mapping[str, str]) -> list[str]:
    slugs = [*entries(item.get(f"{name}s")), item.get(name)]
    return [titles.get(slug, slug) for slug in slugs if isinstance(slug, str)]


def _joined(names: Iterable[str]) -> str:
    return " and ".join(names) or "?"


def check_forms(contrasts: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
    """Reason, mend and place of every contrast, given as (index, item), that is of no known form.

    Values of a wrong type are told of by validation.
    """
    for i, item in contrasts:
        keys: KeyPath = ("contrasts", i)
        yield from check_title(item, keys)
        named = {name for name in (*_LISTS, "model", "sentence") if name in item}
        chosen = [name for name in _LISTS if name in named]
        if len(chosen) != 1 or not _complete(chosen[0], named):
            reason = "a contrast is of two models on a sentence, of two sentences in a model, or of two heads"
            yield reason, _FORMS, keys
            continue
        yield from _two(item[chosen[0]], chosen[0], (*keys, chosen[0]))


def _complete(several: str, named: set[str]) -> bool:
    needed, allowed = _BESIDE[several]
    return needed <= named - {several} <= allowed


def _two(values: Any, name: str, keys: KeyPath) -> Iterator[Finding]:
    """What is wrong with the two that are compared."""
    if not isinstance(values, tuple) or not all(isinstance(value, str) for value in values):
        return
    if name == "heads":
        for n, value in enumerate(values):
            if not parse_head(value):
                mend = "write layer and head, such as L3H1"
                yield f'"{value}" is not the name of a head', mend, (*keys, n)
    if len(values) != 2:
        yield f"`{name}` names {len(values)}, and a contrast compares two", "name two", keys
    elif values[0].casefold() == values[1].casefold():
        yield f'"{values[1]}" stands here twice', f"name two different {name}", (*keys, 1)


def check_names(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Reason, mend and place of each model and sentence of a contrast that the gallery does not have or show.

    `data` has sentences in the place of collections. Where a slug of their list is wrong, names that are not
    there are passed over: one may be what it is mended to.
    """
    models = {slug: model for model in _by_slug(data, "models") for slug in possible_slugs(model)}
    sentences = _by_slug(data, "sentences")
    unknown = {name for name in ("model", "sentence") if slugs_of(data, f"{name}s") is None}
    for i, contrast in enumerate(entries(data.get("contrasts"))):
        if isinstance(contrast, dict):
            for reason, mend, keys in _names(contrast, models, sentences, unknown):
                yield reason, mend, ("contrasts", i, *keys)


def _by_slug(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The items of a list that have a slug."""
    slugs = ((_field(item, "slug"), item) for item in entries(data.get(name)))
    return {slug: item for slug, item in slugs if isinstance(slug, str)}


def _field(item: Any, name: str) -> Any:
    """A field of a sentence, which is a block of the manifest or comes from a treebank."""
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


def _names(
    contrast: Mapping[str, Any],
    models: Mapping[str, str],
    sentences: Mapping[str, Any],
    unknown: Collection[str],
) -> Iterator[Finding]:
    for keys, slug in _named(contrast, "model"):
        if slug not in models and "model" not in unknown:
            yield f'the gallery has no model "{slug}"', did_you_mean(slug, models.values()), keys
    for keys, slug in _named(contrast, "sentence"):
        sentence = sentences.get(slug)
        if sentence is None:
            if "sentence" not in unknown:
                yield f'the gallery has no sentence "{slug}"', did_you_mean(slug, sentences), keys
            continue
        if _field(sentence, "pages") is False:
            yield f'the sentence "{slug}" has no pages', "let it have pages, or compare another", keys
        readers = _field(sentence, "models")
        for _, model in _named(contrast, "model"):
            if model in models and isinstance(readers, tuple) and readers and models[model] not in readers:
                mend = "compare another sentence, or add the model to the sentence's `models`"
                yield f'the model "{model}" does not read the sentence "{slug}"', mend, keys


def _named(contrast: Mapping[str, Any], name: str) -> Iterator[tuple[KeyPath, str]]:
    """Where each slug stands in a contrast."""
    if isinstance(single := contrast.get(name), str):
        yield (name,), single
    for n, slug in enumerate(entries(contrast.get(f"{name}s"))):
        if isinstance(slug, str):
            yield (f"{name}s", n), slug


def parse_heads(contrast: ContrastSpec) -> tuple[tuple[int, int], ...]:
    """Layer and head of each head that a contrast compares, which were checked."""
    return tuple(filter(None, map(parse_head, contrast.heads)))
