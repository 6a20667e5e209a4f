"""The whole site of a tiny gallery, file by file, as it was last looked at and found right.

`pytest tests/golden --update-golden` writes what is built now; look at the difference before it is kept.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shutil
import zlib
from pathlib import Path

import pytest
from PIL import Image

from attention_gallery.build import BuildOptions, build
from attention_gallery.progress import SilentReporter
from sample_gallery import Sample, make_model

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/gallery.yaml"))

_PLOTLY = re.compile(r"plotly\.[0-9a-f]{10}\.js")
_WEIGHTS = re.compile(
    r'(<figure [^>]*>)((?:(?!</figure>).)*?class="figure-weights">)([A-Za-z0-9+/=]+)', re.DOTALL
)
_TILE = re.compile(r'(AG\.tile\("[\d-]+","[0-9a-f]+","\w+",(true|false),")([A-Za-z0-9+/=]+)("\);\n)')
_VERSIONS = re.compile(r"torch \d[^,\s]*, transformers \d[^\s<\"]*")
_FLOAT = re.compile(r"\d+\.\d+(?:e-\d+)?")
_PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")


@pytest.mark.parametrize("case", CASES)
def test_the_site_is_the_one_that_was_found_right(
    case: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    root = tmp_path / case
    shutil.copytree(HERE / case, root, ignore=shutil.ignore_patterns("expected"))
    make_model(root / "models" / "enc", layers=1, heads=2, causal=False)
    make_model(root / "models" / "dec", layers=1, heads=1, causal=True)
    make_model(root / "models" / "both", layers=1, heads=1, causal=True, crossing=True)
    sample = Sample(root)
    sample.fill()
    build(sample.manifest, BuildOptions(strict=True), SilentReporter())
    found = comparable(sample.site)
    expected = HERE / case / "expected"
    if request.config.getoption("--update-golden"):
        shutil.rmtree(expected, ignore_errors=True)
        for name, text in found.items():
            (expected / name).parent.mkdir(parents=True, exist_ok=True)
            (expected / name).write_text(text, encoding="utf-8", newline="\n")
    files = (path for path in expected.rglob("*") if path.is_file())
    kept = {path.relative_to(expected).as_posix(): path.read_text(encoding="utf-8") for path in files}
    assert sorted(found) == sorted(kept)
    for name in sorted(found):
        assert found[name] == kept[name], f"{name} differs; see --update-golden"


def comparable(site: Path) -> dict[str, str]:
    """Every file as text, without what depends on versions of zlib, Pillow and Plotly."""
    found = {}
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        name = _PLOTLY.sub("plotly.HASH.js", path.relative_to(site).as_posix())
        found[name + ".txt" if path.suffix in (".png", ".js") else name] = _text(path)
    return found


def _text(path: Path) -> str:
    data = path.read_bytes()
    if _PLOTLY.fullmatch(path.name):
        return "the Plotly script\n"
    if path.suffix == ".png":
        return _picture(data) + "\n"
    text = _PLOTLY.sub("plotly.HASH.js", data.decode("utf-8"))
    text = _VERSIONS.sub("torch VERSION, transformers VERSION", text)
    if path.name == "attention.json":
        value = json.loads(text)
        packed = value["weights"].pop("data")
        value["weights"]["unpacked"] = _digest(zlib.decompress(base64.b64decode(packed)))
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    if path.stem == "heads":  # exact numbers, the last digits of which depend on the processor
        return _FLOAT.sub(lambda match: f"{float(match[0]):.4g}", text)
    if tile := _TILE.fullmatch(text):
        weights = base64.b64decode(tile[3])
        return tile[1] + _digest(zlib.decompress(weights, -15) if tile[2] == "true" else weights) + tile[4]
    text = _PICTURE.sub(lambda match: _picture(base64.b64decode(match[1])), text)
    return _WEIGHTS.sub(_weights, text)


def _weights(match: re.Match[str]) -> str:
    data = base64.b64decode(match[3])
    return match[1] + match[2] + _digest(zlib.decompress(data, -15) if " data-deflated" in match[1] else data)


def _picture(png: bytes) -> str:
    with Image.open(io.BytesIO(png)) as picture:
        size, pixels = picture.size, picture.convert("RGBA").tobytes()
    return f"picture {size[0]} x {size[1]} {_digest(pixels)}"


def _digest(data: bytes) -> str:
    return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:12]}"
