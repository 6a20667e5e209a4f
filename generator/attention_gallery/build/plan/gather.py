"""Bring project, captures and theme together into the gallery that pages are made from."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from attention_gallery.addresses import routes
from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.analysis.measures.analysis_codec import ANALYSIS
from attention_gallery.analysis.result import Subject
from attention_gallery.build.execute.cached_data import CachedData, CapturedEvidence
from attention_gallery.build.look.libraries import LIBRARIES, interpreter
from attention_gallery.build.plan.attention_kinds import ShownModel, with_pages
from attention_gallery.build.plan.auxiliary_inputs import rung_name
from attention_gallery.build.plan.captures import Captures
from attention_gallery.build.plan.contrast_resolution import check_contrasts, resolve_contrasts
from attention_gallery.build.plan.environments import Environments
from attention_gallery.build.plan.probes import Reader, model_probes
from attention_gallery.build.project import Project
from attention_gallery.errors import Problem, UserError
from attention_gallery.evidence.answers import Numbers
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.evidence.published_notes import gather_notes
from attention_gallery.figures.plotly_script import plotly_script
from attention_gallery.files import walk_files
from attention_gallery.hashing import digest, digest_file
from attention_gallery.installed import PACKAGE
from attention_gallery.manifest.blocks.lengths import ladder_of
from attention_gallery.manifest.settings import GallerySettings, SentenceSpec
from attention_gallery.models import license_of
from attention_gallery.notes import check_heads
from attention_gallery.pages.frame import model_inputs, site_info
from attention_gallery.pages.gallery import Gallery, GalleryModel, Pair, PlannedPage, ReadLadder
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.parse_view import SentenceParse
from attention_gallery.records import Provenance
from attention_gallery.theme.assets import bundle, fingerprinted
from attention_gallery.theme.render import Renderer
from attention_gallery.user_files import LARGEST_ASSET, read_user_file
from attention_gallery.version import __version__

# Rooms whose code cannot change a page.
_NOT_INPUTS = ("cli/", "serve/", "publish.py", "capturing/")


def gather(
    project: Project,
    captures: Captures,
    data: CachedData,
    environments: Environments,
    parses: Mapping[str, SentenceParse] = MappingProxyType({}),
    compiled: Path | None = None,
) -> Gallery:
    """The gallery; `parses` are by slug of the sentence, and the folder `compiled` keeps compiled templates.

    Raises `UserError` for notes that do not fit, `DamagedEntry` for broken captures.
    """
    settings = project.manifest.settings
    models = tuple(_model(project, captures, data, environments, shown) for shown in captures.shown)
    pairs = _pairs(project, captures, data, environments, models)
    shapes = {m.spec.slug: (m.facts.layers, m.facts.heads) for m in models}
    check_heads(project.notes, shapes)
    check_contrasts(project.manifest, captures.shown, shapes)
    contrasts = tuple(resolve_contrasts(settings, pairs))
    ladders = _ladders(settings, captures)
    probes = _probes(settings, captures, models, data)
    evidence = _evidence(captures, models, probes, data)
    titles = {model.spec.slug: (model.spec.title, model.routes) for model in models}
    links = link_map(project, titles, {at: pair.heads for at, pair in pairs.items()}, ladders)
    notes = gather_notes(project.notes, Numbers(links, settings.sentences, evidence, data.measures))
    assets = bundle(project.theme, project.options)
    plotly = fingerprinted("plotly.js", plotly_script().read_bytes())
    built = build_date()
    renderer = Renderer(project.theme, compiled)
    gallery = Gallery(
        settings=settings,
        models=models,
        sentences=tuple(sentence for sentence in settings.sentences if sentence.pages),
        pairs=pairs,
        probes=probes,
        repeats=captures.repeats,
        ladders=ladders,
        parses=parses,
        notes=notes,
        data=data,
        renderer=renderer,
        assets=assets,
        plotly=plotly,
        options=project.options,
        base=_base(
            project,
            environments,
            (plotly, built),
            (notes.has_about, bool(notes.pages), bool(contrasts)),
        ),
        generator=f"Attention Gallery {__version__}",
        built=built,
        contrasts=contrasts,
    )
    renderer.share(site=site_info(gallery))
    return gallery


def _model(
    project: Project, captures: Captures, data: CachedData, environments: Environments, shown: ShownModel
) -> GalleryModel:
    settings, index = project.manifest.settings, shown.index
    keys = [key for (slug, _), key in captures.keys.items() if slug == shown.spec.slug]
    # The first that comes from the gallery's own environment speaks for the others, if there is one.
    first = data.peek(min(keys, key=lambda key: bool(environments.of(index, key))))
    # The license is told as it is now: the same weights may have been captured under another.
    facts = replace(first.facts, license=license_of(captures.models[shown.index][0]))
    origin = _origin(captures, index, first.provenance, environments.of_model(index, keys))
    return GalleryModel.of(shown.spec, facts, origin, settings.models[shown.index].slug, shown.kind)


def _origin(captures: Captures, index: int, captured: Provenance, differs: str) -> Provenance:
    """Where the numbers come from, with the source that the manifest names now.

    The same weights may have been captured from another place; their digests say that they are the same.
    """
    found = captures.models[index][0]
    return replace(captured, source=found.source, revision=found.revision, differs=differs)


def _probes(
    settings: GallerySettings, captures: Captures, models: tuple[GalleryModel, ...], data: CachedData
) -> dict[str, ModelProbe]:
    """The probe of each model that reads the sentences themselves."""
    readers = [_reader(captures, data, model) for model in models if not model.reads_target]
    return model_probes(settings, readers, captures.keys, data)


def _evidence(
    captures: Captures,
    models: tuple[GalleryModel, ...],
    probes: Mapping[str, ModelProbe],
    data: CachedData,
) -> CapturedEvidence:
    """What notes are held to. A model that reads a target was probed for nothing."""
    unread = {model.spec.slug: ModelProbe.empty() for model in models if model.reads_target}
    titles = {model.spec.slug: model.spec.title for model in models}
    return CapturedEvidence(data, captures.keys, {**probes, **unread}, captures.repeats, titles)


def _reader(captures: Captures, data: CachedData, model: GalleryModel) -> Reader:
    slug = model.spec.slug
    return Reader.of(slug, data.peek(next(key for (one, _), key in captures.keys.items() if one == slug)))


def _pairs(
    project: Project,
    captures: Captures,
    data: CachedData,
    environments: Environments,
    models: tuple[GalleryModel, ...],
) -> dict[tuple[str, str], Pair]:
    """Every pair that has pages, by slugs of model and sentence."""
    named = {model.spec.slug: model for model in models}
    return {
        (one.spec.slug, sentence.slug): _pair(
            project, captures, data, environments, (one.index, named[one.spec.slug]), sentence
        )
        for one, sentence in with_pages(project.manifest.settings, captures.shown)
    }


def _pair(
    project: Project,
    captures: Captures,
    data: CachedData,
    environments: Environments,
    numbered: tuple[int, GalleryModel],
    sentence: SentenceSpec,
) -> Pair:
    index, model = numbered
    key = captures.keys[model.spec.slug, sentence.slug]
    entry = data.peek(key)
    settings = project.manifest.settings
    provenance = _origin(captures, index, entry.provenance, environments.of(index, key))
    inputs = digest(
        [
            model_inputs(model),
            asdict(provenance),
            # Relations change nothing of what heads do: pages that show them name them themselves.
            sentence.model_dump(mode="json", exclude={"relations", "annotate"}),
            data.key(ANALYSIS, Subject((key,), data.measures)),
        ]
    )
    heads = _head_places(settings.pages.heads, model, data, key)
    return Pair(model, sentence, key, inputs, heads, provenance)


def _ladders(settings: GallerySettings, captures: Captures) -> dict[str, ReadLadder]:
    """What each model read at several lengths."""
    ladder = ladder_of(settings)
    if ladder is None:
        return {}
    found = {}
    for model in captures.shown:
        slug = model.spec.slug
        keys = [captures.hidden.get((slug, rung_name(index))) for index in range(len(ladder.rungs))]
        if None not in keys:
            found[slug] = ReadLadder(ladder.rungs, tuple(key or "" for key in keys), ladder.sentence)
    return found


def _head_places(which: str, model: GalleryModel, data: CachedData, key: str) -> tuple[tuple[int, int], ...]:
    if which == "all":
        return model.places
    return data.measured(key).notable() if which == "notable" else ()


def link_map(
    project: Project,
    models: Mapping[str, tuple[str, HeadRoutes]],
    paged: Mapping[tuple[str, str], tuple[tuple[int, int], ...]],
    lengths: Iterable[str],
) -> LinkMap:
    """What notes may link to.

    `models`: by slug; `paged`: by (model, sentence), heads with a page; `lengths`: models measured at several
    lengths.
    """
    settings = project.manifest.settings
    pages = [note for note in project.notes if note.target.kind == "page"]
    return LinkMap(
        models=models,
        sentences={sentence.slug: sentence.title for sentence in settings.sentences if sentence.pages},
        pages={note.target.slug or "": note.title for note in pages},
        head_pages=paged,
        assets=frozenset(project.assets),
        contrasts={contrast.slug: contrast.title for contrast in settings.contrasts},
        has_about=any(note.target.kind == "about" for note in project.notes),
        lengths=frozenset(lengths),
    )


def _base(
    project: Project,
    environments: Environments,
    script_and_date: tuple[str, str | None],
    ways: tuple[bool, ...],
) -> str:
    """Digest of what every page depends on: the words around it, the theme, the code, the libraries.

    `ways` tell which links stand at the top of every page. Which captures are of another environment counts,
    as results over many sentences, which hang on the numbers of each, are known by their keys alone.
    """
    settings = project.manifest.settings
    shared = settings.model_dump(
        mode="json", include={"title", "description", "author", "language", "base_url", "pages"}
    )
    code = [
        (name, digest_file(PACKAGE / name))
        for name in walk_files(PACKAGE)
        if name.endswith(".py") and not name.startswith(_NOT_INPUTS)
    ]
    libraries = [interpreter(), *((name, version(name)) for name in LIBRARIES.values())]
    theme = project.theme.digest()
    others = environments.others
    return digest([shared, dict(project.options), theme, *script_and_date, ways, code, libraries, others])


def build_date() -> str | None:
    """The date of the build, only where SOURCE_DATE_EPOCH gives one. Raises `UserError`."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return None
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(int(epoch)))
    except (ValueError, OverflowError, OSError):
        mend = "give whole seconds since 1970, for example 1767225600, or unset it"
        raise UserError(Problem(f"SOURCE_DATE_EPOCH is {epoch!r}", mend)) from None


def shared_files(project: Project, gallery: Gallery) -> list[PlannedPage]:
    """The Plotly script and the files beside the notes, taken as they are."""
    script = plotly_script()
    files = [PlannedPage(routes.asset(gallery.plotly), gallery.plotly, script.read_bytes)]
    for name, path in sorted(project.assets.items()):
        read = partial(read_user_file, path, LARGEST_ASSET)
        files.append(PlannedPage(routes.note_asset(name), digest_file(path), read))
    return files
