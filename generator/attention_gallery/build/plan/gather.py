"""Bring project, captures and theme together into the gallery that pages are made from."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from attention_gallery.addresses import routes
from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.build.execute.cached_data import CachedData, CapturedEvidence
from attention_gallery.build.look.libraries import LIBRARIES, interpreter
from attention_gallery.build.plan.attention_kinds import ShownModel
from attention_gallery.build.plan.attention_kinds import with_pages as pages_read
from attention_gallery.build.plan.auxiliary_inputs import prefix_name
from attention_gallery.build.plan.captures import Captures
from attention_gallery.build.plan.contrast_resolution import check_contrasts, resolve_contrasts
from attention_gallery.build.plan.environments import Environments
from attention_gallery.build.plan.probes import Reader, model_probes
from attention_gallery.build.project import Project
from attention_gallery.errors import Problem, UserError
from attention_gallery.evidence.answers import Numbers
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.evidence.published_notes import GalleryNotes, gather_notes
from attention_gallery.figures.plotly_script import plotly_script
from attention_gallery.files import walk_files
from attention_gallery.hashing import digest, digest_file
from attention_gallery.installed import PACKAGE
from attention_gallery.manifest.blocks.lengths import length_sweep_of
from attention_gallery.manifest.settings import GallerySettings, ParsedRelation, RelationSpec, SentenceSpec
from attention_gallery.models import license_of
from attention_gallery.notes.load_notes import check_heads
from attention_gallery.pages.contexts.shared import Options, SiteInfo
from attention_gallery.pages.frame import model_digest
from attention_gallery.pages.gallery import (
    Capture,
    Gallery,
    GalleryModel,
    PrefixSweep,
    Site,
    sentence_digest,
    without_relations,
)
from attention_gallery.pages.page_kind import PlannedPage
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.parse_view import SentenceParse
from attention_gallery.records import Provenance
from attention_gallery.theme.bundle import bundle, fingerprinted
from attention_gallery.theme.renderer import Renderer
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
    captured = _CapturedGallery(project, captures, data, environments)
    models = captured.models()
    with_pages = captured.captures(models)
    sweeps = _prefix_sweeps(settings, captures)
    probes = captured.probes(models)
    titles = {model.spec.slug: (model.spec.title, model.routes) for model in models}
    links = link_map(project, titles, {at: capture.heads for at, capture in with_pages.items()}, sweeps)
    notes = gather_notes(project.notes, captured.numbers(models, probes, links))
    contrasts = tuple(resolve_contrasts(settings, with_pages))
    site = _site(project, environments, notes, bool(contrasts), Renderer(project.theme, compiled))
    paged = [sentence for sentence in settings.sentences if sentence.pages]
    return Gallery(
        site=site,
        settings=settings,
        models=models,
        sentences=tuple(map(without_relations, paged)),
        relations={sentence.slug: _gold(sentence) for sentence in paged},
        captures=with_pages,
        probes=probes,
        repeats=captures.repeats,
        sweeps=sweeps,
        parses=parses,
        notes=notes,
        data=data,
        contrasts=contrasts,
    )


def _gold(sentence: SentenceSpec) -> tuple[RelationSpec, ...]:
    return tuple(edge for edge in sentence.relations if not isinstance(edge, ParsedRelation))


@dataclass(frozen=True, slots=True)
class _CapturedGallery:
    """What was captured, as pages see it."""

    project: Project
    captured: Captures
    data: CachedData
    environments: Environments

    def models(self) -> tuple[GalleryModel, ...]:
        """All models, to whose heads notes and contrasts are held. Raises `UserError`."""
        models = tuple(self._model(shown) for shown in self.captured.shown)
        shapes = {model.spec.slug: (model.facts.layers, model.facts.heads) for model in models}
        check_heads(self.project.notes, shapes)
        check_contrasts(self.project.manifest, self.captured.shown, shapes)
        return models

    def _model(self, shown: ShownModel) -> GalleryModel:
        """A model with what its captures tell of it."""
        index = shown.index
        keys = self._keys(shown.spec.slug)
        # The first that comes from the gallery's own environment speaks for the others, if there is one.
        first = self.data.peek(min(keys, key=lambda key: bool(self.environments.of(index, key))))
        # The license is told as it is now: the same weights may have been captured under another.
        facts = replace(first.facts, license=license_of(self.captured.models[index][0]))
        origin = self._origin(index, first.provenance, self.environments.of_model(index, keys))
        family = self.project.manifest.settings.models[index].slug
        digest_of_model = model_digest(shown.spec, facts, origin)
        return GalleryModel(shown.spec, facts, origin, family, shown.kind, digest_of_model)

    def _keys(self, model: str) -> list[str]:
        return [key for (slug, _), key in self.captured.keys.items() if slug == model]

    def _origin(self, index: int, captured: Provenance, differs: str) -> Provenance:
        """Where the numbers come from, with the source that the manifest names now.

        The same weights may have been captured from another place; their digests say that they are the same.
        """
        source = self.captured.models[index][0]
        return replace(captured, source=source.source, revision=source.revision, differs=differs)

    def captures(self, models: tuple[GalleryModel, ...]) -> dict[tuple[str, str], Capture]:
        """Every capture that has pages, by slugs of model and sentence."""
        by_slug = {model.spec.slug: model for model in models}
        return {
            (shown.spec.slug, sentence.slug): self._capture(shown.index, by_slug[shown.spec.slug], sentence)
            for shown, sentence in pages_read(self.project.manifest.settings, self.captured.shown)
        }

    def _capture(self, index: int, model: GalleryModel, sentence: SentenceSpec) -> Capture:
        key = self.captured.keys[model.spec.slug, sentence.slug]
        captured = self.data.peek(key).provenance
        origin = self._origin(index, captured, self.environments.of(index, key))
        bare, heads = without_relations(sentence), self._heads_with_pages(model, key)
        inputs = digest([model.digest, asdict(origin), sentence_digest(bare), heads])
        return Capture(model, bare, key, heads, origin, inputs)

    def _heads_with_pages(self, model: GalleryModel, key: str) -> tuple[tuple[int, int], ...]:
        which = self.project.manifest.settings.pages.heads
        if which == "all":
            return model.heads
        return self.data.measured(key).notable() if which == "notable" else ()

    def probes(self, models: tuple[GalleryModel, ...]) -> dict[str, ModelProbe]:
        """The probe of each model that reads the sentences themselves."""
        slugs = [model.spec.slug for model in models if not model.reads_target]
        readers = [Reader.from_capture(slug, self.data.peek(self._keys(slug)[0])) for slug in slugs]
        return model_probes(self.project.manifest.settings, readers, self.captured.keys, self.data)

    def numbers(
        self, models: tuple[GalleryModel, ...], probes: Mapping[str, ModelProbe], links: LinkMap
    ) -> Numbers:
        """What notes are held to. A model that reads a target was probed for nothing."""
        unread = {model.spec.slug: ModelProbe.empty() for model in models if model.reads_target}
        titles = {model.spec.slug: model.spec.title for model in models}
        keys, repeats = self.captured.keys, self.captured.repeats
        evidence = CapturedEvidence(self.data, keys, {**probes, **unread}, repeats, titles)
        return Numbers(links, self.project.manifest.settings.sentences, evidence, self.data.measures)


def _prefix_sweeps(settings: GallerySettings, captures: Captures) -> dict[str, PrefixSweep]:
    """What each model read at several lengths."""
    sweep = length_sweep_of(settings)
    if sweep is None:
        return {}
    sweeps = {}
    for model in captures.shown:
        slug = model.spec.slug
        keys = [captures.auxiliary.get((slug, prefix_name(index))) for index in range(len(sweep.prefixes))]
        if None not in keys:
            sweeps[slug] = PrefixSweep(sweep.prefixes, tuple(key or "" for key in keys), sweep.sentence)
    return sweeps


def _site(
    project: Project, environments: Environments, notes: GalleryNotes, has_contrasts: bool, renderer: Renderer
) -> Site:
    settings = project.manifest.settings
    assets = bundle(project.theme, project.options)
    info = SiteInfo(
        title=settings.title,
        description=settings.description,
        author=settings.author,
        language=settings.language,
        generator=f"Attention Gallery {__version__}",
        options=Options(project.options),
        has_notes=bool(notes.pages),
        has_about=notes.has_about,
        has_contrasts=has_contrasts,
        special_tokens=settings.pages.special_tokens,
        static={name: routes.asset(written) for name, written in assets.static.items()},
    )
    plotly = fingerprinted("plotly.js", plotly_script().read_bytes())
    values = (settings.base_url, settings.pages.downloads, plotly, build_date())
    inputs = digest([asdict(info), values, project.theme.digest(), _made_with(environments)])
    renderer.share(site=info)
    return Site(info, *values, assets, renderer, inputs)


def _made_with(environments: Environments) -> list[object]:
    """What else can change every page: code, libraries, and which captures are of another environment.

    The last counts, as results over many sentences, which hang on the numbers of each, are known by their
    keys alone.
    """
    code = [
        (name, digest_file(PACKAGE / name))
        for name in walk_files(PACKAGE)
        if name.endswith(".py") and not name.startswith(_NOT_INPUTS)
    ]
    libraries = [interpreter(), *((name, version(name)) for name in LIBRARIES.values())]
    return [code, libraries, environments.others]


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
    files = [PlannedPage(routes.asset(gallery.site.plotly), gallery.site.plotly, script.read_bytes)]
    for name, path in sorted(project.assets.items()):
        read = partial(read_user_file, path, LARGEST_ASSET)
        files.append(PlannedPage(routes.note_asset(name), digest_file(path), read))
    return files
