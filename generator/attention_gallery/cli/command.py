"""The shape that all commands share: common options, examples in the help, one message when they fail."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from attention_gallery.cli import failures
from attention_gallery.cli.session import Session, common_options, session_of

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
            code = failures.report(error, verbose=session_of(ctx).verbose)
            raise click.exceptions.Exit(code) from error


def gallery_command(name: str, examples: str) -> Callable[[Function], GalleryCommand]:
    """Make a function a command whose first argument is the `Session`."""

    def decorate(function: Function) -> GalleryCommand:
        return click.command(
            name,
            cls=GalleryCommand,
            examples=examples,
            context_settings={"help_option_names": ["-h", "--help"]},
        )(_pass_session(function))

    return decorate


def _pass_session(function: Function) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        session: Session = session_of(click.get_current_context())
        return function(session, *arguments, **options)

    return functools.update_wrapper(call, function)
