"""`attention-gallery check`: look for mistakes without writing anything."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.terminal_text import counted, size

_EXAMPLES = """
attention-gallery check
attention-gallery check --strict --drafts
attention-gallery check --fresh
"""


@gallery_command("check", _EXAMPLES)
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("--drafts", is_flag=True, help="Check models, sentences and notes marked `draft: true` too.")
@click.option(
    "--fresh", is_flag=True, help="Read every file of the site and compare it with what the build wrote."
)
def command(session: Session, strict: bool, drafts: bool, fresh: bool) -> None:
    """Check the manifest, models' files, notes, theme and built site; write nothing.

    All mistakes are told at once. No model is loaded.
    """
    from attention_gallery.build import BuildOptions, check
    from attention_gallery.errors import Problem, UserError

    options = BuildOptions(strict=strict, drafts=drafts, fresh=fresh)
    report = check(session.manifest_path(), options, session.reporter())
    if strict and report.warnings:
        raise UserError([Problem(text, "warnings are errors with --strict") for text in report.warnings])
    looked_at = "the manifest, the notes and the theme"
    if report.pages:
        looked_at = (
            f"{counted(report.pages, 'page')} with {counted(report.links, 'link')} ({size(report.size)})"
        )
    result = counted(len(report.warnings), "warning") if report.warnings else "no mistakes"
    session.say(f"Checked {looked_at}: {result}.")
