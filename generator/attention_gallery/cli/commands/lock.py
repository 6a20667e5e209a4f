"""`attention-gallery lock`: record which models the gallery is built from."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session
from attention_gallery.cli.terminal_text import counted, plain, shown

_EXAMPLES = """
attention-gallery lock
attention-gallery lock --upgrade
attention-gallery lock --exact
"""

_EXACT = "exact: captures of another numeric environment are refused from now on"
_NO_LONGER_EXACT = "no longer exact: captures of another numeric environment are used, with a warning"


@gallery_command("lock", _EXAMPLES)
@click.option("--upgrade", is_flag=True, help="Ask the hub where branches and tags stand now.")
@click.option(
    "--exact/--no-exact",
    default=None,
    help="Whether captures of another numeric environment are refused, now and by every build.  "
    "[default: as in the lock]",
)
def command(session: Session, upgrade: bool, exact: bool | None) -> None:
    """Write what the models are now into gallery.lock, and say what changed.

    The lock holds the commit, the digests of weights and tokenizer, the versions of libraries and the numeric
    environment of the captures for each model, drafts included. Builds then stop when a model differs from
    it. Hub models keep the commit that is locked unless --upgrade is given.
    """
    from attention_gallery.build.plan.lockfile_update import update_lock

    report = update_lock(session.manifest_path(), session.reporter(), upgrade=upgrade, exact=exact)
    for slug, changes in report.changed.items():
        session.say(plain(f"{slug}: {'; '.join(changes)}"))
    if report.exact is not None:
        session.say(_EXACT if report.exact else _NO_LONGER_EXACT)
    models = counted(report.models, "model")
    if report.written:
        what = f"{len(report.changed)} changed" if report.changed else "the same as before"
        session.say(f"Wrote {shown(report.path)}: {models}, {what}.")
    else:
        session.say(f"{shown(report.path)} is up to date: {models}.")
