"""Find a theme and those it extends: the project's `themes/`, then the package's, then the checkout's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from attention_gallery.errors import Problem, ThemeError, UserError, did_you_mean
from attention_gallery.hashing import digest, digest_file
from attention_gallery.installed import PACKAGED_THEMES
from attention_gallery.manifest.yaml.document import Document, read_document
from attention_gallery.manifest.yaml.nodes import YamlError
from attention_gallery.manifest.yaml.textfile import not_utf8
from attention_gallery.project_files import THEMES
from attention_gallery.theme import local
from attention_gallery.theme.theme_files import (
    LARGEST_TEMPLATE,
    files_of,
    inspect_files,
    kind_in_theme,
    refusal_of,
    refuse_outside,
    unreadable,
)
from attention_gallery.theme.theme_settings import OptionValue, ThemeOption, wrong_settings
from attention_gallery.user_files import UnusableFileError, read_user_file

# Makes a problem at a place of a file: (reason, mend) -> Problem; or at that of an option, its name first.
Place = Callable[[str, str], Problem]
OptionPlace = Callable[[str, str, str], Problem]


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme with everything that it inherits.

    `folders` run from the theme itself to its most distant parent: the first that has a file wins.
    `styles`, `scripts` and `static` are asset paths in the order listed, parents first; `listed` tells by
    path where a `theme.yaml` names them. A theme is `whole` unless a parent is missing, or a `theme.yaml` or
    a folder of it cannot be read; `unusable` are files of it that cannot.
    """

    name: str
    title: str
    description: str
    folders: tuple[Path, ...]
    options: Mapping[str, ThemeOption]
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    static: tuple[str, ...]
    listed: Mapping[str, Place] = field(default_factory=dict, repr=False, compare=False)
    whole: bool = True
    unusable: frozenset[Path] = frozenset()

    def asset(self, name: str) -> Path:
        """The file behind an asset path. Raises `ThemeError` when no folder of the theme has it."""
        path = self.find_asset(name)
        if path is None:
            prefix = "assets/"
            known = [file for folder in self.folders for file in files_of(folder) if file.startswith(prefix)]
            meant = did_you_mean(name, [file.removeprefix(prefix) for file in known])
            reason, mend = f'the asset "{name}" does not exist', meant or "put it into the theme's assets/"
            make_problem = self.listed.get(name)
            file = self.folders[0] / "theme.yaml"
            raise ThemeError(make_problem(reason, mend) if make_problem else Problem(reason, mend, file))
        return path

    def find_asset(self, name: str) -> Path | None:
        """As `asset`, but None when no folder of the theme has it."""
        for folder in self.folders:
            path = folder / "assets" / name
            if path.is_file():
                refuse_outside(path, folder)
                return path
        return None

    def templates(self) -> Iterator[Path]:
        """The files of its templates, without those of a parent that it replaces."""
        seen: set[str] = set()
        for folder in self.folders:
            for name in files_of(folder):
                if name.startswith("templates/") and name.endswith((".html", ".svg")) and name not in seen:
                    seen.add(name)
                    yield folder / name

    def values(self, chosen: Mapping[str, OptionValue], make_problem: OptionPlace) -> dict[str, OptionValue]:
        """The options with the gallery's choices.

        `make_problem` makes a problem of an option's name, a reason and a mend.
        Raises `ThemeError` for unknown names, wrong types and values that are no choice.
        """
        problems = []
        values = {name: option.default for name, option in self.options.items()}
        for name, value in chosen.items():
            option = self.options.get(name)
            if option is None:
                reason = f'the theme "{self.name}" has no option "{name}"'
                problems.append(make_problem(name, reason, did_you_mean(name, self.options)))
            elif (refusal := option.refusal(value)) is not None:
                problems.append(make_problem(name, *refusal))
            else:
                values[name] = value
        if problems:
            raise ThemeError(problems)
        return values

    def digest(self) -> str:
        """Digest of every file of the theme and its parents."""
        return digest(
            [[(name, digest_file(folder / name)) for name in files_of(folder)] for folder in self.folders]
        )


def theme_roots(project: Path) -> tuple[Path, ...]:
    """The folders that hold themes, in the order searched."""
    roots = (project / THEMES, *PACKAGED_THEMES)
    return tuple(dict.fromkeys(root for root in roots if kind_in_theme(root) == "folder"))


