"""What the last build wrote and from what: the memory that makes the next build incremental.

One SQLite file, written anew by every build and renamed into place after the site is. A row speaks for a
file only while the file's stamp, or else its bytes, are those in the row, so a record that is older than the
site, lost or damaged costs time and never correctness.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from attention_gallery.errors import OutputError, Problem
from attention_gallery.stamps import Stamp

SCHEMA = 2
_BATCH = 500
_TABLES = """
create table facts (name text primary key, value text not null) without rowid;
create table outputs (
    route text primary key, inputs text not null, digest text not null, links text not null,
    size integer not null, modified integer not null, changed integer not null, inode integer not null
) without rowid;
create table sources (
    name blob primary key, digest text not null,
    size integer not null, modified integer not null, changed integer not null, inode integer not null
) without rowid;
"""
_UNFINISHED = ".new"
_STAMP = "size, modified, changed, inode"


class Output(NamedTuple):
    """One file of the site, with the SHA-256 of its bytes. `links`: routes (with `#anchor`), one a line."""

    route: str
    inputs: str
    digest: str
    links: str
    stamp: Stamp

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.stamp.size


class Record:
    """Reads the record of the last build; an unreadable one is as good as none."""

    def __init__(self, path: Path) -> None:
        self._connection = self._open(path)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection | None:
        if not path.is_file():
            return None
        with suppress(sqlite3.Error), ExitStack() as stack:
            # As a URI: a folder may have "?", "#" or "%" in its name.
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            stack.callback(connection.close)
            if connection.execute("select value from facts where name = 'schema'").fetchone() == (
                str(SCHEMA),
            ):
                stack.pop_all()
                return connection
        return None

    def fact(self, name: str) -> Any:
        """A remembered JSON value, None where there is none."""
        with suppress(ValueError):
            for (value,) in self._all("select value from facts where name = ?", name):
                return json.loads(value)
        return None

    def output(self, route: str) -> Output | None:
        """What is remembered of one file."""
        query = f"select route, inputs, digest, links, {_STAMP} from outputs where route = ?"
        for name, inputs, digest, links, *stamp in self._all(query, route):
            return Output(name, inputs, digest, links, Stamp(*stamp))
        return None

    def stamps(self) -> list[tuple[Any, ...]]:
        """Route, digest and the values of the stamp of every file; none of a damaged record."""
        return self._all(f"select route, digest, {_STAMP} from outputs")

    def sources(self) -> dict[str, tuple[Stamp, str]]:
        """Stamp and digest of every file that the site was made from; none of a damaged record."""
        rows = self._all(f"select name, digest, {_STAMP} from sources")
        return {os.fsdecode(name): (Stamp(*stamp), digest) for name, digest, *stamp in rows}

    def _all(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with suppress(sqlite3.Error):
            if self._connection is not None:
                return self._connection.execute(query, values).fetchall()
        return []

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class RecordWriter:
    """Writes a new record beside the old one; `publish` puts it in its place.

    Every call raises `OutputError` when the disk is full or may not be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = _new_draft(path)
        self._draft.parent.mkdir(parents=True, exist_ok=True)
        self._waiting: list[tuple[str | int, ...]] = []
        with self._errors_named():
            self._connection = sqlite3.connect(self._draft, isolation_level=None)
        try:
            with self._errors_named():
                # The draft has no value until it is renamed: it needs no journal and no flushing of its own.
                self._connection.execute("pragma journal_mode = off")
                self._connection.execute("pragma synchronous = off")
                self._connection.executescript(_TABLES)
                self._connection.execute("begin")
        except BaseException:
            self.discard()
            raise

    def add(self, output: Output) -> None:
        """Remember one file."""
        self._waiting.append((*output[:4], *output.stamp))
        if len(self._waiting) >= _BATCH:
            self._flush()

    def links(self) -> Iterator[tuple[str, str]]:
        """Route and links of every file added so far, sorted by route."""
        self._flush()
        with self._errors_named():
            yield from self._connection.execute("select route, links from outputs order by route")

    def finish(self, facts: dict[str, Any], sources: Mapping[str, tuple[Stamp, str]]) -> None:
        """Complete the record, so that nothing is left to do that could fail but its renaming."""
        self._flush()
        files = ((os.fsencode(name), digest, *stamp) for name, (stamp, digest) in sources.items())
        rows = [(name, json.dumps(value)) for name, value in {"schema": SCHEMA, **facts}.items()]
        with self._errors_named():
            self._connection.executemany("insert into sources values (?, ?, ?, ?, ?, ?)", files)
            self._connection.executemany("insert into facts values (?, ?)", rows)
            self._connection.execute("commit")
        self._connection.close()
        self._draft.stat()  # raises where somebody removed it: afterwards it would be too late to say so

    def publish(self) -> None:
        """Put the finished record in the place of the old one."""
        os.replace(self._draft, self._path)

    def discard(self) -> None:
        """Drop the unfinished record."""
        self._connection.close()
        self._draft.unlink(missing_ok=True)

    def _flush(self) -> None:
        with self._errors_named():
            self._connection.executemany("insert into outputs values (?, ?, ?, ?, ?, ?, ?, ?)", self._waiting)
        self._waiting.clear()

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            mend = "free some space on the disk and build again; the previous site is untouched"
            reason = f"the record of the build cannot be written: {error}"
            raise OutputError(Problem(reason, mend, self._draft, trouble=True)) from error


def restamp(path: Path, outputs: Mapping[str, Stamp], sources: Mapping[str, Stamp]) -> None:
    """Remember other stamps of files that hold the same; where that cannot be written, it only costs time.

    `outputs` are by route, `sources` by name.
    """
    if not outputs and not sources:
        return
    draft = _new_draft(path)
    change = "update {} set size = ?, modified = ?, changed = ?, inode = ? where {} = ?"
    try:
        shutil.copyfile(path, draft)
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("pragma journal_mode = off")
            connection.execute("begin")
            rows = ((*stamp, route) for route, stamp in outputs.items())
            connection.executemany(change.format("outputs", "route"), rows)
            files = ((*stamp, os.fsencode(name)) for name, stamp in sources.items())
            connection.executemany(change.format("sources", "name"), files)
            connection.execute("commit")
        os.replace(draft, path)
    except (OSError, sqlite3.Error):
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def drop_drafts(path: Path) -> None:
    """Remove what killed writers left of records for `path`; while nobody else writes there."""
    for draft in path.parent.glob(f"{path.name}*{_UNFINISHED}"):
        draft.unlink(missing_ok=True)


def _new_draft(path: Path) -> Path:
    """Where a record for `path` is written until it is whole: by one writer, who shares it with nobody."""
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}{_UNFINISHED}")
