"""The JSON beside the numbers of an entry: what was captured, by which model, and how to check it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter

from attention_gallery.errors import DamagedEntry
from attention_gallery.files import parse_json
from attention_gallery.hashing import canonical_json, digest, digest_bytes
from attention_gallery.records import ModelFacts, Provenance, Tokens
from attention_gallery.store.keys import SCHEMA
from attention_gallery.store.side_outputs import SideOutputNotes
from attention_gallery.texts.words import Span

# The same numbers may be found under another name tomorrow: it is no part of an entry.
_NOT_STORED = {"source", "revision", "differs"}


@dataclass(frozen=True, slots=True)
class TokenNotes:
    """What is not an array of some tokens, and `arrays`, the names of the arrays that they have."""

    texts: tuple[str, ...]
    segment_names: tuple[str, ...]
    left_out: int
    arrays: tuple[str, ...]
    unread: tuple[Span, ...] = ()

    @classmethod
    def of(cls, tokens: Tokens, arrays: tuple[str, ...]) -> TokenNotes:
        """The notes on `tokens`, whose arrays have these names."""
        return cls(tokens.texts, tokens.segment_names, tokens.left_out, arrays, tokens.unread)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Everything about an entry that is not an array. `keys` is None where queries and keys are the same.

    `text` is that of the queries, `key_text` that of `keys`.

    `size` is the data file's length in bytes. `token_crc32` and `layer_crc32` (one a layer) are checksums of
    its parts, so that each part is checked whenever it is read, without the others.
    """

    key: str
    text: str
    key_text: str
    tokens: TokenNotes
    keys: TokenNotes | None
    facts: ModelFacts
    provenance: Provenance
    size: int
    token_crc32: int
    layer_crc32: tuple[int, ...]
    # In the file under the name that it had in the first entries.
    side_outputs: Annotated[SideOutputNotes, Field(alias="beside")]


_SIDECARS = TypeAdapter(Sidecar)


def dump(sidecar: Sidecar) -> bytes:
    """The sidecar as canonical JSON with a digest of itself, ending in a newline."""
    value = _SIDECARS.dump_python(sidecar, exclude={"provenance": _NOT_STORED}, by_alias=True)
    described = canonical_json({"schema": SCHEMA, **value})
    # Its name sorts before the others, and the rest need not be put into JSON twice.
    return b'{"digest":"%b",%b\n' % (digest_bytes(described).encode(), described[1:])


def load(data: bytes, key: str) -> Sidecar:
    """Read a sidecar. Raises `DamagedEntry` when it is not JSON, not complete, or from another schema."""
    try:
        value = parse_json(data.decode("utf-8", "surrogatepass"))
        schema = value.pop("schema")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise DamagedEntry(f"the description of the stored capture {key[:12]} cannot be read") from error
    if schema != SCHEMA:
        age = "a newer" if isinstance(schema, int) and schema > SCHEMA else "another"
        raise DamagedEntry(
            f"the stored capture {key[:12]} was written by {age} version of attention-gallery "
            f"(schema {schema}, this version reads {SCHEMA})"
        )
    if value.pop("digest", None) != digest({"schema": schema, **value}):
        raise DamagedEntry(f"the description of the stored capture {key[:12]} does not match its checksum")
    try:
        value["provenance"].update(source="", revision=None)
        sidecar = _SIDECARS.validate_python(value)
        if len(sidecar.layer_crc32) != sidecar.facts.layers:
            raise ValueError("one checksum a layer is expected")
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise DamagedEntry(f"the description of the stored capture {key[:12]} is not complete") from error
    if sidecar.key != key:
        raise DamagedEntry(f"the stored capture {key[:12]} describes another capture, {sidecar.key[:12]}")
    return sidecar
