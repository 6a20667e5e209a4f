"""Which captures a gallery needs, under which keys, and how the missing ones come about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from attention_gallery.build.identify import identify
from attention_gallery.build.pins import Pins
from attention_gallery.build.project import Project
from attention_gallery.errors import DamagedEntry, Problem
from attention_gallery.manifest.settings import GallerySettings, ModelSpec, SentenceSpec
from attention_gallery.models import FingerprintMemory, ModelFingerprint, ResolvedModel, license_file
from attention_gallery.models import files as model_files
from attention_gallery.progress import Reporter, SilentReporter
from attention_gallery.records import TextInput
from attention_gallery.store import AttentionStore, capture_key

_FREE = Pins()


@dataclass(frozen=True, slots=True)
class Captures:
    """The model files of a gallery and the capture key of every (model, sentence)."""

    models: tuple[tuple[ResolvedModel, ModelFingerprint], ...]
    keys: Mapping[tuple[str, str], str]

    def files(self) -> list[str]:
        """Every model file that can change the numbers or the license."""
        return [str(path) for model, _ in self.models for path in (*model_files(model), license_file(model))]


def needed_captures(
    project: Project, memory: FingerprintMemory, pins: Pins = _FREE, reporter: Reporter | None = None
) -> Captures:
    """Resolve every model and name every capture. Raises `ModelError` with the problems of all models."""
    models = identify(project.manifest, memory, pins, reporter or SilentReporter())
    settings = project.manifest.settings
    keys = {
        (spec.slug, sentence.slug): key_of(settings, spec, digests, sentence)
        for spec, (_, digests) in zip(settings.models, models, strict=True)
        for sentence in settings.sentences
    }
    return Captures(models, keys)


def key_of(
    settings: GallerySettings, model: ModelSpec, digests: ModelFingerprint, sentence: SentenceSpec
) -> str:
    """The key of the capture of one sentence under one model."""
    return capture_key(
        weights=digests.weights,
        tokenizer=digests.tokenizer,
        given=text_input(sentence),
        dtype=model.dtype,
        precision=settings.capture.precision,
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
    )


def _problem(project: Project, kind: str, index: int, field: str, reason: str, mend: str) -> Problem:
    return project.manifest.problem(reason, mend, kind, index, field)


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
    missing = {key for key in captures.keys.values() if not store.has(key)}
    if not missing:
        return 0
    reporter.info("loading torch and transformers …")
    from attention_gallery.capture import CaptureJob, capture_missing
    from attention_gallery.models.placement import Placement

    settings = project.manifest.settings
    jobs = [
        CaptureJob(
            model=found,
            title=spec.title,
            dtype=spec.dtype,
            sentence=sentence.slug,
            given=text_input(sentence),
            precision=settings.capture.precision,
            keys={"self": captures.keys[spec.slug, sentence.slug]},
            fingerprint=digests,
            problem=partial(_problem, project, "sentences", index, "chat" if sentence.chat else "text"),
            placement=Placement(spec.device, spec.device_map == "auto"),
        )
        for spec, (found, digests) in zip(settings.models, captures.models, strict=True)
        for index, sentence in enumerate(settings.sentences)
        if captures.keys[spec.slug, sentence.slug] in missing
    ]
    tokens = settings.capture.batch_tokens
    done = capture_missing(jobs, store, reporter, batch_tokens=tokens, keep_going=keep_going)
    return done.captured


def drop_damaged(
    captures: Captures, store: AttentionStore, reporter: Reporter, before: Collection[str]
) -> set[str]:
    """Remove every entry that fails its checksum, saying so, and return their keys.

    Raises `DamagedEntry` for one of the keys dropped `before`: what is damaged again will be once more.
    """
    dropped: set[str] = set()
    for (model, sentence), key in captures.keys.items():
        if not store.has(key):
            continue
        try:
            store.verify(key)
            store.open(key)
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
