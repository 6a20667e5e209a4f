"""What is wrong with the templates of a theme, as far as that can be known before any is rendered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes

from attention_gallery.errors import Problem, ThemeError, did_you_mean
from attention_gallery.hashing import digest, digest_file
from attention_gallery.manifest.yaml.textfile import not_utf8
from attention_gallery.theme.recursion import FLATTER, NESTED
from attention_gallery.theme.theme_files import LARGEST_TEMPLATE
from attention_gallery.user_files import read_user_file


class TemplateLoader(jinja2.FileSystemLoader):
    """Templates of the folders of a theme, the first that has one wins; all are UTF-8."""

    def __init__(self, folders: Sequence[Path], without: Collection[Path] = ()) -> None:
        """The files `without` are not looked at."""
        # Some editors put a byte order mark before a text.
        super().__init__(list(folders), encoding="utf-8-sig")
        self._without = without

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        """As Jinja2 gives it. Raises `ThemeError` at the place of a byte that is not UTF-8."""
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as error:
            path = self.path(template)
            raise ThemeError(not_utf8(path, read_user_file(path, LARGEST_TEMPLATE), error)) from None

    def names(self) -> list[str]:
        """The names of all templates, without hidden files and what editors leave behind."""
        return [
            name
            for name in self.list_templates()
            if not name.endswith("~") and not any(segment.startswith(".") for segment in name.split("/"))
            if not any(Path(folder, name) in self._without for folder in self.searchpath)
        ]

    def digest(self) -> str:
        """Digest of all templates and where they lie."""
        paths = [(name, self.path(name)) for name in self.names()]
        return digest([(name, str(path), digest_file(path)) for name, path in paths])

    def path(self, name: str) -> Path:
        """The file of a template that there is."""
        return next(path for folder in self.searchpath if (path := Path(folder, name)).is_file())


class TemplateInspector:
    """Collects everything that is wrong with the templates of a theme, as far as their texts tell."""

    def __init__(self, environment: jinja2.Environment, loader: TemplateLoader, whole: bool) -> None:
        """Of a theme that is not `whole`, templates of a parent may be missing here."""
        self._environment, self._loader, self._whole = environment, loader, whole
        self._names = loader.names()
        self._exported: dict[str, frozenset[str] | None] = {}
        self.problems: list[Problem] = []

    def inspect(self, name: str) -> bool:
        """Look at one template, and say whether nothing is wrong with it."""
        before = len(self.problems)
        parsed = self._parsed(name)
        if parsed is not None:
            tree, source, file = parsed
            lines = source.split("\n")
            findings = [*self._references(tree), *self._functions(tree), *self._blocks(tree)]
            for line, reason, mend in dict.fromkeys(findings):
                quote = lines[line - 1] if line <= len(lines) else None
                self.problems.append(Problem(reason, mend, Path(file), line, None, quote))
        return len(self.problems) == before

    def _parsed(self, name: str) -> tuple[nodes.Template, str, str] | None:
        try:
            source, file, _ = self._loader.get_source(self._environment, name)
            return self._environment.parse(source, name, file), source, str(file)
        except ThemeError as error:
            self.problems += error.problems
        except jinja2.TemplateSyntaxError as error:
            lines = (error.source or "").splitlines()
            quote = lines[error.lineno - 1] if 0 < error.lineno <= len(lines) else None
            path = Path(error.filename) if error.filename else None
            self.problems.append(Problem(str(error.message), "", path, error.lineno, None, quote))
        except (OSError, jinja2.TemplateNotFound) as error:
            reason = getattr(error, "strerror", None) or str(error)
            path = Path(self._loader.searchpath[0], name)
            self.problems.append(Problem(f"the template cannot be read: {reason}", "", path))
        except RecursionError:
            self.problems.append(Problem(NESTED, FLATTER, self._loader.path(name)))
        return None

    def _references(self, tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
        """Templates that one extends, includes or imports and that there are not, and macros likewise."""
        if not self._whole:
            return
        for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
            names = _constant_names(node.template)  # type: ignore[attr-defined]
            if not names or getattr(node, "ignore_missing", False):
                continue
            if not any(name in self._names for name in names):
                yield node.lineno, no_template(names[0]), did_you_mean(names[0], self._names)
            elif isinstance(node, nodes.FromImport):
                yield from self._imported(node, names[0])

    def _imported(self, node: nodes.FromImport, template: str) -> Iterator[tuple[int, str, str]]:
        known = self._exports(template)
        if known is None:
            return  # that template is told by itself
        for item in node.names:
            name = item[0] if isinstance(item, tuple) else item
            if name not in known:
                reason = f'the template "{template}" has no macro "{name}"'
                yield node.lineno, reason, did_you_mean(name, known)

    def _exports(self, template: str) -> frozenset[str] | None:
        """The names that others may import from a template, None of one that cannot be read."""
        if template not in self._exported:
            try:
                source, file, _ = self._loader.get_source(self._environment, template)
                tree = self._environment.parse(source, template, file)
                self._exported[template] = frozenset(_exported(tree))
            except (ThemeError, OSError, jinja2.TemplateError, RecursionError):
                self._exported[template] = None
        return self._exported[template]

    def _functions(self, tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
        """Filters and tests that there are not, but for those that the template asks about first."""
        for kind, word, known in (
            (nodes.Filter, "filter", self._environment.filters),
            (nodes.Test, "test", self._environment.tests),
        ):
            asked = {
                test.node.value
                for test in tree.find_all(nodes.Test)
                if test.name == word and isinstance(test.node, nodes.Const)
            }
            for node in tree.find_all(kind):
                if node.name not in known and node.name not in asked:
                    yield node.lineno, f'there is no {word} "{node.name}"', did_you_mean(node.name, known)

    def _blocks(self, tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
        """Blocks that are defined twice."""
        seen: dict[str, int] = {}
        for node in tree.find_all(nodes.Block):
            first = seen.setdefault(node.name, node.lineno)
            if first != node.lineno:
                reason = f'the block "{node.name}" is defined twice; the first is in line {first}'
                yield node.lineno, reason, "give each block a name of its own"


def no_template(name: str) -> str:
    """How a template that is missing is told."""
    return f'the theme has no template "{name}"'


def _constant_names(template: nodes.Expr) -> list[str]:
    """The templates that a statement names word for word: one that is there is enough."""
    # A list names templates of which the first that there is is taken.
    items = template.items if isinstance(template, nodes.Tuple | nodes.List) else [template]
    values: list[Any] = []
    for item in items:
        if not isinstance(item, nodes.Const):
            return []
        values += item.value if isinstance(item.value, tuple | list) else [item.value]
    return [value for value in values if isinstance(value, str)]


def _exported(tree: nodes.Template) -> Iterator[str]:
    """Every name that a template sets, its macros first of all."""
    for node in tree.find_all((nodes.Macro, nodes.Name, nodes.Import, nodes.FromImport)):
        if isinstance(node, nodes.Macro) or (isinstance(node, nodes.Name) and node.ctx == "store"):
            yield node.name
        elif isinstance(node, nodes.Import):
            yield node.target
        elif isinstance(node, nodes.FromImport):
            yield from (item[1] if isinstance(item, tuple) else item for item in node.names)
