"""Templates compiled by an earlier build, so that a build of few pages need not wait for all of them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket

from attention_gallery.files import remove_tree, write_atomically
from attention_gallery.hashing import digest, digest_bytes, digest_file

# What compiles templates and finds them sound, with what those lean on in the same folder.
_CODE = Path(__file__).parent


class CompiledTemplates(jinja2.BytecodeCache):
    """Compiled templates in `folder`.

    Jinja2 compares each with the template's text. It does not know that our own bounds are in the code, nor
    keeps versions of itself apart, so both name a folder for them; what others made is removed. A file is
    the SHA-256 of its name and what follows, and, after a line feed, what Jinja2 keeps.
    """

    def __init__(self, folder: Path) -> None:
        hooks = [digest_file(path) for path in sorted(_CODE.glob("*.py"))]
        self._folder = folder / digest([jinja2.__version__, *hooks])[:16]
        for other in folder.iterdir() if folder.is_dir() else ():
            if other.is_dir() and other != self._folder:
                remove_tree(other)

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """A name for what is kept of a template; Jinja2's own wants folders whose names are UTF-8."""
        return digest([name, filename])

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was kept; where that is nothing, or damaged, the template is compiled."""
        with suppress(OSError):
            checksum, _, bytecode = (self._folder / bucket.key).read_bytes().partition(b"\n")
            if _checksum(bucket.key, bytecode) == checksum:
                bucket.bytecode_from_string(bytecode)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template; where that is not possible, it is compiled again next time."""
        bytecode = bucket.bytecode_to_string()
        with suppress(OSError):
            write_atomically(self._folder / bucket.key, _checksum(bucket.key, bytecode) + b"\n" + bytecode)

    def is_sound(self, sources: str) -> bool:
        """Whether nothing was wrong with templates that have this digest."""
        return (self._folder / f"sound-{sources}").exists()

    def remember_sound(self, sources: str) -> None:
        """Remember that nothing is wrong with the templates of this digest, and forget others."""
        with suppress(OSError):
            for other in self._folder.glob("sound-*"):
                other.unlink(missing_ok=True)
            write_atomically(self._folder / f"sound-{sources}", b"")


def _checksum(name: str, bytecode: bytes) -> bytes:
    # With its name: the code of one template would run in the place of another.
    return digest_bytes(name.encode() + bytecode).encode()
