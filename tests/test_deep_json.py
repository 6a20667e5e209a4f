"""JSON that is nested deeper than anybody can read is damage like any other, wherever it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.analysis.codec import unpack
from attention_gallery.build.execute.ownership import MARKER, owned_files
from attention_gallery.errors import DamagedEntry, LockError, ManifestError, NoteError, OutputError
from attention_gallery.files import parse_json
from attention_gallery.hashing import digest_bytes
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.manifest.lockfile.lock_reader import read_lock
from attention_gallery.models import FingerprintMemory, ResolvedModel
from attention_gallery.publish import _check_site
from attention_gallery.store.sidecar import load
from sample_notes import load_notes

DEEP = [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000]


@pytest.mark.parametrize("data", DEEP)
def test_it_is_no_json(data: bytes) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(data)


def test_what_is_json_is_read() -> None:
    assert parse_json(b'{"a": [1, null]}') == {"a": [1, None]}
    with pytest.raises(ValueError, match="Expecting"):
        parse_json("{")


@pytest.mark.parametrize("data", DEEP)
def test_every_file_of_json_that_is_read(tmp_path: Path, data: bytes) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("")
    (site / MARKER).write_bytes(data)
    with pytest.raises(OutputError):
        owned_files(site, force=False)
    with pytest.raises(OutputError, match="is damaged"):
        _check_site(site)
    with pytest.raises(DamagedEntry):
        load(data, "0" * 64)
    with pytest.raises(DamagedEntry):
        unpack(b"x", b"x" + digest_bytes(data + b"\n").encode() + b"\n" + data + b"\n", {})
    (tmp_path / "config.json").write_bytes(data)
    model = ResolvedModel("./m", tmp_path, "safetensors", (), tmp_path / "config.json", (), None)
    assert model.kinds == ("self",)
    memory = FingerprintMemory(tmp_path / "config.json", keep=False)
    assert len(memory.digest(site / MARKER)) == 64


@pytest.mark.parametrize("data", [*DEEP, b"- " * 100_000])
def test_every_file_of_yaml_that_is_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "gallery.yaml").write_bytes(data)
    with pytest.raises(ManifestError, match="nested too deeply"):
        load_manifest(tmp_path / "gallery.yaml")
    (tmp_path / "gallery.lock").write_bytes(data)
    with pytest.raises(LockError, match="nested too deeply"):
        read_lock(tmp_path / "gallery.lock")
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "about.md").write_bytes(b"---\n" + data + b"\n---\n")
    with pytest.raises(NoteError, match="nested too deeply"):
        load_notes(tmp_path / "content", (), ())
