"""What a parser makes of a text: dependency arcs and entities, kept so that no later build runs the parser.

spaCy is imported only by `Parser`, when something was not parsed yet.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.result import Result, Subject
from attention_gallery.errors import DamagedEntry
from attention_gallery.installed import installed_files
from attention_gallery.texts.words import Span

_MAGIC = b"attention-gallery parse 1\n"
# As for treebanks: the root has no head, and heads are not asked for punctuation.
_LEFT_OUT = ("root", "punct")


@dataclass(frozen=True, slots=True)
class Arc:
    """A dependency: its kind, from the dependent to its head, as half-open code-point ranges of the text."""

    kind: str
    source: Span
    target: Span


@dataclass(frozen=True, slots=True)
class Entity:
    """A named thing: its label as the pipeline writes it, and its place in the text."""

    label: str
    span: Span


@dataclass(frozen=True, slots=True)
class Parse:
    """What a pipeline found in one text. Parts of an entity's name are arcs, too: `entity/person`."""

    arcs: tuple[Arc, ...]
    entities: tuple[Entity, ...]


class ParserError(Exception):
    """A pipeline that cannot be used: the reason and the mend."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason, mend)
        self.reason, self.mend = reason, mend


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An installed spaCy pipeline, by the name of its package, with the versions that can change a parse."""

    name: str
    version: str
    spacy: str

    @classmethod
    def installed(cls, name: str) -> Pipeline:
        """The pipeline of this name, without importing it. Raises `ParserError`."""
        try:
            spacy = version("spacy")
        except PackageNotFoundError:
            mend = "pip install 'attention-gallery[spacy]'"
            raise ParserError("automatic parses need spaCy, which is not installed", mend) from None
        try:
            return cls(name, version(name), spacy)
        except PackageNotFoundError:
            reason = f'the spaCy pipeline "{name}" is not installed'
            raise ParserError(reason, f"python -m spacy download {name}") from None

    @property
    def title(self) -> str:
        """The pipeline as readers are told of it."""
        return f"{self.name} {self.version}"

    @property
    def files(self) -> tuple[str, ...]:
        """Files that are others when another version is installed."""
        return (*installed_files("spacy", "spacy"), *installed_files(self.name, self.name))


class Parser:
    """A pipeline, loaded. Raises `ParserError` for one that cannot be, or that finds nothing of use."""

    def __init__(self, pipeline: Pipeline) -> None:
        import spacy

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of versions that are near enough
                self._run = spacy.load(pipeline.name)
        except (ImportError, OSError, ValueError) as error:
            # Those of spaCy may have several lines.
            message = " ".join(str(error).split())[:300]
            reason = f'the spaCy pipeline "{pipeline.name}" cannot be loaded: {message}'
            mend = f"python -m spacy download {pipeline.name}, for spaCy {pipeline.spacy}"
            raise ParserError(reason, mend) from error

    def parse(self, text: str) -> Parse:
        """The parse of one text."""
        return parse_of(self._run(text))


def parse_of(doc: Any) -> Parse:
    """What a spaCy `Doc` holds, which may lack arcs or entities.

    Kinds lose their subtype (`nsubj:pass` is `nsubj`) and are lower-case.
    """
    arcs = [*_dependencies(doc), *(arc for entity in doc.ents for arc in _named(entity))]
    entities = (Entity(entity.label_, _trimmed(entity.text, entity.start_char)) for entity in doc.ents)
    return Parse(tuple(arcs), tuple(entity for entity in entities if entity.span[0] < entity.span[1]))


def _dependencies(doc: Any) -> Iterator[Arc]:
    for token in doc:
        kind = token.dep_.partition(":")[0].casefold()
        head = token.head
        if kind and kind not in _LEFT_OUT and head.i != token.i and not (token.is_space or head.is_space):
            yield Arc(kind, _span(token), _span(head))


def _named(entity: Any) -> Iterator[Arc]:
    """From each word of a name to the word of it on which the others depend, else to its last."""
    words = [token for token in entity if not token.is_space and not token.is_punct]
    if len(words) < 2:
        return
    root = entity.root if any(token.i == entity.root.i for token in words) else words[-1]
    kind = f"entity/{entity.label_.casefold()}"
    for token in words:
        if token.i != root.i:
            yield Arc(kind, _span(token), _span(root))


def _span(token: Any) -> Span:
    return _trimmed(token.text, token.idx)


def _trimmed(text: str, start: int) -> Span:
    """The place of a text that begins at `start`, blanks around it left out."""
    first = start + len(text) - len(text.lstrip())
    return first, max(first, start + len(text.rstrip()))


def save_parse(parse: Parse) -> bytes:
    """A parse as bytes; equal parses give equal bytes."""
    arcs = [[arc.kind, *arc.source, *arc.target] for arc in parse.arcs]
    entities = [[entity.label, *entity.span] for entity in parse.entities]
    return pack(_MAGIC, {"arcs": arcs, "entities": entities}, {})


def load_parse(data: bytes) -> Parse:
    """The parse that `save_parse` wrote. Raises `DamagedEntry` for any other bytes."""
    facts, _ = unpack(_MAGIC, data, {})
    try:
        return Parse(
            tuple(Arc(kind, (a, b), (c, d)) for kind, a, b, c, d in facts["arcs"]),
            tuple(Entity(label, (a, b)) for label, a, b in facts["entities"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedEntry(f"a cached parse cannot be read: {error}") from error


def joined_parse(parts: Sequence[tuple[int, Parse]]) -> Parse:
    """The parse of texts that stand one after the other, each beginning at a place."""

    def moved(span: Span, by: int) -> Span:
        """A range of one text as one of all."""
        return span[0] + by, span[1] + by

    return Parse(
        tuple(
            Arc(a.kind, moved(a.source, by), moved(a.target, by)) for by, parse in parts for a in parse.arcs
        ),
        tuple(Entity(e.label, moved(e.span, by)) for by, parse in parts for e in parse.entities),
    )


class TextToParse(NamedTuple):
    """A text, the pipeline that parses it, and the way to load that, which takes seconds."""

    text: str
    pipeline: Pipeline
    parser: Callable[[], Parser]


PARSE: Result[Parse] = Result(
    name="parse",
    needs=(),
    compute=lambda needs, settings, about: about.parser().parse(about.text),
    dump=save_parse,
    load=lambda data, about: load_parse(data),
    subjects=lambda inventory: (Subject((), text) for text in inventory.texts_to_parse),
    identify=lambda about: [about.text, about.pipeline.name, about.pipeline.version, about.pipeline.spacy],
    optional=False,
)
