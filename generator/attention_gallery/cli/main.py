"""The command group: finds each command's module by name and turns every ending into an exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from attention_gallery.cli import failures
from attention_gallery.cli.session import common_options
from attention_gallery.cli.terminal_text import colour
from attention_gallery.version import __version__

COMMANDS = ("init", "build", "serve", "check", "lock", "inspect", "schema", "themes", "clean", "publish")

_EPILOG = """\b
Exit codes:
  0    all went well
  1    it failed: the disk is full, a permission is missing, or a bug
  2    a mistake to mend in the command, gallery.yaml, a note or a theme
  130  interrupted with Ctrl-C

\b
Examples:
  attention-gallery init my-gallery
  attention-gallery build
  attention-gallery serve --open
"""


class GalleryGroup(click.Group):
    """A group whose commands live in modules that are imported only when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a gallery meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, or None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        # A command that fails at its options should not have waited for what the others import.
        command: click.Command = importlib.import_module(f"attention_gallery.cli.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click, with the nearest known name offered for a wrong one."""
        from attention_gallery.errors import did_you_mean

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError(
                f'there is no command "{args[0]}"; {did_you_mean(args[0], COMMANDS)}', ctx
            ) from None


@click.group(cls=GalleryGroup, params=[*common_options()], epilog=_EPILOG)
@click.version_option(__version__, "-V", "--version", message="attention-gallery %(version)s")
@click.help_option("-h", "--help")
@click.pass_context
def gallery(context: click.Context) -> None:
    """Build a website from the attention of transformer models.

    A gallery.yaml lists models and sentences; every model, sentence and head gets a page of its own.
    """
    context.color = colour()


def execute(arguments: Sequence[str]) -> int:
    """Run the command line `arguments` and return its exit code; never raises."""
    try:
        result = gallery.main(list(arguments), prog_name="attention-gallery", standalone_mode=False)
        # Here, where a reader that has gone away can still be told from a failure.
        sys.stdout.flush()
    except BaseException as error:  # the outermost floor: nothing may leave as a traceback
        return failures.report(error, verbose="--verbose" in arguments or "-v" in arguments)
    return result if isinstance(result, int) else failures.OK


def run() -> NoReturn:
    """The entry point of the `attention-gallery` command."""
    sys.exit(execute(sys.argv[1:]))
