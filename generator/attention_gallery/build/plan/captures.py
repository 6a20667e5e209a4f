"""Which captures a gallery needs, under which keys, and how the missing ones come about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from attention_gallery.build.plan.attention_kinds import ShownModel, clashes, pairs_read, shown_models
from attention_gallery.build.plan.auxiliary_inputs import RANDOM_TOKENS, HiddenText, hidden_texts, is_rung
from attention_gallery.build.plan.identify import Identified, identify
from attention_gallery.build.plan.pins import Pins
from attention_gallery.build.project import Project
from attention_gallery.errors import DamagedEntry, ModelError, Problem
from attention_gallery.manifest import Manifest
from attention_gallery.manifest.settings import GallerySettings, ModelSpec, SentenceSpec
from attention_gallery.models import (
    FingerprintMemory,
    ModelFingerprint,
    ProblemMaker,
    ResolvedModel,
    license_file,
    license_of,
)
from attention_gallery.models import files as model_files
from attention_gallery.models.on_disk.noticed import branch_folders, package_files
from attention_gallery.progress import Reporter, SilentReporter
from attention_gallery.records import Given, Precision, TextInput
from attention_gallery.store import AttentionStore, capture_key, former_key

if TYPE_CHECKING:
    from attention_gallery.capturing import CaptureJob

_FREE = Pins()


@dataclass(frozen=True, slots=True)
class Captures:
    """The model files of a gallery, what is shown of them, and the key of every model and sentence.

    `models` are those of the manifest, `shown` those of the pages: three of an encoder-decoder. The models of
    `keys` are the slugs of the latter. `hidden` are the keys of what they read besides, by model and name:
    see `hidden_texts`. `former` is for each key the one that an earlier version gave to the same.
    """

    models: tuple[tuple[ResolvedModel, ModelFingerprint], ...]
    shown: tuple[ShownModel, ...]
    keys: Mapping[tuple[str, str], str]
    hidden: Mapping[tuple[str, str], str]
    former: Mapping[str, str]

    def of(self, index: int, sentence: str) -> dict[str, str]:
        """The keys of one model of the manifest on one sentence, by kind of attention."""
        shown = (one for one in self.shown if one.index == index)
        found = ((one.kind, self.keys.get((one.spec.slug, sentence))) for one in shown)
        return {kind: key for kind, key in found if key is not None}

    def of_hidden(self, index: int, text: HiddenText) -> dict[str, str]:
        """The keys of one model of the manifest on a hidden text, by kind of attention."""
        shown = (one for one in self.shown if one.index == index)
        found = ((one.kind, self.hidden.get((one.spec.slug, text.name))) for one in shown)
        return {kind: key for kind, key in found if key is not None}

    @property
    def every(self) -> dict[tuple[str, str], str]:
        """All keys by model and what it reads: the sentences, and what is hidden."""
        return {**self.keys, **self.hidden}

    @property
    def repeats(self) -> dict[str, str]:
        """The keys of random tokens read twice, by slug of the models that read them."""
        return {model: key for (model, name), key in self.hidden.items() if name == RANDOM_TOKENS}

    @property
    def rungs(self) -> set[str]:
        """The keys of texts of several lengths."""
        return {key for (_, name), key in self.hidden.items() if is_rung(name)}

    def missing(self, store: AttentionStore) -> set[str]:
        """The keys of which the store has no entry."""
        return {key for key in self.every.values() if not store.has(key)}

    def files(self) -> list[str]:
        """Every file that can change the numbers, the license or the version of a model."""
        files = [str(path) for model, _ in self.models for path in (*model_files(model), license_file(model))]
        return [*files, *(name for model, _ in self.models for name in package_files(model))]

    def folders(self) -> list[str]:
        """The folders that tell which commit of a hub model is taken."""
        return [str(folder) for model, _ in self.models for folder in branch_folders(model)]

    def listed(self) -> list[str]:
        """The folders of models: a file that comes into one of them may count."""
        folders = (str(model.folder) for model, _ in self.models if model.config is not None)
        return list(dict.fromkeys(folders))


def needed_captures(
    project: Project, memory: FingerprintMemory, pins: Pins = _FREE, reporter: Reporter | None = None
) -> Captures:
    """Resolve every model and name every capture. Raises `ModelError` with the problems of all models."""
    return captures_of(
        project.manifest, identify(project.manifest, memory, pins, reporter or SilentReporter())
    )


def captures_of(manifest: Manifest, models: tuple[Identified, ...]) -> Captures:
    """Name every capture of a manifest, whose models are these. Raises `ModelError` for slugs that clash."""
    problems: list[Problem] = []
    shown: list[ShownModel] = []
    for index, (found, _) in enumerate(models):
        try:
            license_of(found)  # told now, and not after hours of capture
        except ModelError as error:
            problems.extend(error.problems)
        kinds, wrong = shown_models(manifest, index, found.kinds)
        shown.extend(kinds)
        problems.extend(wrong)
    problems.extend(clashes(manifest, shown))
    if problems:
        raise ModelError(problems)
    settings = manifest.settings
    former: dict[str, str] = {}

    def key(one: ShownModel, given: Given) -> str:
        parts = _parts(settings, one.spec, models[one.index][1], given, one.kind)
        found = capture_key(**parts)
        former[found] = former_key(**parts)
        return found

    keys = {
        (one.spec.slug, sentence.slug): key(one, text_input(sentence))
        for one, sentence in pairs_read(settings, shown)
    }
    hidden = {
        (one.spec.slug, text.name): key(one, text.given)
        for one in shown
        for text in hidden_texts(settings, one)
    }
    return Captures(models, tuple(shown), keys, hidden, former)


def key_of(
    settings: GallerySettings,
    model: ModelSpec,
    digests: ModelFingerprint,
    sentence: SentenceSpec,
    kind: str = "self",
) -> str:
    """The key of the capture of one sentence under one model; `kind` is one of the model's `kinds`."""
    return key_of_given(settings, model, digests, text_input(sentence), kind)


