"""Collections of a manifest: treebanks, each expanded into its sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from attention_gallery.errors import ManifestError, Problem, did_you_mean
from attention_gallery.files import cannot_read, kind_of
from attention_gallery.manifest.blocks.conllu_file import TreeSentence, read_conllu
from attention_gallery.manifest.explain import explain
from attention_gallery.manifest.findings import Finding, KeyPath, entries, placed
from attention_gallery.manifest.folders import inside
from attention_gallery.manifest.settings import CollectedSentence, CollectionSpec, RelationSpec, Settings
from attention_gallery.manifest.slugs import RESERVED_LATELY, reserved_reason, shorten, slugify
from attention_gallery.manifest.yaml.document import Document


class _Manifest(Settings):
    """What `explain` needs to know of the place of collections."""

    sentences: tuple[CollectionSpec, ...] = Field(description="The collections.")


@dataclass(frozen=True, slots=True)
class Origin:
    """The file and line that a sentence was read from."""

    file: Path
    line: int
    quote: str


@dataclass(slots=True)
class Collections:
    """What the collections of a manifest hold.

    sentences: by index of the item in the manifest. origins: by slug. problems: everything that is wrong,
    with the file of the treebank or, where there is none, to be placed in the manifest.
    """

    sentences: dict[int, tuple[CollectedSentence, ...]] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def merged(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """The data with sentences in the place of collections, and the index of the item of each."""
        items = entries(data.get("sentences"))
        if not any(map(is_collection, items)):
            return dict(data), list(range(len(items)))
        merged, indices = [], []
        for index, item in enumerate(items):
            for sentence in self.sentences.get(index, ()) if is_collection(item) else (item,):
                merged.append(sentence)
                indices.append(index)
        return {**data, "sentences": tuple(merged)}, indices


def is_collection(item: Any) -> bool:
    """Whether an item of `sentences` is a treebank."""
    return isinstance(item, dict) and "conllu" in item


def read_collections(data: Mapping[str, Any], document: Document, root: Path) -> Collections:
    """Read all collections of a manifest in the folder `root`."""
    collections = Collections()
    for index, item in enumerate(entries(data.get("sentences"))):
        if not is_collection(item):
            continue
        try:
            spec = CollectionSpec.model_validate(item)
        except ValidationError as error:
            errors: list[Any] = list(error.errors(include_url=False, include_context=True))
            for details in errors:
                details["loc"] = ("sentences", index, *details["loc"])
            collections.problems += explain(errors, document, _Manifest)
            continue
        collections.problems += placed(_check(spec, ("sentences", index)), document)
        _expand(collections, index, spec, document, root)
    return collections


def _check(spec: CollectionSpec, keys: KeyPath) -> Iterator[Finding]:
    words = spec.filter.words
    if words and not (len(words) == 2 and 1 <= words[0] <= words[1]):
        mend = "write the least and the greatest number of words, such as `[5, 30]`"
        yield "`words` is no range of numbers", mend, (*keys, "filter", "words")


def _expand(
    collections: Collections, index: int, spec: CollectionSpec, document: Document, root: Path
) -> None:
    """Read one collection, and tell what is wrong with it."""
    try:
        collections.files.append(_file(spec, root))
        trees = read_conllu(collections.files[-1])
    except ManifestError as error:
        position = document.position("sentences", index, "conllu")
        collections.problems += (
            problem
            if problem.file is not None
            else replace(position.problem(problem.reason, problem.mend), trouble=problem.trouble)
            for problem in error.problems
        )
        return
    _take(collections, index, spec, trees)
    if not collections.sentences[index]:
        kinds = sorted({kind for tree in trees for kind, _, _ in tree.relations})
        reason = f"the filter leaves none of the {len(trees)} sentences"
        mend = f"relations of the file are {', '.join(kinds)}" if spec.filter.relations else ""
        collections.problems.append(document.position("sentences", index, "filter").problem(reason, mend))


def _file(spec: CollectionSpec, root: Path) -> Path:
    """Where a collection lies. Raises `ManifestError`, without a place, where there is no file to read."""
    path = inside(spec.conllu, root.resolve())
    if isinstance(path, str):
        raise ManifestError(path, "write a file inside the project, relative to the manifest")
    try:
        kind = kind_of(root / spec.conllu)
    except OSError as error:
        mend = "check the path, who owns the file, and its permissions"
        raise ManifestError(cannot_read(f'"{Path(spec.conllu).name}" cannot be read', error, mend)) from None
    if kind in ("folder", "nothing"):
        names = [file.relative_to(root.resolve()).as_posix() for file in path.parent.glob("*.conllu")]
        raise ManifestError(f'there is no file "{spec.conllu}"', did_you_mean(spec.conllu, names))
    return root / spec.conllu


def _take(collections: Collections, index: int, spec: CollectionSpec, trees: list[TreeSentence]) -> None:
    """Take the sentences that pass the filter, up to the limit."""
    taken: list[CollectedSentence] = []
    path = collections.files[-1]
    for number, tree in enumerate(trees, 1):
        if len(taken) == spec.limit:
            break
        if not _passes(tree, spec):
            continue
        slug = _slug(tree, number, spec, path)
        origin = Origin(path, tree.line, tree.quote)
        if (wrong := _wrong_slug(slug, collections.origins)) is not None:
            before = "a `slug: …` to put before it"
            mend = f"give the sentence another sent_id, or the collection {before}"
            if slug in RESERVED_LATELY:  # a name that was free, in a file that others may have made
                mend = f"give the collection {before}"
            collections.problems.append(Problem(wrong, mend, path, tree.line, quote=tree.quote))
        collections.origins.setdefault(slug, origin)
        taken.append(_collected(slug, tree, spec))
    collections.sentences[index] = tuple(taken)


def _passes(tree: TreeSentence, spec: CollectionSpec) -> bool:
    relations, words = spec.filter.relations, spec.filter.words
    if len(words) == 2 and not words[0] <= len(tree.words) <= words[1]:
        return False
    return not relations or any(kind in relations for kind, _, _ in tree.relations)


def _slug(tree: TreeSentence, number: int, spec: CollectionSpec, path: Path) -> str:
    name = slugify(tree.sent_id) if tree.sent_id else f"{slugify(path.stem)}-{number}"
    return f"{spec.slug}-{name}" if spec.slug else name


def _wrong_slug(slug: str, taken: Mapping[str, Origin]) -> str | None:
    if (reason := reserved_reason(slug)) is not None:
        return f'the slug "{slug}", made from sent_id, is reserved: {reason}'
    if slug in taken:
        other = taken[slug]
        return f'the slug "{slug}", made from sent_id, is that of {other.file.name}, line {other.line}, too'
    return None


def _collected(slug: str, tree: TreeSentence, spec: CollectionSpec) -> CollectedSentence:
    # Made without validation, as all parts were checked: a treebank has thousands of relations.
    relations = tuple(
        RelationSpec.model_construct(from_=tree.words[source], to=tree.words[target], kind=kind)
        for kind, source, target in tree.relations
    )
    return CollectedSentence.model_construct(
        slug=slug,
        title=shorten(tree.text),
        text=tree.text,
        words=tree.words,
        relations=relations,
        **{name: getattr(spec, name) for name in ("models", "tags", "language", "pages", "draft")},
    )


def check_collected(
    collections: Collections, data: Mapping[str, Any], document: Document
) -> Iterator[Problem]:
    """A problem for each collected sentence that shares a slug or alias with another sentence."""
    taken: dict[str, int] = {}
    for index, item in enumerate(entries(data.get("sentences"))):
        if isinstance(item, dict) and not is_collection(item):
            for slug in (item.get("slug"), *entries(item.get("aliases"))):
                if isinstance(slug, str):
                    taken.setdefault(slug, document.position("sentences", index, "slug").line)
    for slug, origin in collections.origins.items():
        if slug in taken:
            made = f'the slug "{slug}", made from sent_id'
            reason = f"{made}, is already that of line {taken[slug]} of the manifest"
            mend = "give the collection a `slug: …` to put before it"
            yield Problem(reason, mend, origin.file, origin.line, quote=origin.quote)
