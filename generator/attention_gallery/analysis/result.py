"""A result: anything that is worked out from captures and cached between builds, as one value.

What a result is made from is what it declares: captures, other results, fields of the settings, and what its
subject is about. `compute` is handed just these, so that there is nothing else that it could read, and the
key under which a result is cached is the digest of them and of the code that works it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar, Union

from attention_gallery.hashing import digest
from attention_gallery.imported_code import code_digest
from attention_gallery.manifest.settings import AnalysisSettings

if TYPE_CHECKING:
    from attention_gallery.analysis.measures.metrics import MeasureSet
    from attention_gallery.analysis.probing.gold_relations import GoldSentence
    from attention_gallery.analysis.probing.parses import TextToParse

Value = TypeVar("Value")
# Looking one up reads files, and keys are asked for by the thousand.
_version = lru_cache(version)
Need = Union[Literal["capture"], "Result[Any]"]


class Subject(NamedTuple):
    """What one result is of: keys of captures, and what else it is about: words, measures, texts."""

    captures: tuple[str, ...]
    about: Any = None

    @classmethod
    def from_key(cls, key: str) -> Subject:
        """One capture, and nothing more."""
        return cls((key,))


@dataclass(frozen=True, slots=True)
class Inventory:
    """The captures that a gallery may use, drafts among them, and what results may be about.

    captures: keys by (model, sentence). random_tokens, prefixes: keys of auxiliary inputs. gold: sentences by
    slug, texts: theirs as read. contrasts: pairs of (model, sentence). texts_to_parse: those that a parser
    is asked for.
    """

    captures: Mapping[tuple[str, str], str]
    random_tokens: tuple[str, ...]
    prefixes: tuple[str, ...]
    gold: Mapping[str, GoldSentence]
    texts: Mapping[str, str]
    drafts: frozenset[str]
    contrasts: tuple[tuple[tuple[str, str], tuple[str, str]], ...]
    measures: MeasureSet
    texts_to_parse: tuple[TextToParse, ...] = ()

    @property
    def capture_subjects(self) -> Iterator[Subject]:
        """Every capture of a sentence by itself."""
        return (Subject((key,)) for key in sorted(set(self.captures.values())))


@dataclass(frozen=True, slots=True, eq=False)
class Result(Generic[Value]):
    """What is worked out of captures, and how it is cached.

    needs: what `compute` gets of each capture, in order: the stored attention ("capture"), or another result.
    settings: the fields of the settings that `compute` gets; the others are as if nobody had written them.
    compute: from needs, one capture after the other, settings, and what the subject is about. dump, load: to
    bytes and back; equal values give equal bytes, and other bytes raise `DamagedEntry`. subjects: what a
    gallery may ask it of. identify: what counts of what a subject is about, as JSON. libraries: whose version
    counts. optional: whether pages can do without, should it fail.
    """

    name: str
    needs: tuple[Need, ...]
    compute: Callable[[Iterator[Any], AnalysisSettings, Any], Value]
    dump: Callable[[Value], bytes]
    load: Callable[[bytes, Any], Value]
    subjects: Callable[[Inventory], Iterable[Subject]]
    settings: tuple[str, ...] = ()
    identify: Callable[[Any], Any] = lambda about: None
    libraries: tuple[str, ...] = ()
    optional: bool = True

    def key(self, subject: Subject, settings: AnalysisSettings) -> str:
        """SHA-256 of all that can change a result: needs, settings, code, and libraries."""
        return digest(
            {
                "result": self.name,
                # With all that the module imports.
                "code": code_digest(self.compute.__module__),
                "libraries": [[name, _version(name)] for name in self.libraries],
                "needs": [self._needed(key, settings) for key in subject.captures],
                # Undeclared settings are left out, so that changing them costs nothing.
                "settings": self.narrowed(settings).model_dump(mode="json", include=set(self.settings)),
                "about": self.identify(subject.about),
            }
        )

    def narrowed(self, settings: AnalysisSettings) -> AnalysisSettings:
        """The settings as far as they are declared."""
        return AnalysisSettings(**{name: getattr(settings, name) for name in self.settings})

    def _needed(self, capture: str, settings: AnalysisSettings) -> list[str]:
        return [
            capture if need == "capture" else need.key(Subject((capture,)), settings) for need in self.needs
        ]
