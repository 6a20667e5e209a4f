"""Everything that the author wrote, read and checked before any model is looked at."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attention_gallery.analysis import BUILT_IN, MeasureSet
from attention_gallery.build.checks.problems import Problems
from attention_gallery.build.plan.custom_measures import custom_measures
from attention_gallery.errors import ManifestError, NoteError, Problem, ThemeError
from attention_gallery.manifest.drafts import without_drafts
from attention_gallery.manifest.load_manifest import Manifest, ManifestReading, read_manifest
from attention_gallery.manifest.slugs import possible_slugs
from attention_gallery.manifest.usable import LISTS
from attention_gallery.notes.content_files import content_assets
from attention_gallery.notes.load_notes import Note, read_notes
from attention_gallery.project_files import CONTENT
from attention_gallery.theme.find_theme import Theme, find_theme, read_theme
from attention_gallery.theme.theme_settings import OptionValue
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

Value = TypeVar("Value")


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


class AnyName(dict[Any, Value]):
    """Names of which some could not be read: whatever is asked for is there, as `value` if not known."""

    def __init__(self, known: Mapping[Any, Value], value: Value) -> None:
        super().__init__(known)
        self._value = value

    def __contains__(self, name: object) -> bool:
        """Whether there is such a name: there may be."""
        return True

    def __missing__(self, name: object) -> Value:
        """What stands for a name that was not read."""
        return self._value


@dataclass(slots=True)
class Sources:
    """A project as far as it can be used, and everything that is wrong with what its author wrote.

    `project` is None where its manifest says nothing that could be used. Where the manifest is not `sound`,
    it lacks what is wrong in it; where the notes are not, some are missing, and `theme` tells whether the
    project has the theme that is asked for, and not the packaged one instead of it. `slugs` are the names
    that notes may know, by list of the manifest: all that are asked for, where some could not be read.
    """

    problems: Problems
    project: Project | None = None
    sound: bool = True
    sound_notes: bool = True
    theme: bool = True
    slugs: Mapping[str, Collection[str]] = field(default_factory=dict)

    def require_project(self) -> Project:
        """The project. Raises `UserError` where its manifest says nothing that could be used."""
        if self.project is None:
            self.problems.raise_any()
            raise ManifestError("the manifest cannot be used")  # never: its problems were raised
        return self.project


def read_project(manifest_path: Path, drafts: bool) -> Project:
    """Read it all. Raises `UserError` with the problems of manifest, notes, theme and measures together."""
    sources = read_sources(manifest_path, drafts)
    sources.problems.raise_any()
    return sources.require_project()


def read_sources(manifest_path: Path, drafts: bool) -> Sources:
    """Read all that there is, mistakes or not."""
    reading = read_manifest(manifest_path)
    sources = Sources(Problems(), sound=not reading.problems)
    sources.problems.add(ManifestError, reading.problems)
    whole = reading.manifest
    sources.slugs = _slugs(reading)
    if whole is None:
        _read_other_sources(manifest_path.absolute(), sources)
        return sources
    manifest = whole
    if not drafts:
        try:
            manifest = without_drafts(whole)
        except ManifestError as error:
            if not reading.problems:  # else it may only seem that all is a draft
                sources.problems.add(ManifestError, error.problems)
            sources.sound = False
    notes: tuple[Note, ...] = ()
    assets: dict[str, Path] = {}
    if "content" not in reading.left_out:
        with sources.problems.collected():
            _check_content(whole, manifest.root / manifest.settings.content)
        notes, assets = _notes(manifest.root / manifest.settings.content, sources)
    theme: Theme | None = None
    options: Mapping[str, OptionValue] = {}
    if "theme" not in reading.left_out:
        theme, options = _theme(manifest, sources, "theme_options" not in reading.left_out)
    measures = BUILT_IN
    if "analysis" not in reading.left_out:
        with sources.problems.collected():
            measures = custom_measures(manifest)
    slugs = frozenset(model.slug for model in whole.settings.models)
    published = _published(notes, manifest, drafts) if sources.sound else notes
    sources.theme = theme is not None
    theme = theme or find_theme("default", manifest.root)
    sources.project = Project(manifest, published, assets, theme, options, slugs, measures)
    return sources


def _slugs(reading: ManifestReading) -> dict[str, Collection[str]]:
    """The names that notes may have, by list of the manifest."""
    if reading.problems or reading.manifest is None:
        names = {name: reading.names.get(name) for name in LISTS}
    else:
        settings = reading.manifest.settings
        names = {
            "models": frozenset(model.slug for model in settings.models),
            "sentences": frozenset(sentence.slug for sentence in settings.sentences if sentence.pages),
            "contrasts": frozenset(contrast.slug for contrast in settings.contrasts),
        }
    slugs: dict[str, Collection[str]] = {}
    for name, known in names.items():
        slugs[name] = AnyName({}, "") if known is None else sorted(known)
    if names["models"] is not None:
        # Which of them an encoder-decoder is shown under is known when its files are found.
        slugs["models"] = [slug for model in sorted(names["models"]) for slug in possible_slugs(model)]
    return slugs


def _notes(content: Path, sources: Sources) -> tuple[tuple[Note, ...], dict[str, Path]]:
    slugs = sources.slugs
    reading = read_notes(content, slugs["models"], slugs["sentences"], contrasts=slugs["contrasts"])
    sources.problems.add(NoteError, reading.problems)
    sources.sound_notes = reading.whole
    assets: dict[str, Path] = {}
    try:
        assets = {file.name: file.path for file in content_assets(content)}
    except NoteError as error:
        sources.problems.add(NoteError, error.problems)
        sources.sound_notes = False
    return reading.notes, assets


def _theme(
    manifest: Manifest, sources: Sources, chosen: bool
) -> tuple[Theme | None, Mapping[str, OptionValue]]:
    settings = manifest.settings
    theme, mistakes = read_theme(settings.theme, manifest.root)
    sources.problems.add(ThemeError, [_of_theme(manifest, problem) for problem in mistakes])
    options: Mapping[str, OptionValue] = {}
    if theme is not None:
        options = {name: option.default for name, option in theme.options.items()}
        # Of a theme that lacks a parent or whose theme.yaml is wrong not all options are known.
        known = theme.whole and not any(
            problem.file and problem.file.name == "theme.yaml" for problem in mistakes
        )
        if chosen and known:
            with sources.problems.collected():
                options = theme.values(settings.theme_options, partial(_of_option, manifest))
    return theme, options


def _read_other_sources(manifest: Path, sources: Sources) -> None:
    """Look at notes and theme of a manifest that cannot be read, where a line of it names them."""
    try:
        text = read_user_file(manifest, LARGEST_SETTINGS).decode("utf-8", "replace")
    except OSError:
        return
    named = dict(re.findall(r"^(content|theme):[ \t]*[\"']?([\w./-]+)[\"']?[ \t]*\r?$", text, re.M))
    content = manifest.parent / named.get("content", CONTENT)
    if content.resolve().is_relative_to(manifest.parent.resolve()) and content.resolve() != manifest.parent:
        _notes(content, sources)
    if "theme" in named:
        _, mistakes = read_theme(named["theme"], manifest.parent)
        sources.problems.add(ThemeError, mistakes)


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
    """The problem, at the line where the manifest names the theme where it has none of its own."""
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
