"""Help is complete, quick, and in step with docs/commands.md."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from attention_gallery import __version__
from attention_gallery.cli import commands as modules
from attention_gallery.cli.main import COMMANDS, gallery

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


def commands() -> dict[str, click.Command]:
    context = click.Context(gallery)
    found = {name: gallery.get_command(context, name) for name in gallery.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def sections() -> dict[str, str]:
    """The text of each `## attention-gallery <command>` section of the docs."""
    parts = re.split(r"^## `attention-gallery ([a-z]+).*`$", DOCS.read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_module_of_a_command_is_a_command():
    found = {module.name for module in pkgutil.iter_modules(modules.__path__)}
    assert found == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_parse(name, invoke):
    result = invoke(name, "--help")
    assert result.exit_code == 0
    examples = re.findall(r"^ +attention-gallery (.+)$", result.stdout.split("Examples:")[1], flags=re.M)
    assert examples
    for example in examples:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|[^\s>]+', example.split(" > ")[0])]
        while words[0] in {"--manifest", "-m"}:
            words = words[2:]
        assert words.pop(0) == name
        commands()[name].make_context(name, words)


def test_the_groups_help_lists_commands_and_exit_codes(invoke):
    said = invoke("--help").stdout
    assert all(re.search(rf"^  {name} ", said, flags=re.M) for name in COMMANDS)
    assert re.search(r"^    130  interrupted", said, flags=re.M)


def test_the_version_is_told(invoke):
    assert invoke("--version").stdout == f"attention-gallery {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["inspect", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    heavy = ("torch", "transformers", "rich", "numpy", "plotly", "pydantic", "jinja2", "watchfiles", "yaml")
    code = (
        "import sys; from attention_gallery.cli.main import execute\n"
        f"code = execute({arguments!r})\n"
        f"print(code, [name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == "0 []\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_docs_have_every_option_with_its_default(name):
    section = sections()[name]
    for parameter in commands()[name].params:
        if parameter.name in {"manifest", "quiet", "verbose", "help"}:
            continue
        if isinstance(parameter, click.Argument):
            assert f"`{parameter.name.upper()}`" in section
            continue
        for spelled in (*parameter.opts, *parameter.secondary_opts):
            assert f"`{spelled}" in section, f"{spelled} is not documented"
        if isinstance(parameter, click.Option) and parameter.show_default and not parameter.is_flag:
            assert f"`{parameter.default}`" in section, f"the default of {parameter.name} is not documented"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_docs_have_no_option_that_does_not_exist(name):
    known = {
        spelled
        for parameter in [*commands()[name].params, *gallery.params]
        for spelled in (*parameter.opts, *parameter.secondary_opts)
    }
    known.add("--help")
    written = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", sections()[name]))
    assert written <= known | {"-r"}


def test_the_docs_have_the_common_options_and_exit_codes():
    text = DOCS.read_text("utf-8")
    for parameter in gallery.params:
        assert all(f"`{spelled}" in text for spelled in parameter.opts)
    assert re.findall(r"^\| (\d+) \|", text, flags=re.M) == ["0", "1", "2", "130"]
    assert list(sections()) == list(COMMANDS)
