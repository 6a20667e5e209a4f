"""Relations that a parser finds, put beside those of the manifest, which win over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from attention_gallery.analysis.probing.parses import (
    PARSE,
    Parse,
    Parser,
    ParserError,
    Pipeline,
    TextToParse,
    joined_parse,
)
from attention_gallery.analysis.result import Subject
from attention_gallery.build.execute.result_files import cached_result, result_path
from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.blocks.annotations import pipeline_of
from attention_gallery.manifest.blocks.word_spans import span_of
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.manifest.settings import ParsedRelation, RelationSpec, SentenceSpec
from attention_gallery.pages.sections.parse_view import SentenceParse
from attention_gallery.progress import Reporter
from attention_gallery.texts.reading import text_starts
from attention_gallery.texts.words import Span


@dataclass(frozen=True, slots=True)
class Annotated:
    """A manifest whose sentences have the relations that were found, too.

    `parses` are by slug of the sentence. `texts` are those that were, or would be, parsed, `files` are
    others when a pipeline is. `complete`: whether every sentence was parsed.
    """

    manifest: Manifest
    parses: Mapping[str, SentenceParse]
    texts: tuple[TextToParse, ...] = ()
    files: tuple[str, ...] = ()
    complete: bool = True


def annotate(manifest: Manifest, cache: Path, reporter: Reporter, run: bool = True) -> Annotated:
    """Parse the sentences for which the manifest names a pipeline.

    What was parsed before is read from the folder `cache`; the rest is parsed now, unless `run` is false.
    Raises `ManifestError` for pipelines that are missing or cannot be used.
    """
    pipeline_names = dict(_pipeline_names(manifest))
    if not pipeline_names:
        return Annotated(manifest, {})
    pipelines = _installed(manifest, pipeline_names)
    parsed = _Parses(manifest, cache, pipelines, reporter, run)
    sentences, parses = list(manifest.settings.sentences), {}
    for index, name in pipeline_names.items():
        parse = parsed.parse(index, name)
        if parse is not None:
            sentences[index], parses[sentences[index].slug] = _with(sentences[index], parse, pipelines[name])
    settings = manifest.settings.model_copy(update={"sentences": tuple(sentences)})
    files = tuple(dict.fromkeys(file for pipeline in pipelines.values() for file in pipeline.files))
    texts = tuple(
        parsed.text_to_parse(index, name, text)
        for index, name in pipeline_names.items()
        for text in manifest.settings.sentences[index].texts
    )
    complete = len(parses) == len(pipeline_names)
    return Annotated(replace(manifest, settings=settings), parses, texts, files, complete)


def _pipeline_names(manifest: Manifest) -> Iterator[tuple[int, str]]:
    """The index of each sentence to parse, and the name of its pipeline."""
    for index, sentence in enumerate(manifest.settings.sentences):
        name = pipeline_of(manifest.settings, sentence)
        if name is not None:
            yield index, name


def _installed(manifest: Manifest, names: dict[int, str]) -> dict[str, Pipeline]:
    pipelines: dict[str, Pipeline] = {}
    problems = []
    # A problem stands at the first sentence that asks for the pipeline.
    for name, index in {name: index for index, name in reversed(names.items())}.items():
        try:
            pipelines[name] = Pipeline.installed(name)
        except ParserError as error:
            problems.append(_problem(manifest, index, error))
    if problems:
        raise ManifestError(problems)
    return pipelines


def _problem(manifest: Manifest, index: int, error: ParserError) -> Problem:
    own = manifest.settings.sentences[index].annotate is not None
    path = ("sentences", index, "annotate", "spacy") if own else ("annotate", "spacy")
    return manifest.problem(error.reason, error.mend, *path)


@dataclass(frozen=True, slots=True, eq=False)
class _Parses:
    """Parses from the cache, or made now; each pipeline is loaded once, when it is first needed."""

    manifest: Manifest
    cache: Path
    pipelines: Mapping[str, Pipeline]
    reporter: Reporter
    runs: bool
    parsers: dict[str, Parser] = field(default_factory=dict)

    def parse(self, index: int, name: str) -> Parse | None:
        """The parse of a sentence, None where there is none and none is to be made."""
        parses = []
        for start, text in text_starts(self.manifest.settings.sentences[index].texts):
            parse = self._text(index, name, text)
            if parse is None:
                return None
            parses.append((start, parse))
        return joined_parse(parses)

    def text_to_parse(self, index: int, name: str, text: str) -> TextToParse:
        """A text of a sentence, with what parses it."""
        return TextToParse(text, self.pipelines[name], partial(self._parser, index, name))

    def _text(self, index: int, name: str, text: str) -> Parse | None:
        settings, to_parse = self.manifest.settings.analysis, self.text_to_parse(index, name, text)
        path = result_path(self.cache, PARSE.key(Subject((), to_parse), settings))
        if not self.runs and not path.is_file():
            return None
        return cached_result(
            path,
            lambda data: PARSE.load(data, to_parse),
            PARSE.dump,
            lambda: PARSE.compute(iter(()), PARSE.narrowed(settings), to_parse),
            self.runs,
        )

    def _parser(self, index: int, name: str) -> Parser:
        if name not in self.parsers:
            self.reporter.info(f"loading spaCy and {self.pipelines[name].title} …")
            try:
                self.parsers[name] = Parser(self.pipelines[name])
            except ParserError as error:
                raise ManifestError(_problem(self.manifest, index, error)) from error
        return self.parsers[name]


def _with(sentence: SentenceSpec, parse: Parse, pipeline: Pipeline) -> tuple[SentenceSpec, SentenceParse]:
    """The sentence with the relations of its parse, but for those that its author knows better."""
    text = sentence.joined
    gold = [_sides(relation, text) for relation in sentence.relations]
    relations = tuple(
        ParsedRelation.model_construct(from_=arc.source, to=arc.target, kind=arc.kind, parser=pipeline.title)
        for arc in dict.fromkeys(parse.arcs)
        if not any(_same(arc.source, arc.target, *sides) for sides in gold)
    )
    entities = tuple((text[slice(*entity.span)], entity.label) for entity in parse.entities)
    annotated = sentence.model_copy(update={"relations": (*sentence.relations, *relations)})
    return annotated, SentenceParse(pipeline.title, relations, entities)


def _sides(relation: RelationSpec, text: str) -> tuple[Span, Span]:
    return span_of(relation.from_, text), span_of(relation.to, text)


def _same(source: Span, target: Span, gold_source: Span, gold_target: Span) -> bool:
    """Whether a gold relation holds between these two words, in whichever direction."""
    directions = ((gold_source, gold_target), (gold_target, gold_source))
    return any(_overlap(source, start) and _overlap(target, end) for start, end in directions)


def _overlap(first: Span, second: Span) -> bool:
    return first[0] < second[1] and second[0] < first[1]
