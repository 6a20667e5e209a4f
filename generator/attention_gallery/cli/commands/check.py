"""`attention-gallery check`: look for mistakes without writing anything."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.wording import counted

_EXAMPLES = """
attention-gallery check
attention-gallery check --strict --drafts
"""


@gallery_command("check", _EXAMPLES)
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("--drafts", is_flag=True, help="Check models, sentences and notes marked `draft: true` too.")
def command(session: Session, strict: bool, drafts: bool) -> None:
    """Check the manifest, notes, theme and built site; write nothing.

    All mistakes are told at once. No model is loaded.
    """
    from attention_gallery.build import BuildOptions, check

    report = check(session.manifest_path(), BuildOptions(strict=strict, drafts=drafts), session.reporter())
    session.say(
        "No mistakes found." if not report.warnings else counted(len(report.warnings), "warning") + "."
    )
