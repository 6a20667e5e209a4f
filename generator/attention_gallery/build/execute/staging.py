"""Write the site into a staging folder, reusing what did not change, and swap it in whole."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from attention_gallery.addresses.routes import file_of
from attention_gallery.build.checks.site_links import LinkReader, read_page
from attention_gallery.build.execute.ownership import MARKER, marker_lines
from attention_gallery.build.execute.record import Output, Record, RecordWriter
from attention_gallery.errors import OutputError, Problem
from attention_gallery.files import (
    cannot_read,
    link_or_copy,
    make_folder,
    remove_tree,
    swap_folders,
    walk_files,
)
from attention_gallery.hashing import digest_bytes, digest_file
from attention_gallery.pages.page_kind import PlannedPage
from attention_gallery.pages.side_results import SideAnalyses
from attention_gallery.progress import Task
from attention_gallery.stamps import Stamp, stamp_of

_MOST_TOGETHER = 64
_BYTES_TOGETHER = 1 << 20
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(slots=True)
class Staging:
    """A site in the making. `known` are the routes so far, `made` folders, `foreign` files of other hands.

    `taken` are the routes and stamps of files that were taken over from the live site, by their name.
    """

    folder: Path
    live: Path
    old: Record
    new: RecordWriter
    reuse: bool
    links: LinkReader
    sides: SideAnalyses
    known: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    taken: dict[str, tuple[str, Stamp]] = field(default_factory=dict)
    written: int = 0
    reused: int = 0
    pages: int = 0
    size: int = 0

    def begin(self) -> None:
        """Start with an empty folder."""
        remove_tree(self.folder)
        self.folder.mkdir(parents=True)

    def add_all(self, pages: Iterable[PlannedPage], task: Task) -> None:
        """Make every page, or take it over from the live site when its inputs are the same.

        Some are made, then written together: each of the two is quicker when the other does not interrupt.
        """
        waiting: list[tuple[PlannedPage, bytes | Output]] = []
        size = 0
        for page in pages:
            before = self._unchanged(page)
            waiting.append((page, before) if before else self._made(page))
            content = waiting[-1][1]
            size += len(content) if isinstance(content, bytes) else 0
            if len(waiting) == _MOST_TOGETHER or size >= _BYTES_TOGETHER:
                self._add(waiting, task)
                waiting, size = [], 0
        self._add(waiting, task)

    def _made(self, page: PlannedPage) -> tuple[PlannedPage, bytes]:
        """The bytes of a page, which is made again next time where anything is left out of it."""
        self.sides.begin_page()
        data = page.make()
        return (page._replace(inputs="") if self.sides.of_page else page), data

    def _add(self, pages: list[tuple[PlannedPage, bytes | Output]], task: Task) -> None:
        for page, content in pages:
            route = page.route
            if route in self.known:
                reason = f'two pages have the address "/{route}"'
                raise OutputError(Problem(reason, "change one of the slugs or aliases"))
            name = file_of(route)
            target = os.path.join(self.folder, name)
            if (folder := os.path.dirname(target)) not in self.made:
                make_folder(folder)
                self.made.add(folder)
            if isinstance(content, Output):
                link_or_copy(os.path.join(self.live, name), target)
                self.reused += 1
                stamp = stamp_of(os.lstat(target))  # another name is a change of the file, too
                output = content._replace(stamp=stamp)
                self.taken[name] = route, stamp
            else:
                output = self._written(page, content, target)
                self.written += 1
            self.known.add(route)
            self.pages += name.endswith(".html")
            self.size += output.size
            self.new.add(output)
        if pages:
            task.advance(len(pages), pages[-1][0].route)

    def _unchanged(self, page: PlannedPage) -> Output | None:
        """What is remembered of a page that lies in the live site as it would be made."""
        before = self.old.output(page.route) if self.reuse else None
        if before is None or before.inputs != page.inputs:
            return None
        path = os.path.join(self.live, file_of(page.route))
        try:
            status = os.lstat(path)
            if stamp_of(status) == before.stamp:
                return before
            # A copy of the site, or one out of a cache: what it holds decides.
            alike = status.st_size == before.size and stat.S_ISREG(status.st_mode)
            return before if alike and digest_file(Path(path)) == before.digest else None
        except OSError:
            return None

    def _written(self, page: PlannedPage, data: bytes, target: str) -> Output:
        stream = os.open(target, _NEW_FILE, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(stream, view) :]
            status = os.fstat(stream)
        finally:
            os.close(stream)
        links = self.links.read(page.route, data) if target.endswith(".html") else ""
        return Output(page.route, page.inputs, digest_bytes(data), links, stamp_of(status))

    def keep_foreign(self, owned: set[str], force: bool) -> None:
        """Carry over every file of the live site that is not ours.

        Raises `OutputError` where a page would take the place of such a file, unless `force` is given.
        """
        if not self.live.is_dir():
            return
        ours = self.files()
        for name in self._lying():
            if name in owned or (force and (name in ours or name == MARKER)):
                continue
            if name.endswith("/") and any(file.startswith(name) for file in owned):
                continue  # a folder of ours that somebody emptied
            if name in ours or name == MARKER:
                raise self._in_the_way(name, "move it away, or use --force to replace it")
            self._carry(name)
            self.foreign.add(name)

    def _lying(self) -> Iterator[str]:
        """What lies in the live site. Raises `OutputError`: what cannot be read cannot be carried over."""
        try:
            yield from walk_files(self.live, empty_folders=True)
        except OSError as error:
            mend = "check who owns it and its permissions, or move it away"
            folder = Path(os.fsdecode(error.filename or self.live))
            problem = cannot_read("a folder in the site cannot be read", error, mend, folder)
            raise OutputError(problem) from None

    def _carry(self, name: str) -> None:
        source, target = self.live / name, self.folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                target.mkdir(exist_ok=True)
            elif source.is_symlink():
                target.symlink_to(os.readlink(source))
            else:
                link_or_copy(str(source), str(target))
        except (FileExistsError, NotADirectoryError):
            raise self._in_the_way(name, "move it away") from None

    def _in_the_way(self, name: str, mend: str) -> OutputError:
        reason = f'the file "{name}" in the site is not ours, and a page needs its place'
        return OutputError(Problem(reason, mend, self.live / name))

    def files(self) -> set[str]:
        """The files of the pages so far."""
        return {file_of(route) for route in self.known}

    def seal(self, drafts: bool) -> None:
        """Write the list of files that are ours; `drafts` tells whether the site shows drafts."""
        with (self.folder / MARKER).open("wb") as stream:
            stream.writelines(marker_lines((file_of(route) for route, _ in self.new.links()), drafts))

    def read(self, route: str) -> bytes:
        """The HTML behind a route of the staged site; nothing for other files."""
        return read_page(self.folder, route)

    def swap(self) -> None:
        """Put the staged site in the place of the live one, which then lies in the staging folder.

        Raises `OutputError` where the two lie on different disks, and where something of what was staged is
        no longer there.
        """
        for name in (MARKER, *self.files(), *self.foreign):
            if not os.path.lexists(os.path.join(self.folder, name)):
                raise self._removed(name)
        self.live.parent.mkdir(parents=True, exist_ok=True)
        try:
            swap_folders(self.folder, self.live)
        except OSError as error:
            if not self.folder.is_dir():
                raise self._removed(MARKER) from error
            if error.errno not in (errno.EXDEV, errno.EBUSY):
                raise
            reason = f'the output "{self.live.name}" is on another disk than "{self.folder.parent.name}"'
            mend = "keep both on the same disk: a site is put in its place by renaming it"
            raise OutputError(Problem(reason, mend, self.live)) from error

    def _removed(self, name: str) -> OutputError:
        reason = f'"{name}" was removed from "{self.folder.name}" while the build was running'
        return OutputError(Problem(reason, "build again; the previous site is untouched", self.folder))

    def drop_old(self, owned: set[str]) -> dict[str, Stamp]:
        """Drop the site that was there; what somebody put into it during the build moves to the new one.

        Returns the stamps by route of the files of which one of two names went: that is a change, too.
        """
        stamps: dict[str, Stamp] = {}
        if self.folder.is_dir():
            self._drop(str(self.folder), "", owned, stamps)
        return stamps

    def _drop(self, folder: str, prefix: str, owned: set[str], stamps: dict[str, Stamp]) -> None:
        with os.scandir(folder) as scanned:
            entries = list(scanned)
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                self._drop(entry.path, name + "/", owned, stamps)
                continue
            target = self.live / name
            if name not in owned and name not in self.foreign and not os.path.lexists(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                os.rename(entry.path, target)
            elif name in self.taken:
                self._drop_name(entry.path, name, stamps)
            else:
                os.unlink(entry.path)
        os.rmdir(folder)

    def _drop_name(self, path: str, name: str, stamps: dict[str, Stamp]) -> None:
        """Drop the old name of a file that was taken over, and note its stamp if nobody wrote to it since."""
        route, stamp = self.taken[name]
        before = stamp_of(os.lstat(path))
        os.unlink(path)
        if before == stamp:  # else the file was copied, and its stamp stays
            stamps[route] = stamp_of(os.lstat(os.path.join(self.live, name)))
