"""Every way in which a command can end, as one message and one exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from pathlib import Path

import click

from attention_gallery.cli.terminal_text import colour, plain, shown
from attention_gallery.errors import GalleryError, UserError

OK = 0
FAILURE = 1
INTERRUPTED = 130


def report(error: BaseException, *, verbose: bool = False) -> int:
    """Print one message about `error` to standard error and return the exit code that it stands for."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return _say("interrupted", INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        return _close_pipe()
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, UserError):
        return _say_error(error.render(Path.cwd()), error.exit_code)
    if isinstance(error, GalleryError):
        return _say_error(str(error), error.exit_code)
    if verbose:
        click.echo(plain("".join(traceback.format_exception(error))), err=True, nl=False)
    if isinstance(error, SystemExit):
        return _say_error(_ended(error), FAILURE)
    if isinstance(error, MemoryError):
        return _say_error("there is not enough memory", FAILURE)
    if isinstance(error, OSError) and error.errno is not None:
        return _say_error(_system_message(error), FAILURE)
    return _say_error(_bug_message(error, verbose), FAILURE)


def _system_message(error: OSError) -> str:
    from attention_gallery.files import why_unreadable

    where = f"{shown(Path(os.fsdecode(error.filename)))}: " if isinstance(error.filename, str | bytes) else ""
    reason = why_unreadable(error)
    mends = {
        errno.ENOSPC: "free some space on the disk and run the command again; the previous site is untouched",
        errno.EDQUOT: "your disk quota is used up; the previous site is untouched",
        errno.EACCES: "check who owns the file or folder and its permissions",
        errno.EPERM: "check who owns the file or folder and its permissions",
        errno.EROFS: "the file system is read-only",
        errno.EMFILE: 'raise the limit of open files ("ulimit -n")',
    }
    mend = mends.get(error.errno or 0, "")
    return f"{where}{reason}" + (f"\n  {mend}" if mend else "")


def _ended(error: SystemExit) -> str:
    # click ends commands in its own way, so that only code of others can have asked for this.
    return f"code that is not ours ended the program (sys.exit({error.code!r})) before the command was done"


def _bug_message(error: BaseException, verbose: bool) -> str:
    summary = " ".join(str(error).split())
    fault = f"{type(error).__name__}: {summary}" if summary else type(error).__name__
    hint = "" if verbose else "; run again with --verbose for the traceback, and please report it"
    return f"this is a bug in attention-gallery: {fault}{hint}"


def _say_error(text: str, code: int) -> int:
    prefix = click.style("error:", fg="red", bold=True)
    return _say(f"{prefix} {plain(text)}", code)


def _say(text: str, code: int) -> int:
    click.echo(text, err=True, color=colour())
    return code


def _close_pipe() -> int:
    # The reader has gone; without this the interpreter complains once more when it flushes at exit.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK
