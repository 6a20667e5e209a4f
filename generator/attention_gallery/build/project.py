"""Everything that the author wrote, read and checked before any model is looked at."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attention_gallery.analysis import BUILT_IN, MeasureSet
from attention_gallery.build.own_measures import own_measures
from attention_gallery.errors import ManifestError, Problem, UserError
from attention_gallery.manifest import Manifest, load_manifest, without_drafts
from attention_gallery.manifest.slugs import possible_slugs
from attention_gallery.notes import Note, content_assets, load_notes
from attention_gallery.theme.find import OptionValue, Theme, find_theme


@dataclass(frozen=True, slots=True)
class Project:
    """Manifest, notes, files beside the notes, theme and its options, and all measures.

    `model_slugs` are those of all models, drafts that are left out of the manifest included.
    """

    manifest: Manifest
    notes: tuple[Note, ...]
    assets: Mapping[str, Path]
    theme: Theme
    options: Mapping[str, OptionValue]
    model_slugs: frozenset[str]
    measures: MeasureSet

    @property
    def root(self) -> Path:
        """The folder of the manifest."""
        return self.manifest.root

    @property
    def site(self) -> Path:
        """The folder that the site is written to."""
        return self.root / self.manifest.settings.output

    @property
    def content(self) -> Path:
        """The folder of notes."""
        return self.root / self.manifest.settings.content


def read_project(manifest_path: Path, drafts: bool) -> Project:
    """Read it all. Raises `UserError` with the problems of notes, theme and measures together."""
    whole = load_manifest(manifest_path)
    manifest = whole if drafts else without_drafts(whole)
    settings = manifest.settings
    content = manifest.root / settings.content
    problems: list[Problem] = []
    kind: type[UserError] = UserError
    notes: tuple[Note, ...] = ()
    assets: dict[str, Path] = {}
    theme = None
    measures = BUILT_IN
    options: Mapping[str, OptionValue] = {}
    try:
        _check_content(whole, content)
        # Which of them an encoder-decoder is shown under is known when its files are found.
        models = [slug for model in whole.settings.models for slug in possible_slugs(model.slug)]
        sentences = [sentence.slug for sentence in whole.settings.sentences if sentence.pages]
        contrasts = [contrast.slug for contrast in whole.settings.contrasts]
        notes = load_notes(content, models, sentences, contrasts=contrasts)
        assets = {file.name: file.path for file in content_assets(content)}
    except UserError as error:
        problems.extend(error.problems)
        kind = type(error)
    try:
        theme = find_theme(settings.theme, manifest.root)
        options = theme.values(settings.theme_options, partial(_of_option, manifest))
    except UserError as error:
        problems.extend(_of_theme(manifest, problem) for problem in error.problems)
        kind = type(error)
    try:
        measures = own_measures(manifest)
    except UserError as error:
        problems.extend(error.problems)
        kind = type(error)
    if problems or theme is None:
        raise kind(problems)
    slugs = frozenset(model.slug for model in whole.settings.models)
    shown = _published(notes, manifest, drafts)
    return Project(manifest, shown, assets, theme, options, slugs, measures)


def _check_content(manifest: Manifest, folder: Path) -> None:
    """Raise `ManifestError` for a folder of notes that the manifest names and that is not there."""
    named = isinstance(manifest.document.data, dict) and "content" in manifest.document.data
    if named and not os.path.lexists(folder):
        reason = f'there is no folder "{manifest.settings.content}"'
        mend = "make it, or correct its name; a gallery without notes needs no `content`"
        raise ManifestError(manifest.problem(reason, mend, "content"))


def _of_option(manifest: Manifest, name: str, reason: str, mend: str) -> Problem:
    return manifest.problem(reason, mend, "theme_options", name)


def _of_theme(manifest: Manifest, problem: Problem) -> Problem:
    """Give a problem without a place the place where the manifest names the theme."""
    return problem if problem.file else manifest.problem(problem.reason, problem.mend, "theme")


def _published(notes: tuple[Note, ...], manifest: Manifest, drafts: bool) -> tuple[Note, ...]:
    models = {slug for model in manifest.settings.models for slug in possible_slugs(model.slug)}
    sentences = {sentence.slug for sentence in manifest.settings.sentences}
    contrasts = {contrast.slug for contrast in manifest.settings.contrasts}
    return tuple(
        note
        for note in notes
        if (drafts or not note.draft)
        and (note.target.model is None or note.target.model in models)
        and (note.target.sentence is None or note.target.sentence in sentences)
        and (note.target.kind != "contrast" or note.target.slug in contrasts)
    )
