"""Check the notes of a project: where they link to, what they ask, and what they claim of captures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.analysis.probing.examples import PREVIOUS
from attention_gallery.build.checks.inspect_models import InspectedModels
from attention_gallery.build.execute.cached_data import CachedData, CapturedEvidence
from attention_gallery.build.plan.annotate import Annotated
from attention_gallery.build.plan.attention_kinds import sentences_read
from attention_gallery.build.plan.gather import link_map
from attention_gallery.build.plan.probes import Reader, model_probes
from attention_gallery.build.project import AnyName, Project, Sources
from attention_gallery.build.run import Run
from attention_gallery.errors import DamagedEntry, short_message
from attention_gallery.evidence.answers import Numbers
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.evidence.published_notes import gather_notes
from attention_gallery.manifest.blocks.lengths import length_sweep_of
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.pages.readers.model_probe import ModelProbe

# Stands for the layers and heads of a model of which nothing is known: more than any model has.
_ANY_SHAPE = (200, 200)


def check_notes(
    sources: Sources, project: Project, models: InspectedModels, annotated: Annotated, run: Run, build: bool
) -> None:
    """Check the notes, and warn of every claim that does not hold; by a build not, as that follows.

    Raises `UserError`.
    """
    links = _links(sources, project, models)
    settings = project.manifest.settings
    data = CachedData(
        models.seen.store, run.results, settings.analysis, keep=False, measures=project.measures
    )
    kinds = _relation_kinds(models, annotated) if sources.sound else {}
    unread = Numbers(links, settings.sentences, CapturedEvidence(data, {}, {}), data.measures, kinds)
    if build or not sources.sound:
        gather_notes(project.notes, unread)
        return
    try:
        probes = _probes(annotated.manifest.settings, models, data) if annotated.complete else {}
        evidence = CapturedEvidence(data, models.keys, probes, models.captures.repeats)
        numbers = Numbers(links, settings.sentences, evidence, data.measures, kinds)
        failures = gather_notes(project.notes, numbers).failures
        warnings = [short_message(failure, project.root) for failure in failures]
    except DamagedEntry as error:
        gather_notes(project.notes, unread)
        warnings = [f"{error}; until it is captured again the notes cannot be held to it"]
    for warning in warnings:
        run.warnings.add(warning)


def _links(sources: Sources, project: Project, models: InspectedModels) -> LinkMap:
    """What notes may link to; where something could not be read, whatever may have been in it."""
    settings = project.manifest.settings
    any_model = ("", HeadRoutes.from_counts(*_ANY_SHAPE))
    titles: Mapping[str, tuple[str, HeadRoutes]] = {
        model.spec.slug: (
            model.spec.title,
            HeadRoutes.from_counts(*models.shapes.get(model.spec.slug, _ANY_SHAPE)),
        )
        for model in models.models
    }
    paged: dict[tuple[str, str], tuple[tuple[int, int], ...]] = dict.fromkeys(models.paged(settings), ())
    # The kind of a model whose files were not found is not known; it may have any.
    swept = [model.spec.slug for model in models.models if model.kind in ("", "self", "encoder")]
    links = link_map(project, titles, paged, swept if length_sweep_of(settings) else ())
    if not sources.sound_notes:
        links = replace(links, pages=AnyName(links.pages, ""), assets=AnyName({}, ""), has_about=True)
    if sources.sound:
        return links
    slugs = sources.slugs
    named = {slug: titles.get(slug, any_model) for slug in slugs["models"]}
    return replace(
        links,
        models=AnyName(named, any_model) if isinstance(slugs["models"], AnyName) else named,
        sentences=_titled(slugs["sentences"], links.sentences),
        contrasts=_titled(slugs["contrasts"], links.contrasts),
        head_pages=AnyName(links.head_pages, ()),
        lengths=AnyName({}, ""),
    )


def _titled(slugs: Collection[str], titles: Mapping[str, str]) -> Mapping[str, str]:
    if isinstance(slugs, AnyName):
        return AnyName(titles, "")
    return {slug: titles.get(slug, "") for slug in slugs}


def _relation_kinds(models: InspectedModels, annotated: Annotated) -> dict[str, frozenset[str]]:
    """The kinds of relations that each model is probed for, of models of which that is known."""
    if not annotated.complete:
        return {}
    settings = annotated.manifest.settings
    kinds: dict[str, frozenset[str]] = {}
    for model in models.models:
        if model.kind in ("decoder", "cross"):
            kinds[model.spec.slug] = frozenset()
        elif model.kind:
            sentences = (sentence for _, sentence in sentences_read(settings, [model]))
            relations = {relation.kind for sentence in sentences for relation in sentence.relations}
            kinds[model.spec.slug] = frozenset([PREVIOUS, *relations])
    return kinds


def _probes(settings: GallerySettings, models: InspectedModels, data: CachedData) -> dict[str, ModelProbe]:
    """The probes of the models all of whose sentences were captured."""
    readers: list[Reader] = []
    probes: dict[str, ModelProbe] = {}
    for model in models.models:
        slug = model.spec.slug
        keys = [models.keys.get((slug, sentence.slug)) for _, sentence in sentences_read(settings, [model])]
        if not keys or None in keys:
            continue
        if model.kind in ("decoder", "cross"):
            probes[slug] = ModelProbe.empty()
        else:
            readers.append(Reader.from_capture(slug, data.peek(keys[0] or "")))
    return {**probes, **model_probes(settings, readers, models.keys, data)}
