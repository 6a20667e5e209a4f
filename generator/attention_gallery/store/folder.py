"""The store: one folder in which every capture lies under its key, whole or not at all."""

from __future__ import annotations

import io
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attention_gallery.errors import DamagedEntry, OutputError, Problem
from attention_gallery.files import is_system_trouble, make_folder
from attention_gallery.hashing import digest_file
from attention_gallery.records import ModelFacts, Precision, StoredAttention, Tokens
from attention_gallery.store.entry import StoredEntry, unreadable
from attention_gallery.store.layout import Reading
from attention_gallery.store.side_outputs import NO_ROOM, SideOutputShape
from attention_gallery.store.sidecar import load
from attention_gallery.store.writer import EntryWriter

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
if sys.platform != "win32":
    import fcntl

_KEY = re.compile(r"[0-9a-f]{64}")
_DATA = ".safetensors"
_SIDECAR = ".json"
_UNFINISHED = ".part"
# A short sentence is written in one go.
_BUFFER = 1 << 16


class AttentionStore:
    """Captures by key: `<key[:2]>/<key>.safetensors` for the numbers, `<key>.json` for where they come from.

    The sidecar is renamed into place last, so an entry exists exactly when its sidecar does. Nothing is
    forced to the disk: what a power cut leaves of an entry fails its checksums and is captured again. Any
    number may read, and write; who tidies (`sweep`, `prune`) must be the only one that writes, and a build
    holds a lock for that.
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which need not exist yet."""
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where the entries lie."""
        return self._folder

    def has(self, key: str) -> bool:
        """Whether there is an entry; looks at names only, so damage shows when it is opened or read."""
        data, sidecar = self._paths(key)
        return os.path.isfile(sidecar) and os.path.isfile(data)

    def open(self, key: str) -> StoredAttention:
        """The entry under `key`, ready to be read layer by layer.

        Raises `KeyError` when there is none and `DamagedEntry` when its description cannot be read, is
        from another schema, or does not fit the file's header and length.
        """
        if not self.has(key):
            raise KeyError(key)
        data, sidecar = map(Path, self._paths(key))
        try:
            described = sidecar.read_bytes()
        except OSError as error:
            raise unreadable(key, error) from error
        return StoredEntry(data, load(described, key))

    def content(self, key: str) -> str:
        """Digest of what an entry says of itself, such as the checksums of its numbers, which are not read.

        A capture with other numbers under the same key has another. Raises `KeyError` when there is none and
        `DamagedEntry` when it cannot be read.
        """
        if not self.has(key):
            raise KeyError(key)
        try:
            return digest_file(Path(self._paths(key)[1]))
        except OSError as error:
            raise unreadable(key, error) from error

    def verify(self, key: str) -> None:
        """Read the whole entry and compare it with its checksums. Raises `KeyError` or `DamagedEntry`."""
        entry = self.open(key)
        for index in range(entry.facts.layers):
            entry.layer(index)
        _ = entry.side_outputs

    @contextmanager
    def writer(
        self,
        key: str,
        text: str,
        tokens: Tokens,
        facts: ModelFacts,
        keys: Tokens | None = None,
        precision: Precision = "float32",
        side_outputs: SideOutputShape = NO_ROOM,
        key_text: str = "",
    ) -> Iterator[EntryWriter]:
        """A writer for one capture: `write` each layer in order, then `finish`.

        `keys` are the tokens that are looked at where they are not those that look, and `key_text` is their
        text; `side_outputs` is what the entry will hold beside the weights.

        The entry appears on a clean exit, unless a whole one is there by then: of two writers the first one's
        entry stays. Where the second one's is not the same to the byte, its writer has that entry as `other`.
        A damaged entry gives way. On any error, and when the process is killed, nothing appears. Raises
        `ValueError` on a clean exit without `finish` and `OutputError` when the disk is full or may not be
        written.
        """
        stem = f"{self._folder}/{key[:2]}/{key}.{secrets.token_hex(4)}"
        unfinished = (f"{stem}{_DATA}{_UNFINISHED}", f"{stem}{_SIDECAR}{_UNFINISHED}")
        reading = Reading(facts, tokens, keys, side_outputs, key_text)
        try:
            with _EntryFile(unfinished[0], self._folder) as stream:
                entry = EntryWriter(stream, key, text, reading, precision)
                yield entry
                described = entry.sidecar()
            with _told(self._folder):
                entry.other = self._put_in_place(key, unfinished, described)
        except BaseException:
            for path in unfinished:
                # What cannot be removed now is swept later.
                with suppress(OSError):
                    os.unlink(path)
            raise

    def _put_in_place(
        self, key: str, unfinished: tuple[str, str], described: bytes
    ) -> StoredAttention | None:
        """Make a finished entry appear, or drop it for a whole one; that one where it is another."""
        with open(unfinished[1], "xb", buffering=_BUFFER) as stream:
            stream.write(described)
        data, sidecar = self._paths(key)
        with _held(os.path.dirname(data)):
            stands = self._whole(key)
            if stands is None:
                _unlink(sidecar)
                os.replace(unfinished[0], data)
                os.replace(unfinished[1], sidecar)
                return None
            same = Path(sidecar).read_bytes() == described
        for path in unfinished:
            _unlink(path)
        return None if same else stands

    def _whole(self, key: str) -> StoredAttention | None:
        """The entry under a key, if there is one without damage."""
        with suppress(KeyError, DamagedEntry):
            self.verify(key)
            return self.open(key)
        return None

    def remove(self, key: str) -> None:
        """Remove an entry, whole or damaged; nothing happens when there is none."""
        data, sidecar = self._paths(key)
        _unlink(sidecar)
        _unlink(data)

    def keys(self) -> tuple[str, ...]:
        """The keys of all entries, sorted."""
        stems = (path.stem for path in self._folder.glob(f"??/*{_SIDECAR}"))
        return tuple(sorted(key for key in stems if _KEY.fullmatch(key) and self.has(key)))

    def prune(self, keep: set[str]) -> int:
        """Remove every entry that is not in `keep`; the bytes that were freed."""
        freed = 0
        for key in self.keys():
            if key not in keep:
                freed += sum(os.stat(path).st_size for path in self._paths(key))
                self.remove(key)
        self._drop_empty_folders()
        return freed

    def sweep(self) -> int:
        """Remove what killed writers left behind; the number of files removed.

        To be called by the one process that may write, before it does.
        """
        stale = [*self._folder.glob(f"??/*{_UNFINISHED}"), *self._orphans()]
        for path in stale:
            path.unlink(missing_ok=True)
        self._drop_empty_folders()
        return len(stale)

    def _orphans(self) -> Iterator[Path]:
        """Data whose sidecar never came, and sidecars whose data went away."""
        for suffix, other in ((_DATA, _SIDECAR), (_SIDECAR, _DATA)):
            for path in self._folder.glob(f"??/*{suffix}"):
                if _KEY.fullmatch(path.stem) and not path.with_suffix(other).exists():
                    yield path

    def _drop_empty_folders(self) -> None:
        for folder in self._folder.glob("??"):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _paths(self, key: str) -> tuple[str, str]:
        # Plain text: a path object takes longer to make than a short sentence takes to write.
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a capture key: {key!r}")
        stem = f"{self._folder}/{key[:2]}/{key}"
        return stem + _DATA, stem + _SIDECAR


@contextmanager
def _held(folder: str) -> Iterator[None]:
    """Be the only one that puts entries into a folder. The lock is the system's, and leaves no file."""
    if sys.platform == "win32":  # has no locks of folders; a build holds one of its own
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


class _EntryFile(io.BufferedWriter):
    """A new file of the store, which tells of trouble itself: code of others runs while it is written to."""

    def __init__(self, path: str, folder: Path) -> None:
        self._folder = folder
        with _told(folder):
            make_folder(os.path.dirname(path))
            super().__init__(io.FileIO(path, "x"), _BUFFER)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes. Raises `OutputError`."""
        with _told(self._folder):
            return super().write(data)

    def seek(self, target: int, whence: int = 0, /) -> int:
        """Go to another place. Raises `OutputError`."""
        with _told(self._folder):
            return super().seek(target, whence)

    def close(self) -> None:
        """Write what is left, and close. Raises `OutputError`."""
        with _told(self._folder):
            super().close()


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Tell that the store in `folder` cannot be written, where that is so."""
    try:
        yield
    except OSError as error:
        reason = f"the store {folder} cannot be written: {error.strerror or error}"
        mend = "free some space there, or check who may write to it; what was captured before is kept"
        raise OutputError(Problem(reason, mend, trouble=is_system_trouble(error))) from error
