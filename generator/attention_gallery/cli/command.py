"""The shape that all commands share: common options, examples in the help, one message when they fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from attention_gallery.cli import failures
from attention_gallery.cli.session import Session, common_options

Function = TypeVar("Function", bound=Callable[..., Any])


class GalleryCommand(click.Command):
    """A command that takes the common options too and turns what it raises into an exit code."""

    def __init__(self, *arguments: Any, examples: str = "", **settings: Any) -> None:
        lines = "".join(f"\n  {line}" for line in examples.strip().splitlines())
        settings["epilog"] = f"\b\nExamples:{lines}" if lines else None
        settings["params"] = [*(settings.get("params") or []), *common_options()]
        super().__init__(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; any error becomes one message on standard error."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            code = failures.report(error, verbose=ctx.ensure_object(Session).verbose)
            raise click.exceptions.Exit(code) from error


def gallery_command(name: str, examples: str) -> Callable[[Function], GalleryCommand]:
    """Make a function a command whose first argument is the `Session`."""

    def decorate(function: Function) -> GalleryCommand:
        help_options = {"help_option_names": ["-h", "--help"]}
        make = click.command(name, cls=GalleryCommand, examples=examples, context_settings=help_options)
        return make(click.make_pass_decorator(Session, ensure=True)(function))

    return decorate
