"""What a model is, as digests of its files; remembered, so that an unchanged build reads none of them."""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from attention_gallery.files import parse_json
from attention_gallery.hashing import canonical_json, digest, digest_file
from attention_gallery.models.sources.resolved import ResolvedModel
from attention_gallery.stamps import Moment, Stamp, stamp_of
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

_SCHEMA = 2


@dataclass(frozen=True, slots=True)
class ModelFingerprint:
    """SHA-256 of the weights with their configuration, and of the tokenizer; 64 hexadecimal digits each.

    What else can change the numbers counts with the weights: generation_config.json and a model's own code.
    """

    weights: str
    tokenizer: str


class FingerprintMemory:
    """Digests of files by path and stamp, kept in a small JSON file.

    A file that was changed keeps its path but not its stamp, however it was changed, and is read again. Where
    the system tells no time of change (Windows), an edit that keeps size and time does not show: there small
    files are read each time, and such an edit of a large one passes unseen. A memory that cannot be read is
    empty; one that cannot be written only costs time.
    """

    def __init__(self, path: Path, *, keep: bool = True) -> None:
        """Use the memory in the file `path`, which need not exist yet; without `keep` nothing is written."""
        self._path = path
        self._keep = keep
        self._known = self._load()

    def digest(self, path: Path) -> str:
        """The SHA-256 of a file, from memory when the file did not change. Raises `OSError`."""
        name = str(path.absolute())
        if self.remembers(path) and not self._known[name][0].is_doubtful:
            return self._known[name][1]
        # What is written in the clock's tick in which the file is read would not change its stamp.
        time.sleep(Moment.now().wait_for(stamp_of(path.stat())))
        moment, before = Moment.now(), stamp_of(path.stat())
        checksum = digest_file(path)
        if moment.settled(before) and stamp_of(path.stat()) == before:
            changed = self._known.get(name) != (before, checksum)
            self._known[name] = before, checksum
            if self._keep and changed:
                self._save()
        return checksum

    def remembers(self, path: Path) -> bool:
        """Whether the digest of a file is known, so that asking for it reads little or nothing.

        Little is a small file whose stamp does not show every edit. Raises `OSError`.
        """
        stamp = stamp_of(path.stat())
        known = self._known.get(str(path.absolute()))
        return known is not None and known[0] == stamp

    def _load(self) -> dict[str, tuple[Stamp, str]]:
        try:
            value = parse_json(read_user_file(self._path, LARGEST_SETTINGS))
            entries = value["files"] if value["schema"] == _SCHEMA else {}
            return {str(name): (Stamp(*stamp), str(checksum)) for name, (stamp, checksum) in entries.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _save(self) -> None:
        unfinished = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(canonical_json({"schema": _SCHEMA, "files": self._known}))
            unfinished.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)


def fingerprint(model: ResolvedModel, memory: FingerprintMemory) -> ModelFingerprint:
    """The fingerprint of a model, which depends on its files' names and bytes, not on where they lie.

    A GGUF file holds its tokenizer, whose fingerprint is then derived from the same bytes.
    """
    if model.weights_format == "gguf":
        whole = memory.digest(model.weights[0])
        return ModelFingerprint(digest({"gguf": whole}), digest({"gguf tokenizer": whole}))
    files = (*model.weights, *([] if model.config is None else [model.config]), *model.other_files)
    return ModelFingerprint(
        weights=digest({path.name: memory.digest(path) for path in files}),
        tokenizer=digest({path.name: memory.digest(path) for path in model.tokenizer}),
    )
