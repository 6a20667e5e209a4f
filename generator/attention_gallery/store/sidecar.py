"""The JSON beside the numbers of an entry: what was captured, by which model, and how to check it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from attention_gallery.errors import DamagedEntry
from attention_gallery.files import parse_json
from attention_gallery.hashing import canonical_json, digest, digest_bytes
from attention_gallery.records import ModelFacts, NumericEnvironment, Provenance, Tokens
from attention_gallery.store.beside import BesideNotes
from attention_gallery.store.keys import SCHEMA
from attention_gallery.store.layout import LAYER_TYPES
from attention_gallery.texts.words import Span

# The same numbers may be found under another name tomorrow: it is no part of an entry.
_NOT_KEPT = ("source", "revision", "differs")


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
    beside: BesideNotes


def dump(sidecar: Sidecar) -> bytes:
    """The sidecar as canonical JSON with a digest of itself, ending in a newline."""
    value = {"schema": SCHEMA, **_plain(sidecar)}
    for name in ("tokens", "keys", "facts", "provenance", "beside"):
        value[name] = None if value[name] is None else _plain(value[name])
    for name in _NOT_KEPT:
        del value["provenance"][name]
    value["provenance"]["environment"] = _plain(sidecar.provenance.environment)
    described = canonical_json(value)
    # Its name sorts before the others, and the rest need not be put into JSON twice.
    return b'{"digest":"%b",%b\n' % (digest_bytes(described).encode(), described[1:])


def _plain(record: Any) -> dict[str, Any]:
    """The fields of a record, as they are: `asdict` would copy each of a thousand tokens."""
    return {name: getattr(record, name) for name in record.__slots__}


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
        sidecar = _build(value)
    except (TypeError, KeyError, ValueError) as error:
        raise DamagedEntry(f"the description of the stored capture {key[:12]} is not complete") from error
    if sidecar.key != key:
        raise DamagedEntry(f"the stored capture {key[:12]} describes another capture, {sidecar.key[:12]}")
    return sidecar


def _build(value: dict[str, Any]) -> Sidecar:
    facts = ModelFacts(**{name: _frozen(setting) for name, setting in value["facts"].items()})
    if value["provenance"]["precision"] not in LAYER_TYPES:
        raise ValueError("the precision is not known")
    sidecar = Sidecar(
        key=str(value["key"]),
        text=str(value["text"]),
        key_text=str(value["key_text"]),
        tokens=_notes(value["tokens"]),
        keys=None if value["keys"] is None else _notes(value["keys"]),
        facts=facts,
        provenance=_provenance(value["provenance"]),
        size=int(value["size"]),
        token_crc32=int(value["token_crc32"]),
        layer_crc32=tuple(int(checksum) for checksum in value["layer_crc32"]),
        beside=BesideNotes.read(value["beside"]),
    )
    if len(sidecar.layer_crc32) != facts.layers:
        raise ValueError("one checksum a layer is expected")
    return sidecar


def _provenance(value: dict[str, Any]) -> Provenance:
    environment = NumericEnvironment(**value.pop("environment"))
    return Provenance(source="", revision=None, environment=environment, **value)


def _notes(value: dict[str, Any]) -> TokenNotes:
    notes = TokenNotes(**{name: _frozen(entry) for name, entry in value.items()})
    return replace(notes, unread=tuple((int(start), int(end)) for start, end in notes.unread))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
