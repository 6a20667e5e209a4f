"""`attention-gallery publish`: push the built site to a branch that a host serves."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.terminal_text import counted, plain, size

_EXAMPLES = """
attention-gallery publish
attention-gallery publish --cname attention.example.org
attention-gallery publish --no-push --branch preview
"""


@gallery_command("publish", _EXAMPLES)
@click.option("--branch", default="gh-pages", show_default=True, help="The branch that holds the site.")
@click.option("--remote", default="origin", show_default=True, help="The git remote to push to.")
@click.option("--message", metavar="TEXT", help="The commit message.  [default: which commit was published]")
@click.option("--cname", metavar="DOMAIN", help="Write a CNAME file for this domain.")
@click.option("--push/--no-push", default=True, show_default=True, help="Push the branch, or only commit it.")
@click.option("--force", is_flag=True, help="Replace a branch whose content was not published by us.")
def command(
    session: Session,
    branch: str,
    remote: str,
    message: str | None,
    cname: str | None,
    push: bool,
    force: bool,
) -> None:
    """Commit the built site to a branch and push it.

    For GitHub Pages: choose "Deploy from a branch" and gh-pages in the repository's settings. Your working
    tree and the branch you are on are not touched.
    """
    from attention_gallery.manifest.load_manifest import load_manifest
    from attention_gallery.publish import publish

    manifest = load_manifest(session.manifest_path())
    report = publish(
        manifest.root / manifest.settings.output,
        repository=manifest.root,
        branch=branch,
        remote=remote,
        message=message,
        push=push,
        cname=cname,
        force=force,
    )
    reporter = session.reporter()
    for warning in report.warnings:
        reporter.warning(warning)
    if report.pushed:
        done = f"Pushed to {remote}/{branch}"
    elif report.changed:
        done = f"Committed to {branch}"
    else:
        done = f"Nothing has changed since the last commit to {branch}"
    what = f"{counted(report.files, 'file')}, {size(report.size)}"
    session.say(plain(f"{done}: {what}, commit {report.commit[:10]}."))
