"""Which captures a gallery needs, under which keys, and how the missing ones come about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attention_gallery.build.plan.attention_kinds import ShownModel, clashes, sentences_read, shown_models
from attention_gallery.build.plan.auxiliary_inputs import RANDOM_TOKENS, auxiliary_inputs, is_prefix
from attention_gallery.build.plan.identify_models import Identified, identify_models, problem_at
from attention_gallery.build.plan.pins import Pins
from attention_gallery.build.project import Project
from attention_gallery.errors import DamagedEntry, ModelError, Problem
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.manifest.settings import GallerySettings, ModelSpec, SentenceSpec
from attention_gallery.models import (
    FingerprintMemory,
    ModelFingerprint,
    ProblemMaker,
    ResolvedModel,
    license_of,
)
from attention_gallery.progress import Reporter, SilentReporter
from attention_gallery.records import Given, TextInput
from attention_gallery.store import AttentionStore, capture_key, former_key

if TYPE_CHECKING:
    from attention_gallery.capturing import CaptureJob

_FREE = Pins()


@dataclass(frozen=True, slots=True)
class Captures:
    """The model files of a gallery, what is shown of them, and the key of every model and sentence.

    `models` are those of the manifest, `shown` those of the pages: three of an encoder-decoder. The models of
    `keys` are the slugs of the latter. `auxiliary` are the keys of auxiliary inputs, by model and name: see
    `auxiliary_inputs`. `former` is for each key the one that an earlier version gave to the same.
    """

    models: tuple[tuple[ResolvedModel, ModelFingerprint], ...]
    shown: tuple[ShownModel, ...]
    keys: Mapping[tuple[str, str], str]
    auxiliary: Mapping[tuple[str, str], str]
    former: Mapping[str, str]

    def keys_by_kind(self, index: int, name: str) -> dict[str, str]:
        """The keys of one model of the manifest on a sentence or auxiliary input, by kind of attention."""
        return {
            model.kind: key
            for model in self.shown
            for keys in (self.keys, self.auxiliary)
            if model.index == index and (key := keys.get((model.spec.slug, name))) is not None
        }

    @property
    def every(self) -> dict[tuple[str, str], str]:
        """All keys by model and what it reads: sentences, and auxiliary inputs."""
        return {**self.keys, **self.auxiliary}

    @property
    def repeats(self) -> dict[str, str]:
        """The keys of random tokens read twice, by slug of the models that read them."""
        return {model: key for (model, name), key in self.auxiliary.items() if name == RANDOM_TOKENS}

    @property
    def prefixes(self) -> set[str]:
        """The keys of the prefixes of the length sweep."""
        return {key for (_, name), key in self.auxiliary.items() if is_prefix(name)}

    def missing(self, store: AttentionStore) -> set[str]:
        """The keys of which the store has no entry."""
        return {key for key in self.every.values() if not store.has(key)}


def needed_captures(
    project: Project, memory: FingerprintMemory, pins: Pins = _FREE, reporter: Reporter | None = None
) -> Captures:
    """Resolve every model and name every capture. Raises `ModelError` with the problems of all models."""
    models = identify_models(project.manifest, memory, pins, reporter or SilentReporter())
    return captures_of(project.manifest, models)


def captures_of(manifest: Manifest, models: tuple[Identified, ...]) -> Captures:
    """Name every capture of a manifest, whose models are these. Raises `ModelError` for slugs that clash."""
    problems: list[Problem] = []
    shown: list[ShownModel] = []
    for index, (model, _) in enumerate(models):
        try:
            license_of(model)  # now, and not after hours of capture
        except ModelError as error:
            problems.extend(error.problems)
        kinds, mistakes = shown_models(manifest, index, model.kinds)
        shown.extend(kinds)
        problems.extend(mistakes)
    problems.extend(clashes(manifest, shown))
    if problems:
        raise ModelError(problems)
    settings = manifest.settings
    former: dict[str, str] = {}

    def key(model: ShownModel, model_input: Given) -> str:
        """The key of what a model reads, noted beside the one that it had before."""
        read = settings, model.spec, models[model.index][1], model_input, model.kind
        name = key_of(*read)
        former[name] = key_of(*read, former=True)
        return name

    keys = {
        (model.spec.slug, sentence.slug): key(model, text_input(sentence))
        for model, sentence in sentences_read(settings, shown)
    }
    auxiliary = {
        (model.spec.slug, auxiliary.name): key(model, auxiliary.model_input)
        for model in shown
        for auxiliary in auxiliary_inputs(settings, model)
    }
    return Captures(models, tuple(shown), keys, auxiliary, former)


def key_of(
    settings: GallerySettings,
    model: ModelSpec,
    digests: ModelFingerprint,
    model_input: Given,
    kind: str = "self",
    former: bool = False,
) -> str:
    """The key of the capture of what one model is given to read; `kind` is one of the model's `kinds`.

    `former`: the key that an earlier version gave to the same.
    """
    key = former_key if former else capture_key
    return key(
        weights=digests.weights,
        tokenizer=digests.tokenizer,
        given=model_input,
        dtype=model.dtype,
        precision=settings.capture.precision,
        kind=kind,
        predictions=settings.capture.predictions,
    )


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
            model=model,
            title=spec.title,
            dtype=spec.dtype,
            sentence=name,
            given=model_input,
            precision=settings.capture.precision,
            keys=keys,
            fingerprint=digests,
            problem=problem,
            placement=Placement(spec.device, spec.device_map == "auto", settings.capture.threads),
            predictions=settings.capture.predictions,
        )
        for index, (spec, (model, digests)) in enumerate(zip(settings.models, captures.models, strict=True))
        for name, model_input, problem in _readings(project.manifest, captures, index)
        if missing.intersection((keys := captures.keys_by_kind(index, name)).values())
    ]


def _readings(
    manifest: Manifest, captures: Captures, model: int
) -> Iterator[tuple[str, Given, ProblemMaker]]:
    """What one model reads: its name for people, what it is, and what makes problems with it."""
    for index, sentence in enumerate(manifest.settings.sentences):
        problem = problem_at(manifest, "sentences", index, "chat" if sentence.chat else "text")
        yield sentence.slug, text_input(sentence), problem
    for shown in captures.shown:
        for auxiliary in auxiliary_inputs(manifest.settings, shown) if shown.index == model else ():
            yield auxiliary.name, auxiliary.model_input, problem_at(manifest, *auxiliary.manifest_path)


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