def list_themes(project: Path) -> tuple[Theme, ...]:
    """Every theme that can be named, sorted by name. Raises `ThemeError`."""
    names = {
        folder.name
        for root in theme_roots(project)
        for folder in _folders(root)
        if kind_in_theme(folder / "theme.yaml") not in ("nothing", "folder")
    }
    themes = []
    for name in sorted(names):
        theme, problems = _find(name, project)
        if problems or theme is None:
            raise ThemeError(problems)
        themes.append(theme)
    return tuple(themes)


def find_theme(name: str, project: Path) -> Theme:
    """The theme called `name`, with its parents. Raises `ThemeError` with what `read_theme` tells."""
    theme, problems = read_theme(name, project)
    if problems or theme is None:
        raise ThemeError(problems)
    return theme


def read_theme(name: str, project: Path) -> tuple[Theme | None, list[Problem]]:
    """The theme called `name`, with its parents as far as they can be used, and everything that is wrong.

    A project theme may extend the packaged theme of the same name. It is wrong when the theme, or one that
    it extends, does not exist, when themes extend each other in a circle, when a `theme.yaml` is, when a
    file of a theme leads out of it or cannot be read, and when a template or style sheet names a file on
    another host.
    """
    theme, problems = _find(name, project)
    if theme is None:
        return None, problems
    try:
        for path in theme.templates():
            if path not in theme.unusable:  # told already
                problems += _collected(partial(local.of_template, path), path)
    except ThemeError as error:
        problems += error.problems
    sheets = [*theme.styles, *(name for name in theme.static if name.endswith(".css"))]
    for sheet in sheets:
        problems += _collected(partial(_of_sheet, theme, sheet), theme.folders[0] / "assets" / sheet)
    # A style sheet may be listed as static, too.
    return theme, list(dict.fromkeys(problems))


def _of_sheet(theme: Theme, sheet: str) -> list[Problem]:
    path = theme.find_asset(sheet)
    return [] if path is None or path in theme.unusable else local.of_sheet(path)


def _collected(look: Callable[[], list[Problem]], path: Path) -> list[Problem]:
    """What `look` tells, or why the file or folder at `path`, or one in it, cannot be looked at."""
    try:
        return look()
    except UserError as error:
        return list(error.problems)
    except OSError as error:
        return list(unreadable(Path(os.fsdecode(error.filename or path)), error).problems)


def _find(name: str, project: Path) -> tuple[Theme | None, list[Problem]]:
    folders: list[Path] = []
    documents: list[Document] = []
    problems: list[Problem] = []
    unusable: set[Path] = set()
    parent: str | None = name
    while parent is not None:
        asked = (
            partial(_placed, documents[-1], folders[-1] / "theme.yaml", ("extends",)) if folders else Problem
        )
        try:
            folder = _find_folder(parent, project, folders, asked)
        except ThemeError as error:
            problems += error.problems
            break
        document, wrong = Document([""], data={}), refusal_of(folder / "theme.yaml", folder)
        if wrong:
            unusable.add(folder / "theme.yaml")
        else:
            document, wrong = _read_settings(folder / "theme.yaml")
        folders.append(folder)
        documents.append(document)
        problems += wrong
        parent = document.data.get("extends")
    whole = parent is None and not unusable
    wrong, listable = inspect_files(folders, unusable)
    problems += wrong
    if not folders:
        return None, problems
    theme = _assemble(name, tuple(folders), documents, whole and listable, frozenset(unusable))
    return theme, problems


def _find_folder(name: str, project: Path, used: list[Path], asked: Place) -> Path:
    """The folder of a theme that is not `used` yet; `asked` makes a problem where it is asked for."""
    roots = theme_roots(project)
    # A name such as ../other would lead out of the folder.
    plain = re.fullmatch(r"[A-Za-z0-9_-]+", name) is not None
    candidates = [root / name for root in roots if plain and _is_theme(root / name)]
    for candidate in candidates:
        if candidate not in used:
            return candidate
    if candidates:
        raise ThemeError(asked(f'the theme "{name}" extends itself in a circle', "extend another theme"))
    known = [folder.name for root in roots for folder in _folders(root)]
    raise ThemeError(asked(f'there is no theme "{name}"', did_you_mean(name, known)))