def key_of_given(
    settings: GallerySettings, model: ModelSpec, digests: ModelFingerprint, given: Given, kind: str
) -> str:
    """The key of the capture of anything that one model is given to read."""
    return capture_key(**_parts(settings, model, digests, given, kind))


class _KeyParts(TypedDict):
    weights: str
    tokenizer: str
    given: Given
    dtype: str
    precision: Precision
    kind: str
    predictions: int


def _parts(
    settings: GallerySettings, model: ModelSpec, digests: ModelFingerprint, given: Given, kind: str
) -> _KeyParts:
    return {
        "weights": digests.weights,
        "tokenizer": digests.tokenizer,
        "given": given,
        "dtype": model.dtype,
        "precision": settings.capture.precision,
        "kind": kind,
        "predictions": settings.capture.predictions,
    }


def text_input(sentence: SentenceSpec) -> TextInput:
    """What a sentence of the manifest gives a model to read."""
    return TextInput(
        text=sentence.joined if sentence.chat else sentence.text,
        pair=sentence.pair,
        chat=tuple((message.role, message.content) for message in sentence.chat),
        target=sentence.target,
        generate=sentence.generate,
        truncate=sentence.truncate,
        chat_options=tuple(sorted(sentence.chat_options.items())),
    )


def _problem(project: Project, kind: str, index: int, field: str, reason: str, mend: str) -> Problem:
    return project.manifest.problem(reason, mend, kind, index, field)


def _hidden_problem(project: Project, place: tuple[str | int, ...], reason: str, mend: str) -> Problem:
    return project.manifest.problem(reason, mend, *place)


def capture_all(
    project: Project,
    captures: Captures,
    store: AttentionStore,
    reporter: Reporter,
    keep_going: bool = False,
) -> int:
    """Capture what the store does not hold and return how many there were.

    With `keep_going`, a sentence that fails keeps no other from being captured; the error comes at the end.

    torch and transformers are imported only when something is missing.
    """
    missing = captures.missing(store)
    if not missing:
        return 0
    if old := sum(store.has(captures.former[key]) for key in missing):
        reporter.info(
            f"{old} captures are of an earlier version, whose numbers hung on what was captured together: "
            "they are captured again, and `attention-gallery clean` removes the old ones"
        )
    reporter.info("loading torch and transformers …")
    from attention_gallery.capturing import capture_missing

    tokens = project.manifest.settings.capture.batch_tokens
    jobs = _jobs(project, captures, missing)
    return capture_missing(jobs, store, reporter, batch_tokens=tokens, keep_going=keep_going).captured


def _jobs(project: Project, captures: Captures, missing: set[str]) -> list[CaptureJob]:
    """A job for everything that a model reads and of which something is missing."""
    from attention_gallery.capturing import CaptureJob
    from attention_gallery.models.loading.placement import Placement

    settings = project.manifest.settings
    return [
        CaptureJob(
            model=found,
            title=spec.title,
            dtype=spec.dtype,
            sentence=name,
            given=given,
            precision=settings.capture.precision,
            keys=keys,
            fingerprint=digests,
            problem=problem,
            placement=Placement(spec.device, spec.device_map == "auto", settings.capture.threads),
            predictions=settings.capture.predictions,
        )
        for place, (spec, (found, digests)) in enumerate(zip(settings.models, captures.models, strict=True))
        for name, given, keys, problem in _readings(project, captures, place)
        if missing.intersection(keys.values())
    ]


def _readings(
    project: Project, captures: Captures, place: int
) -> Iterator[tuple[str, Given, Mapping[str, str], ProblemMaker]]:
    """What one model reads: its name for people, the keys, and the way to tell of a problem with it."""
    for index, sentence in enumerate(project.manifest.settings.sentences):
        problem = partial(_problem, project, "sentences", index, "chat" if sentence.chat else "text")
        yield sentence.slug, text_input(sentence), captures.of(place, sentence.slug), problem
    hidden = {
        text.name: text
        for one in captures.shown
        if one.index == place
        for text in hidden_texts(project.manifest.settings, one)
    }
    for text in hidden.values():
        problem = partial(_hidden_problem, project, text.place)
        yield text.name, text.given, captures.of_hidden(place, text), problem


def drop_damaged(
    captures: Captures, store: AttentionStore, reporter: Reporter, before: Collection[str]
) -> set[str]:
    """Remove every entry that fails its checksum, saying so, and return their keys.

    Raises `DamagedEntry` for one of the keys dropped `before`: what is damaged again will be once more.
    """
    dropped: set[str] = set()
    for (model, sentence), key in captures.every.items():
        if not store.has(key):
            continue
        try:
            store.verify(key)
        except DamagedEntry as error:
            if key in before:
                raise DamagedEntry(
                    f"{error}, although it was captured again just now: {model} · {sentence}; "
                    "the disk or the memory of this machine may be failing"
                ) from error
            reporter.warning(f"{error}; {model} · {sentence} is captured again")
            store.remove(key)
            dropped.add(key)
    return dropped
