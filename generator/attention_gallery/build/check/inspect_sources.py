"""Look at what a build is made from, as far as that goes without running a model.

`check` does so and writes nothing; `build` does the same before anything is downloaded, captured or imported
that takes long: what it refuses for another reason than what was captured, `check` tells in the same words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.analysis.probing.examples import PREVIOUS
from attention_gallery.build.cache_folder import require_readable
from attention_gallery.build.check.inspect_captures import SeenCaptures
from attention_gallery.build.check.problems import Problems
from attention_gallery.build.check.warned import Warned
from attention_gallery.build.execute.cached_data import CachedData, CapturedEvidence
from attention_gallery.build.execute.ownership import owned_files
from attention_gallery.build.options import BuildOptions
from attention_gallery.build.plan.annotate import Annotated, annotate
from attention_gallery.build.plan.attention_kinds import (
    ShownModel,
    clashes,
    pairs_read,
    shown_models,
    with_pages,
)
from attention_gallery.build.plan.auxiliary_inputs import hidden_texts
from attention_gallery.build.plan.captures import Captures, key_of, key_of_given
from attention_gallery.build.plan.contrast_resolution import check_contrasts
from attention_gallery.build.plan.environments import refuse_others, refuse_to_capture, survey
from attention_gallery.build.plan.gather import build_date, link_map
from attention_gallery.build.plan.identify import at_source
from attention_gallery.build.plan.locking import tell_others
from attention_gallery.build.plan.pins import Pins
from attention_gallery.build.plan.probes import Reader, model_probes
from attention_gallery.build.project import AnyName, Project, Sources, read_sources
from attention_gallery.errors import DamagedEntry, ModelError, ThemeError, UserError, told_in_short
from attention_gallery.evidence.answers import Numbers
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.evidence.published_notes import gather_notes
from attention_gallery.manifest import parse_source
from attention_gallery.manifest.blocks.lengths import ladder_of
from attention_gallery.manifest.lockfile.lock import Lock, lock_path
from attention_gallery.manifest.lockfile.lock_reader import read_lock
from attention_gallery.manifest.settings import GallerySettings, ModelSpec
from attention_gallery.manifest.slugs import possible_slugs
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
from attention_gallery.notes import check_heads, check_models
from attention_gallery.pages.plan import needed_templates
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.progress import Reporter
from attention_gallery.project_files import RESULTS, STORE, TEMPLATES
from attention_gallery.store import AttentionStore
from attention_gallery.theme.assets import bundle
from attention_gallery.theme.render import Renderer

Shape = tuple[int, int]

# Stands for the layers and heads of a model that nothing tells of: more than any model has.
_ANY = (200, 200)


@dataclass(frozen=True, slots=True)
class Look:
    """How sources are looked at: with the options of a build, in a cache folder, by a `build` or a check.

    `warned` takes what is no mistake.
    """

    cache: Path
    options: BuildOptions
    reporter: Reporter
    warned: Warned
    build: bool = False


@dataclass(frozen=True, slots=True)
class Inspected:
    """A project in which no mistake was found.

    `complete`: whether the files of all models were there to be looked at; those of others are still to be
    downloaded.
    """

    project: Project
    complete: bool


@dataclass(slots=True)
class _Models:
    """What was found out of the models: shapes by slug, and the keys of captures that are there.

    `keys` are by slugs of model and sentence, `hidden` by slug of the model and name of the hidden text.
    `captured`: whether nothing is missing in the store; `missing`: whether something is known to be.
    """

    seen: SeenCaptures
    shown: list[ShownModel] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    hidden: dict[tuple[str, str], str] = field(default_factory=dict)
    complete: bool = True
    captured: bool = True
    missing: bool = False

    @property
    def found(self) -> Captures:
        """The captures that are there."""
        return Captures((), tuple(self.shown), self.keys, self.hidden, {})


def inspect_sources(manifest: Path, look: Look) -> Inspected:
    """Check manifest, models, lock, notes, theme and output folder. Raises `UserError` with all problems.

    Nothing is downloaded: of a model of the hub, a copy in the cache is held to the lock, if there are both.
    What notes claim, and which words they name, is checked for what was captured before; by a build it is
    not, as that follows.
    """
    sources = read_sources(manifest, look.options.drafts)
    problems, project = sources.problems, sources.project
    if project is None:
        problems.told()
        raise UserError("the manifest cannot be used")  # a manifest that cannot be used has problems
    return _inspected(sources, project, look)


def _inspected(sources: Sources, project: Project, look: Look) -> Inspected:
    problems = sources.problems
    if not look.build:  # which looked before
        with problems.collected():
            require_readable(look.cache)
    pins = _lock(project, problems, look)
    memory = FingerprintMemory(look.cache / "fingerprints.json", keep=look.build)
    models = _Models(SeenCaptures(AttentionStore(look.cache / STORE), look.build))
    for index in range(len(project.manifest.settings.models)):
        with problems.collected():
            _model(project, index, (pins, memory), models)
    if not look.build:  # a build asks again after it has captured, and need not do so twice
        _environments(project, problems, look, pins.lock, models)
        _warn_of_captures(project, problems, look, models)
    # Models that were left out of a manifest with mistakes are not to be missed.
    slugs: list[str] = [one.spec.slug for one in models.shown]
    if sources.sound:
        problems.add(ModelError, clashes(project.manifest, [one for one in models.shown if one.kind]))
        with problems.collected():
            check_models(project.notes, slugs, _pairs(project, models.shown))
        with problems.collected():
            check_contrasts(project.manifest, models.shown, models.shapes)
    with problems.collected():
        check_heads(project.notes, models.shapes)
    parsed = Annotated(project.manifest, {}, complete=False)
    with problems.collected():
        parsed = annotate(project.manifest, look.cache / RESULTS, look.reporter, run=False)
    with problems.collected():
        owned_files(project.site, look.options.force)
    with problems.collected():
        build_date()
    if sources.theme:
        _theme(project, problems, look)
    # A build that finds nothing wrong and captures nothing comes to the notes next anyway.
    if problems or not look.build or not models.captured:
        with problems.collected():
            _notes(sources, project, models, parsed, look)
    problems.told()
    return Inspected(project, models.complete)


def _lock(project: Project, problems: Problems, look: Look) -> Pins:
    """What the lock says; a check warns of what it should not hold."""
    pins = Pins(fetch=False)
    with problems.collected():
        binding = not look.options.update_lock
        pins = Pins(read_lock(lock_path(project.manifest.path)), binding, fetch=False)
    if pins.lock is not None and not look.build:
        tell_others(pins.lock, project.model_slugs, look.reporter, look.warned)
    return pins


def _environments(
    project: Project, problems: Problems, look: Look, lock: Lock | None, models: _Models
) -> None:
    """Hold what was captured, and what is to be, to its numeric environment."""
    settings, strict = project.manifest.settings, look.options.strict
    environments = survey(settings, models.found, models.seen.store, lock)
    if models.missing:
        with problems.collected():
            refuse_to_capture(settings, lock, strict)
    with problems.collected():
        refuse_others(settings, environments, lock, strict)
        if environments.warning:
            look.warned.add(environments.warning)


def _model(project: Project, index: int, known: tuple[Pins, FingerprintMemory], models: _Models) -> None:
    """Add what is shown of a model, its shapes, and the keys of its captures. Raises `UserError`."""
    spec, problem = project.manifest.settings.models[index], at_source(project.manifest, index)
    pins, memory = known
    captured, models.captured = models.captured, False
    try:
        pins.check_asked(spec, problem)
        found = _found(project, index, pins)
    except UserError:
        models.shown.extend(_may_be(index, spec))
        raise
    if found is None:
        models.shown.extend(_may_be(index, spec))
        models.complete = False
        return
    license_of(found)
    kinds, wrong = shown_models(project.manifest, index, found.kinds)
    models.shown.extend(kinds or _may_be(index, spec))
    shapes = declared_shapes(found)
    models.shapes.update({one.spec.slug: shapes[one.kind] for one in kinds if one.kind in shapes})
    remembered = _remembered(memory, found)
    if not remembered:
        wrong += inspect_model(found)
    if wrong:
        raise ModelError(wrong)
    if pins.lock is None and not remembered:
        return  # only for a lock is it worth while to read whole files of weights
    digests = fingerprint(found, memory)
    pins.check_found(spec, found, digests, problem)
    whole = [_captured(project, one, digests, models) for one in kinds]
    models.captured = captured and all(whole)
    models.missing |= not all(whole)
    # Files from which all was captured need not be looked into again.
    if remembered and not all(whole) and (wrong := list(inspect_model(found))):
        raise ModelError(wrong)


def _remembered(memory: FingerprintMemory, model: ResolvedModel) -> bool:
    try:
        return all(memory.remembers(path) for path in files(model))
    except OSError:
        return False


def _may_be(index: int, spec: ModelSpec) -> list[ShownModel]:
    # What is not known of a model must not be held against the notes: it may be shown under all these names.
    return [ShownModel(index, "", spec.model_copy(update={"slug": one})) for one in possible_slugs(spec.slug)]


def _found(project: Project, index: int, pins: Pins) -> ResolvedModel | None:
    """The files of a model, None for one of the hub that cannot be looked at now."""
    spec = project.manifest.settings.models[index]
    hub = parse_source(spec.source).kind == "hub"
    try:
        return resolve(spec, project.root, at_source(project.manifest, index), pins.lookup(spec))
    except ModelError:
        if hub:
            return None
        raise


def _captured(project: Project, shown: ShownModel, digests: ModelFingerprint, models: _Models) -> bool:
    """Add the keys and the shape of the captures of a model, and return whether none is missing."""
    settings, slug = project.manifest.settings, shown.spec.slug
    whole = True
    for _, sentence in pairs_read(settings, [shown]):
        key = key_of(settings, shown.spec, digests, sentence, shown.kind)
        facts = models.seen.facts(key, f"{slug} · {sentence.slug}")
        if facts is None:
            whole = False
            continue
        models.shapes[slug] = facts.layers, facts.heads
        models.keys[slug, sentence.slug] = key
    for text in hidden_texts(settings, shown):
        key = key_of_given(settings, shown.spec, digests, text.given, shown.kind)
        if models.seen.has(key, f"{slug} · {text.name}"):
            models.hidden[slug, text.name] = key
        else:
            whole = False
    return whole


def _warn_of_captures(project: Project, problems: Problems, look: Look, models: _Models) -> None:
    """Warn of captures that cannot be read, and of what models were not given to read."""
    warnings = models.seen.damaged
    with problems.collected():
        warnings = [*warnings, *models.seen.unread(project.manifest, models.shown, models.keys)]
    for warning in warnings:
        look.warned.add(warning)


def _notes(sources: Sources, project: Project, models: _Models, parsed: Annotated, look: Look) -> None:
    """Check the notes, and warn of every claim that does not hold."""
    links = _links(sources, project, models)
    settings = project.manifest.settings
    data = CachedData(
        models.seen.store,
        look.cache / RESULTS,
        settings.analysis,
        keep=False,
        measures=project.measures,
    )
    kinds = _relation_kinds(models, parsed) if sources.sound else {}
    unread = Numbers(links, settings.sentences, CapturedEvidence(data, {}, {}), data.measures, kinds)
    if look.build or not sources.sound:
        gather_notes(project.notes, unread)
        return
    try:
        probes = _probes(parsed.manifest.settings, models, data) if parsed.complete else {}
        evidence = CapturedEvidence(data, models.keys, probes, models.found.repeats)
        numbers = Numbers(links, settings.sentences, evidence, data.measures, kinds)
        failures = gather_notes(project.notes, numbers).failures
        warnings = [told_in_short(failure, project.root) for failure in failures]
    except DamagedEntry as error:
        gather_notes(project.notes, unread)
        warnings = [f"{error}; until it is captured again the notes cannot be held to it"]
    for warning in warnings:
        look.warned.add(warning)


def _links(sources: Sources, project: Project, models: _Models) -> LinkMap:
    """What notes may link to; where something could not be read, whatever may have been in it."""
    settings = project.manifest.settings
    anything = ("", HeadRoutes.of(*_ANY))
    titles: Mapping[str, tuple[str, HeadRoutes]] = {
        one.spec.slug: (one.spec.title, HeadRoutes.of(*models.shapes.get(one.spec.slug, _ANY)))
        for one in models.shown
    }
    paged: dict[tuple[str, str], tuple[tuple[int, int], ...]] = dict.fromkeys(
        _pairs(project, models.shown), ()
    )
    # The kind of a model whose files were not found is not known; it may have any.
    measured = [one.spec.slug for one in models.shown if one.kind in ("", "self", "encoder")]
    links = link_map(project, titles, paged, measured if ladder_of(settings) else ())
    if not sources.sound_notes:
        links = replace(links, pages=AnyName(links.pages, ""), assets=AnyName({}, ""), has_about=True)
    if sources.sound:
        return links
    slugs = sources.slugs
    named = {slug: titles.get(slug, anything) for slug in slugs["models"]}
    return replace(
        links,
        models=AnyName(named, anything) if isinstance(slugs["models"], AnyName) else named,
        sentences=_titled(slugs["sentences"], links.sentences),
        contrasts=_titled(slugs["contrasts"], links.contrasts),
        head_pages=AnyName(links.head_pages, ()),
        lengths=AnyName({}, ""),
    )


def _titled(slugs: Collection[str], titles: Mapping[str, str]) -> Mapping[str, str]:
    if isinstance(slugs, AnyName):
        return AnyName(titles, "")
    return {slug: titles.get(slug, "") for slug in slugs}


def _relation_kinds(models: _Models, parsed: Annotated) -> dict[str, frozenset[str]]:
    """The kinds of relations that each model is probed for, of models of which that is known."""
    if not parsed.complete:
        return {}
    settings = parsed.manifest.settings
    kinds: dict[str, frozenset[str]] = {}
    for model in models.shown:
        if model.kind in ("decoder", "cross"):
            kinds[model.spec.slug] = frozenset()
        elif model.kind:
            read = [one.kind for _, sentence in pairs_read(settings, [model]) for one in sentence.relations]
            kinds[model.spec.slug] = frozenset([PREVIOUS, *read])
    return kinds


def _probes(settings: GallerySettings, models: _Models, data: CachedData) -> dict[str, ModelProbe]:
    """The probes of the models all of whose sentences were captured."""
    readers: list[Reader] = []
    probes: dict[str, ModelProbe] = {}
    for model in models.shown:
        read = [models.keys.get((model.spec.slug, one.slug)) for _, one in pairs_read(settings, [model])]
        if not read or None in read:
            continue
        if model.kind in ("decoder", "cross"):
            probes[model.spec.slug] = ModelProbe.empty()
        else:
            readers.append(Reader.of(model.spec.slug, data.peek(read[0] or "")))
    return {**probes, **model_probes(settings, readers, models.keys, data)}


def _pairs(project: Project, shown: list[ShownModel]) -> list[tuple[str, str]]:
    read = with_pages(project.manifest.settings, shown)
    return [(model.spec.slug, sentence.slug) for model, sentence in read]


def _theme(project: Project, problems: Problems, look: Look) -> None:
    """Check the assets of the theme and all its templates."""
    if project.theme.whole:
        with problems.collected():
            bundle(project.theme, project.options)
    compiled = look.cache / TEMPLATES if look.build else None
    needed = needed_templates(project.manifest.settings, project.notes) if project.theme.whole else ()
    problems.add(ThemeError, Renderer(project.theme, compiled).problems(needed))
