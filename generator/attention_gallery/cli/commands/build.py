"""`attention-gallery build`: make the site."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session

_EXAMPLES = """
attention-gallery build
attention-gallery build --drafts
attention-gallery build --update-lock
attention-gallery --manifest papers/gallery.yaml build --strict
"""


@gallery_command("build", _EXAMPLES)
@click.option("--strict", is_flag=True, help="Treat warnings as errors; the previous site then stays.")
@click.option(
    "--force", is_flag=True, help="Make every page again, and take over a site folder that is not ours."
)
@click.option("--drafts", is_flag=True, help="Include models, sentences and notes marked `draft: true`.")
@click.option(
    "--update-lock",
    is_flag=True,
    help="Take models that differ from gallery.lock into it; else they stop it.",
)
@click.option(
    "--keep-going",
    is_flag=True,
    help="Capture all sentences that can be, although one fails; the build still ends with its error.",
)
def command(
    session: Session, strict: bool, force: bool, drafts: bool, update_lock: bool, keep_going: bool
) -> None:
    """Capture what is missing and write the site.

    What did not change since the last build is neither captured nor rendered again. When anything fails,
    the previous site stays as it is. Where there is a gallery.lock, a model that differs from it fails.
    """
    from attention_gallery.build import BuildOptions, build
    from attention_gallery.cli.summary import build_summary

    manifest = session.manifest_path()
    options = BuildOptions(
        strict=strict, force=force, drafts=drafts, update_lock=update_lock, keep_going=keep_going
    )
    report = build(manifest, options, session.reporter())
    session.say(build_summary(report, manifest.parent))
