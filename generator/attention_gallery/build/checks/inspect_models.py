"""Look at the models of a project, as far as that goes without downloading or loading one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from attention_gallery.build.checks.inspect_captures import SeenCaptures
from attention_gallery.build.plan.attention_kinds import (
    ShownModel,
    sentences_read,
    shown_models,
    with_pages,
)
from attention_gallery.build.plan.auxiliary_inputs import auxiliary_inputs
from attention_gallery.build.plan.captures import Captures, key_of, text_input
from attention_gallery.build.plan.identify_models import problem_at
from attention_gallery.build.plan.pins import Pins
from attention_gallery.errors import ModelError
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.manifest.settings import GallerySettings, ModelSpec
from attention_gallery.manifest.slugs import possible_slugs
from attention_gallery.manifest.source import parse_source
from attention_gallery.models import (
    FingerprintMemory,
    ModelFingerprint,
    ResolvedModel,
    files,
    fingerprint,
    inspect_model,
    license_of,
    resolve,
)
from attention_gallery.models.on_disk.declared import declared_shapes


@dataclass(slots=True)
class InspectedModels:
    """What is known of the models: shapes (layers, heads) by slug, and the keys of captures that are there.

    `keys` are by slugs of model and sentence, `auxiliary` by slug of the model and name of the auxiliary
    input. `complete`: whether the files of all models were there. `captured`: whether nothing is missing in
    the store; `missing`: whether something is known to be.
    """

    seen: SeenCaptures
    models: list[ShownModel] = field(default_factory=list)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    auxiliary: dict[tuple[str, str], str] = field(default_factory=dict)
    complete: bool = True
    captured: bool = True
    missing: bool = False

    @property
    def captures(self) -> Captures:
        """The captures that are there."""
        return Captures((), tuple(self.models), self.keys, self.auxiliary, {})

    def paged(self, settings: GallerySettings) -> list[tuple[str, str]]:
        """The slugs of the models, each with those of its sentences that have pages."""
        return [(model.spec.slug, sentence.slug) for model, sentence in with_pages(settings, self.models)]

    def add(self, manifest: Manifest, index: int, pins: Pins, memory: FingerprintMemory) -> None:
        """Add what is shown of a model, its shapes, and the keys of its captures. Raises `UserError`."""
        spec, problem = manifest.settings.models[index], problem_at(manifest, "models", index, "source")
        captured, self.captured = self.captured, False
        model = None
        try:
            pins.check_asked(spec, problem)
            model = _resolved(manifest, index, pins)
        finally:
            if model is None:
                self.models.extend(_possible_models(index, spec))
        if model is None:
            self.complete = False
            return
        license_of(model)
        shown, mistakes = shown_models(manifest, index, model.kinds)
        self.models.extend(shown or _possible_models(index, spec))
        shapes = declared_shapes(model)
        self.shapes.update({each.spec.slug: shapes[each.kind] for each in shown if each.kind in shapes})
        remembered = _remembered(memory, model)
        if not remembered:
            mistakes += inspect_model(model)
        if mistakes:
            raise ModelError(mistakes)
        if pins.lock is None and not remembered:
            return  # only for a lock is it worth while to read whole files of weights
        digests = fingerprint(model, memory)
        pins.check_model(spec, model, digests, problem)
        captured_each = [self._add_captures(manifest.settings, each, digests) for each in shown]
        complete = all(captured_each)
        self.captured = captured and complete
        self.missing |= not complete
        # Files from which all was captured need not be looked into again.
        if remembered and not complete and (mistakes := list(inspect_model(model))):
            raise ModelError(mistakes)

    def _add_captures(self, settings: GallerySettings, model: ShownModel, digests: ModelFingerprint) -> bool:
        """Add the keys and the shape of the captures of a model, and return whether none is missing."""
        slug, complete = model.spec.slug, True
        for _, sentence in sentences_read(settings, [model]):
            key = key_of(settings, model.spec, digests, text_input(sentence), model.kind)
            facts = self.seen.facts(key, f"{slug} · {sentence.slug}")
            if facts is None:
                complete = False
                continue
            self.shapes[slug] = facts.layers, facts.heads
            self.keys[slug, sentence.slug] = key
        for auxiliary in auxiliary_inputs(settings, model):
            key = key_of(settings, model.spec, digests, auxiliary.model_input, model.kind)
            if self.seen.has(key, f"{slug} · {auxiliary.name}"):
                self.auxiliary[slug, auxiliary.name] = key
            else:
                complete = False
        return complete


def _resolved(manifest: Manifest, index: int, pins: Pins) -> ResolvedModel | None:
    """The files of a model, None for one of the hub that cannot be looked at now."""
    spec, problem = manifest.settings.models[index], problem_at(manifest, "models", index, "source")
    try:
        return resolve(spec, manifest.root, problem, pins.lookup(spec))
    except ModelError:
        if parse_source(spec.source).kind != "hub":
            raise
        return None


def _remembered(memory: FingerprintMemory, model: ResolvedModel) -> bool:
    with suppress(OSError):
        return all(memory.remembers(path) for path in files(model))
    return False


def _possible_models(index: int, spec: ModelSpec) -> list[ShownModel]:
    # What is not known of a model must not be held against the notes: it may be shown under all these names.
    slugs = possible_slugs(spec.slug)
    return [ShownModel(index, "", spec.model_copy(update={"slug": slug})) for slug in slugs]
