"""Look at what a build is made from, as far as that goes without running a model or writing a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attention_gallery.build.annotate import Annotated, annotate
from attention_gallery.build.captures import key_of, key_of_given
from attention_gallery.build.contrasts import check_contrasts
from attention_gallery.build.data import CachedData, CapturedEvidence
from attention_gallery.build.gather import link_map
from attention_gallery.build.hidden import RANDOM_TOKENS, hidden_texts
from attention_gallery.build.identify import at_source
from attention_gallery.build.locking import tell_others
from attention_gallery.build.pins import Pins
from attention_gallery.build.probes import Reader, model_probes
from attention_gallery.build.project import Project
from attention_gallery.build.shown import ShownModel, clashes, pairs_read, shown_models, with_pages
from attention_gallery.errors import DamagedEntry, ModelError, Problem, UserError, told_in_short
from attention_gallery.manifest import parse_source
from attention_gallery.manifest.lengths import ladder_of
from attention_gallery.manifest.lock import lock_path
from attention_gallery.manifest.lock_reader import read_lock
from attention_gallery.manifest.settings import GallerySettings, ModelSpec
from attention_gallery.manifest.slugs import possible_slugs
from attention_gallery.models import (
    FingerprintMemory,
    ModelFingerprint,
    ResolvedModel,
    files,
    fingerprint,
    resolve,
)
from attention_gallery.notes import check_heads, check_models
from attention_gallery.pages.model_probe import ModelProbe
from attention_gallery.pages.notes import gather_notes
from attention_gallery.pages.numbers import Numbers
from attention_gallery.pages.routes import HeadRoutes
from attention_gallery.progress import Reporter
from attention_gallery.store import AttentionStore
from attention_gallery.theme.assets import bundle
from attention_gallery.theme.render import Renderer

Keys = dict[tuple[str, str], str]

# Stands for the layers and heads of a model that was never captured: more than any model has.
_ANY = (200, 200)


def inspect_sources(project: Project, cache: Path, reporter: Reporter) -> list[str]:
    """Check models, lock, notes and theme, and return warnings. Raises `UserError` with all problems.

    Nothing is downloaded: of a model of the hub, a copy in the cache is held to the lock, if there are both.
    The heads that a note names, and what it claims, are checked for models that were captured before.
    """
    warnings: list[str] = []
    pins = Pins()
    problems: list[Problem] = []
    kind: type[UserError] = UserError
    shown: list[ShownModel] = []
    shapes: dict[str, tuple[int, int]] = {}
    keys: Keys = {}

    def attempt(look: Callable[[], None]) -> None:
        nonlocal kind
        try:
            look()
        except UserError as error:
            kind = type(error)
            problems.extend(error.problems)

    def read() -> None:
        nonlocal pins
        pins = Pins(read_lock(lock_path(project.manifest.path)), fetch=False)
        if pins.lock is not None:
            warnings.extend(tell_others(pins.lock, project.model_slugs, reporter))

    attempt(read)
    memory = FingerprintMemory(cache / "fingerprints.json", keep=False)
    for index in range(len(project.manifest.settings.models)):
        attempt(lambda index=index: _model(project, cache, index, (pins, memory), (shown, shapes, keys)))  # type: ignore[misc]
    attempt(lambda: _slugs(project, shown))
    slugs = [one.spec.slug for one in shown]
    attempt(lambda: check_models(project.notes, slugs, _pairs(project, shown)))
    attempt(lambda: check_heads(project.notes, shapes))
    attempt(lambda: check_contrasts(project.manifest, shown, shapes))
    parsed = Annotated(project.manifest, {}, complete=False)

    def parse() -> None:
        nonlocal parsed
        parsed = annotate(project.manifest, cache / "analysis", reporter, run=False)

    attempt(parse)
    attempt(lambda: warnings.extend(_notes(project, cache, shown, (shapes, keys, parsed), reporter)))
    attempt(lambda: _theme(project))
    if problems:
        raise kind(problems)
    return warnings


def _model(
    project: Project,
    cache: Path,
    index: int,
    known: tuple[Pins, FingerprintMemory],
    found_so_far: tuple[list[ShownModel], dict[str, tuple[int, int]], Keys],
) -> None:
    """Add what is shown of a model, the shapes that captures of it tell, and the keys of these captures."""
    spec, problem = project.manifest.settings.models[index], at_source(project.manifest, index)
    (pins, memory), (shown, shapes, keys) = known, found_so_far
    try:
        pins.check_asked(spec, problem)
        found = _found(project, index, pins)
    except UserError:
        shown.extend(_may_be(index, spec))
        raise
    if found is None:
        shown.extend(_may_be(index, spec))
        return
    kinds, wrong = shown_models(project.manifest, index, found.kinds)
    shown.extend(kinds or _may_be(index, spec))
    if wrong:
        raise ModelError(wrong)
    if pins.lock is None and not all(memory.remembers(path) for path in files(found)):
        return  # only for a lock is it worth while to read whole files of weights
    digests = fingerprint(found, memory)
    pins.check_found(spec, found, digests, problem)
    for one in kinds:
        shape = _captured(project, cache, one, digests, keys)
        if shape is not None:
            shapes[one.spec.slug] = shape


def _may_be(index: int, spec: ModelSpec) -> list[ShownModel]:
    # What is not known of a model must not be held against the notes: it may be shown under all these names.
    return [ShownModel(index, "", spec.model_copy(update={"slug": one})) for one in possible_slugs(spec.slug)]


def _found(project: Project, index: int, pins: Pins) -> ResolvedModel | None:
    """The files of a model, None for one of the hub that cannot be looked at now."""
    spec = project.manifest.settings.models[index]
    hub = parse_source(spec.source).kind == "hub"
    if hub and pins.lock is None:
        return None
    try:
        return resolve(spec, project.root, at_source(project.manifest, index), pins.lookup(spec))
    except ModelError:
        if hub:
            return None
        raise


def _slugs(project: Project, shown: list[ShownModel]) -> None:
    problems = clashes(project.manifest, [one for one in shown if one.kind])
    if problems:
        raise ModelError(problems)


def _captured(
    project: Project, cache: Path, shown: ShownModel, digests: ModelFingerprint, keys: Keys
) -> tuple[int, int] | None:
    """Add the keys of the captures of a model, and return its layers and heads where one of them tells."""
    store = AttentionStore(cache / "store")
    shape = None
    for _, sentence in pairs_read(project.manifest.settings, [shown]):
        key = key_of(project.manifest.settings, shown.spec, digests, sentence, shown.kind)
        try:
            if store.has(key):
                facts = store.open(key).facts
                shape = facts.layers, facts.heads
                keys[shown.spec.slug, sentence.slug] = key
        except DamagedEntry:
            continue
    for text in hidden_texts(project.manifest.settings, shown):
        key = key_of_given(project.manifest.settings, shown.spec, digests, text.given, shown.kind)
        if text.name == RANDOM_TOKENS and store.has(key):
            keys[shown.spec.slug, RANDOM_TOKENS] = key
    return shape


def _notes(
    project: Project,
    cache: Path,
    shown: list[ShownModel],
    found: tuple[dict[str, tuple[int, int]], Keys, Annotated],
    reporter: Reporter,
) -> list[str]:
    """Check the notes, and return a warning, told already, for every claim that does not hold."""
    shapes, keys, parsed = found
    models = {
        one.spec.slug: (one.spec.title, HeadRoutes.of(*shapes.get(one.spec.slug, _ANY))) for one in shown
    }
    paged: dict[tuple[str, str], tuple[tuple[int, int], ...]] = dict.fromkeys(_pairs(project, shown), ())
    settings = project.manifest.settings
    store = AttentionStore(cache / "store")
    data = CachedData(store, cache / "analysis", settings.analysis, keep=False, measures=project.measures)
    # The kind of a model whose files were not found is not known; it may have any.
    measured = [one.spec.slug for one in shown if one.kind in ("", "self", "encoder")]
    links = link_map(project, models, paged, measured if ladder_of(settings) else ())
    try:
        probes = _probes(parsed.manifest.settings, shown, keys, data) if parsed.complete else {}
        random_tokens = {model: key for (model, name), key in keys.items() if name == RANDOM_TOKENS}
        evidence = CapturedEvidence(data, keys, probes, random_tokens)
        numbers = Numbers(links, settings.sentences, evidence, data.measures)
        failures = gather_notes(project.notes, numbers).failures
        warnings = [told_in_short(failure, project.root) for failure in failures]
    except DamagedEntry as error:
        warnings = [f"{error}; until it is captured again the notes cannot be checked"]
    for warning in warnings:
        reporter.warning(warning)
    return warnings


def _probes(
    settings: GallerySettings, shown: list[ShownModel], keys: Keys, data: CachedData
) -> dict[str, ModelProbe]:
    """The probes of the models all of whose sentences were captured."""
    readers: list[Reader] = []
    probes: dict[str, ModelProbe] = {}
    for model in shown:
        read = [keys.get((model.spec.slug, one.slug)) for _, one in pairs_read(settings, [model])]
        if not read or None in read:
            continue
        if model.kind in ("decoder", "cross"):
            probes[model.spec.slug] = ModelProbe.empty()
        else:
            readers.append(Reader.of(model.spec.slug, data.peek(read[0] or "")))
    return {**probes, **model_probes(settings, readers, keys, data)}


def _pairs(project: Project, shown: list[ShownModel]) -> list[tuple[str, str]]:
    read = with_pages(project.manifest.settings, shown)
    return [(model.spec.slug, sentence.slug) for model, sentence in read]


def _theme(project: Project) -> None:
    bundle(project.theme, project.options)
    Renderer(project.theme).load_all()