def _folders(root: Path) -> list[Path]:
    """The folders in one that holds themes. Raises `ThemeError`."""
    try:
        return [path for path in root.iterdir() if path.is_dir()]
    except OSError as error:
        raise unreadable(root, error) from None


def _is_theme(folder: Path) -> bool:
    """Whether there is a theme; one whose description is missing would be passed over in silence."""
    if kind_in_theme(folder) != "folder":
        return False
    if kind_in_theme(folder / "theme.yaml") in ("nothing", "folder"):
        mend = "write one with `name:`, and `extends:` for a theme that it builds on"
        raise ThemeError(Problem(f'the theme "{folder.name}" has no theme.yaml', mend, folder))
    return True


def _read_settings(path: Path) -> tuple[Document, list[Problem]]:
    """What a `theme.yaml` says, without what is wrong in it, and that."""
    empty = Document([""], data={})
    try:
        data = read_user_file(path, LARGEST_TEMPLATE)
        document = read_document(data.decode("utf-8").removeprefix("\ufeff"))
    except UnusableFileError as error:
        return empty, list(error.problems)
    except OSError as error:
        return empty, list(unreadable(path, error).problems)
    except UnicodeDecodeError as error:
        return empty, [not_utf8(path, data, error)]
    except YamlError as error:
        return empty, [replace(error.problem(), file=path)]
    if not isinstance(document.data, dict):
        return empty, [Problem("a theme is described by `name:` and other settings", "", path)]
    wrong = list(wrong_settings(document.data))
    problems = [
        *(replace(problem, file=path) for problem in document.problems),
        *(_placed(document, path, keys, reason, mend) for keys, reason, mend in wrong),
    ]
    for keys, _, _ in wrong:
        within = document.data if len(keys) == 1 else document.data[keys[0]]
        within.pop(keys[-1], None)
    return document, problems


def _placed(document: Document, path: Path, keys: tuple[str | int, ...], reason: str, mend: str) -> Problem:
    """A problem with a key, or with an item of a list."""
    key = document.keys.get(keys)
    position = document.at(key) if key is not None and keys != ("extends",) else document.position(*keys)
    return Problem(reason, mend, path, position.line, position.column, position.quote)


def _assemble(
    name: str, folders: tuple[Path, ...], documents: list[Document], whole: bool, unusable: frozenset[Path]
) -> Theme:
    options: dict[str, ThemeOption] = {}
    lists: dict[str, dict[str, None]] = {"styles": {}, "scripts": {}, "static": {}}
    listed: dict[str, Place] = {}
    # From the most distant parent, so that a theme has the last word.
    for folder, document in zip(reversed(folders), reversed(documents), strict=True):
        for key, option in (document.data.get("options") or {}).items():
            described, css = option.get("description", ""), option.get("css", "")
            options[key] = ThemeOption(key, option["default"], described, css, option.get("choices", ()))
        for kind, names in lists.items():
            for index, pattern in enumerate(document.data.get(kind) or ()):
                for asset in _matching(pattern, folder, document) if kind == "scripts" else (pattern,):
                    names.setdefault(asset)
                    listed[asset] = partial(_placed, document, folder / "theme.yaml", (kind, index))
    own = documents[0].data
    return Theme(
        name,
        own.get("title") or name,
        own.get("description") or "",
        folders,
        options,
        tuple(lists["styles"]),
        tuple(lists["scripts"]),
        tuple(lists["static"]),
        listed,
        whole,
        unusable,
    )


def _matching(pattern: str, folder: Path, document: Document) -> list[str]:
    """The files of `assets/` that a pattern such as `js/*.js` names, sorted, without static ones.

    A name without a star, and a pattern that nothing matches, are given back as they are.
    """
    if "*" not in pattern:
        return [pattern]
    matches = re.compile("assets/" + "[^/]*".join(map(re.escape, pattern.split("*")))).fullmatch
    try:
        names = sorted(name.removeprefix("assets/") for name in files_of(folder) if matches(name))
    except ThemeError:  # of a folder that cannot be read, which is told already
        return []
    static = document.data.get("static") or ()
    return [name for name in names if name not in static] or [pattern]
