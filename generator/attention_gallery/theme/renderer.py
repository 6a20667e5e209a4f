"""Render a theme's templates: everything is escaped, undefined names are errors that say where."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2

from attention_gallery.errors import Problem, ThemeError, did_you_mean
from attention_gallery.theme.compiled import CompiledTemplates
from attention_gallery.theme.environment import ThemeEnvironment
from attention_gallery.theme.find_theme import Theme
from attention_gallery.theme.recursion import ENDS, FLATTER, NESTED, leads_back
from attention_gallery.theme.templates import TemplateInspector, TemplateLoader, no_template
from attention_gallery.theme.theme_files import LARGEST_TEMPLATE
from attention_gallery.theme.undefined import NotThere, without_modules
from attention_gallery.user_files import read_user_file

_LINK = re.compile(r"""\s(?:href|src|srcset|poster)\s*=\s*["']?""", re.IGNORECASE)
_PLAIN_LINKS = {' href="', ' src="'}
# What a template can raise.
_TOLD = (
    jinja2.TemplateError,
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)


class Renderer:
    """Renders the templates of one theme."""

    def __init__(self, theme: Theme, compiled: Path | None = None) -> None:
        """`compiled` is the folder that keeps compiled templates for the next build, None for none."""
        self._folders = [folder / "templates" for folder in theme.folders]
        self._whole = theme.whole and not theme.unusable
        self._loader = loader = TemplateLoader(self._folders, theme.unusable)
        self._environment = ThemeEnvironment(loader)
        if compiled is not None:
            self._environment.bytecode_cache = CompiledTemplates(compiled)
        self._templates: dict[str, jinja2.Template] = {}
        self._shared: set[str] = set()

    def share(self, **values: Any) -> None:
        """Make values known to every template; before the first one is rendered."""
        self._environment.globals.update(values)
        self._shared.update(values)

    def render(self, name: str, **context: Any) -> str:
        """The HTML of template `name`. Raises `ThemeError` with template and line."""
        try:
            template = self._templates.get(name) or self._load(name)
            # Each page has all steps, however many pages there are.
            self._environment.steps.begin()
            return template.render(context)
        except _TOLD as error:
            raise self._told(error, name, context) from None

    def problems(self, needed: Iterable[str] = ()) -> list[Problem]:
        """Everything that is wrong with the templates, and those of the `needed` ones that there are not.

        Nothing is rendered, so what they are given is not known.
        """
        names = self._loader.names()
        # Of a theme that lacks a parent, which is told already, any template may be missing.
        missing = [name for name in needed if name not in names] if self._whole else []
        return [
            *self._inspected(names),
            *(Problem(no_template(name), did_you_mean(name, names)) for name in missing),
        ]

    def _inspected(self, names: list[str]) -> list[Problem]:
        cache = self._environment.bytecode_cache
        sources = ""
        if isinstance(cache, CompiledTemplates):
            sources = self._loader.digest()
            # Mostly no template has changed since all were looked at, which takes compiling them.
            if cache.is_sound(sources):
                return []
        inspector = TemplateInspector(self._environment, self._loader, self._whole)
        for name in filter(_is_template, names):
            if inspector.inspect(name):
                try:
                    self._load(name)
                except _TOLD as error:
                    failure = self._told(error, name)
                    if not isinstance(failure, ThemeError):
                        raise
                    inspector.problems += failure.problems
        if isinstance(cache, CompiledTemplates) and self._whole and not inspector.problems:
            cache.remember_sound(sources)
        return inspector.problems

    def _load(self, name: str) -> jinja2.Template:
        template = self._templates[name] = self._environment.get_template(name)
        # As a plain dict: Jinja2 copies them for every page, and a chain of maps is slow to copy.
        template.globals = dict(template.globals)
        return template

    def _told(self, error: Exception, name: str, names: Iterable[str] = ()) -> Exception:
        """What went wrong in template `name`, or in one that it uses, as a `ThemeError`.

        `names` are the names of what it is rendered with. An error that no template made is given back.
        """
        if isinstance(error, jinja2.TemplateNotFound):
            known = self._loader.names()
            missing = str(error.name or error)
            return ThemeError(Problem(no_template(missing), did_you_mean(missing, known)))
        if isinstance(error, jinja2.TemplateSyntaxError):
            return ThemeError(self._problem(str(error.message), error.filename, error.lineno))
        frames = self._frames(error)
        if isinstance(error, RecursionError):
            return self._too_deep(frames, name)
        file, line = (frames[-1].filename, frames[-1].lineno) if frames else (None, None)
        if isinstance(error, NotThere):
            problem = self._problem("", file, line)
            reason, mend = error.told(problem.quote or "", {*self._shared, *names})
            return ThemeError(replace(problem, reason=reason, mend=mend))
        reason = without_modules(str(error))
        if isinstance(error, jinja2.TemplateError):
            where = f' (in the template "{name}")' if file is None else ""
            return ThemeError(self._problem(reason + where, file, line))
        if file is None:
            return error
        return ThemeError(self._problem(f"{type(error).__name__}: {reason}", file, line))

    def writes_plain_links(self) -> bool:
        """Whether every link in the templates is written ` href="…"` or ` src="…"`."""
        names = filter(_is_template, self._loader.names())
        sources = (self._loader.get_source(self._environment, name)[0] for name in names)
        return all(match[0] in _PLAIN_LINKS for source in sources for match in _LINK.finditer(source))

    def _too_deep(self, frames: list[traceback.FrameSummary], name: str) -> ThemeError:
        if not frames:  # it was being compiled
            return ThemeError(Problem(NESTED, FLATTER, self._loader.path(name)))
        frame, reason = leads_back(frames, self._folders)
        return ThemeError(replace(self._problem(reason, frame.filename, frame.lineno), mend=ENDS))

    def _frames(self, error: Exception) -> list[traceback.FrameSummary]:
        """Where in templates an error was raised, from the outermost."""
        folders = tuple(str(folder) for folder in self._folders)
        frames = traceback.extract_tb(error.__traceback__)
        return [frame for frame in frames if frame.filename.startswith(folders)]

    def _problem(self, reason: str, file: str | None, line: int | None) -> Problem:
        path = None if file is None else Path(file)
        quote = None
        if path is not None and line is not None and path.is_file():
            lines = read_user_file(path, LARGEST_TEMPLATE).decode("utf-8", "replace").splitlines()
            quote = lines[line - 1] if line <= len(lines) else None
        return Problem(reason, "", path, line, None, quote)


def _is_template(name: str) -> bool:
    return name.endswith(".html")
