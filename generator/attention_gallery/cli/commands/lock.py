"""`attention-gallery lock`: record which models the gallery is built from."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.wording import counted, plain, shown

_EXAMPLES = """
attention-gallery lock
attention-gallery lock --upgrade
"""


@gallery_command("lock", _EXAMPLES)
@click.option("--upgrade", is_flag=True, help="Ask the hub where branches and tags stand now.")
def command(session: Session, upgrade: bool) -> None:
    """Write what the models are now into gallery.lock, and say what changed.

    The lock holds the commit, the digests of weights and tokenizer and the versions of libraries for each
    model, drafts included. Builds then stop when a model differs from it. Hub models keep the commit that
    is locked unless --upgrade is given.
    """
    from attention_gallery.build.locking import update_lock

    report = update_lock(session.manifest_path(), session.reporter(), upgrade=upgrade)
    for slug, changes in report.changed.items():
        session.say(plain(f"{slug}: {'; '.join(changes)}"))
    models = counted(report.models, "model")
    if report.changed:
        session.say(f"Wrote {shown(report.path)}: {models}, {len(report.changed)} changed.")
    else:
        session.say(f"{shown(report.path)} is up to date: {models}.")
