"""Render a theme's templates: everything is escaped, undefined names are errors that say where."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2

from attention_gallery.errors import Problem, ThemeError, did_you_mean
from attention_gallery.theme.escaping import EscapingEnvironment
from attention_gallery.theme.find import Theme
from attention_gallery.theme.undefined import NotThere, without_modules

_LINK = re.compile(r"""\s(?:href|src|srcset|poster)\s*=\s*["']?""", re.IGNORECASE)
_PLAIN_LINKS = {' href="', ' src="'}


class Renderer:
    """Renders the templates of one theme."""

    def __init__(self, theme: Theme) -> None:
        folders = [folder / "templates" for folder in theme.folders]
        self._folders = folders
        self._environment = EscapingEnvironment(jinja2.FileSystemLoader(folders))
        self._templates: dict[str, jinja2.Template] = {}
        self._shared: set[str] = set()

    def share(self, **values: Any) -> None:
        """Make values known to every template; before the first one is rendered."""
        self._environment.globals.update(values)
        self._shared.update(values)

    def render(self, name: str, **context: Any) -> str:
        """The HTML of template `name`. Raises `ThemeError` with template and line."""
        with self._told(name, context):
            return self._template(name).render(context)

    def load_all(self) -> None:
        """Compile every template without rendering one. Raises `ThemeError` with template and line."""
        for name in self._environment.list_templates(filter_func=_is_template):
            with self._told(name):
                self._template(name)

    def _template(self, name: str) -> jinja2.Template:
        template = self._templates.get(name)
        if template is None:
            template = self._templates[name] = self._environment.get_template(name)
        return template

    @contextmanager
    def _told(self, name: str, given: Iterable[str] = ()) -> Iterator[None]:
        """Turn what goes wrong in template `name`, or in one that it uses, into a `ThemeError`.

        `given` are the names of what it is rendered with.
        """
        try:
            yield
        except jinja2.TemplateNotFound as error:
            known = self._environment.list_templates()
            wanted = str(error.name or error)
            raise ThemeError(
                Problem(f'the theme has no template "{wanted}"', did_you_mean(wanted, known))
            ) from None
        except jinja2.TemplateSyntaxError as error:
            raise ThemeError(self._problem(str(error.message), error.filename, error.lineno)) from None
        except NotThere as error:
            problem = self._problem("", *self._place(error))
            reason, mend = error.told(problem.quote or "", {*self._shared, *given})
            raise ThemeError(replace(problem, reason=reason, mend=mend)) from None
        except jinja2.TemplateError as error:
            file, line = self._place(error)
            raise ThemeError(self._problem(without_modules(str(error)), file, line)) from None
        except UnicodeDecodeError:
            raise ThemeError(Problem(f'the template "{name}", or one that it uses, is not UTF-8')) from None
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
            file, line = self._place(error)
            if file is None:
                raise
            reason = f"{type(error).__name__}: {without_modules(str(error))}"
            raise ThemeError(self._problem(reason, file, line)) from None

    def writes_plain_links(self) -> bool:
        """Whether every link in the templates is written ` href="…"` or ` src="…"`."""
        loader = self._environment.loader
        names = self._environment.list_templates(filter_func=_is_template)
        sources = (loader.get_source(self._environment, name)[0] for name in names) if loader else ()
        return all(match[0] in _PLAIN_LINKS for source in sources for match in _LINK.finditer(source))

    def _place(self, error: Exception) -> tuple[str | None, int | None]:
        folders = tuple(str(folder) for folder in self._folders)
        frames = traceback.extract_tb(error.__traceback__)
        inside = [frame for frame in frames if frame.filename.startswith(folders)]
        return (inside[-1].filename, inside[-1].lineno) if inside else (None, None)

    def _problem(self, reason: str, file: str | None, line: int | None) -> Problem:
        path = None if file is None else Path(file)
        quote = None
        if path is not None and line is not None and path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            quote = lines[line - 1] if line <= len(lines) else None
        return Problem(reason, "", path, line, None, quote)


def _is_template(name: str) -> bool:
    return name.endswith(".html")
