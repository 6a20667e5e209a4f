"""Treebanks that were written to do harm are read, or refused with a short message."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.errors import ManifestError
from attention_gallery.manifest.blocks.conllu_file import read_conllu
from hostile_files import ENDLESS, LARGE, SPECIAL, Maker, put

MANY = 40_000
ROW = "1\ta\ta\tX\t{feats}\t{more}\t{head}\troot\t{deps}\t{misc}\n"


def row(**columns: str) -> str:
    return ROW.format(**{"feats": "_", "more": "_", "head": "0", "deps": "_", "misc": "_", **columns})


@pytest.mark.parametrize(
    "text",
    [
        "1" * MANY + row()[1:],
        "1-" * MANY + row()[1:],
        row(head="9" * 4000),
        row(head="9" * MANY),
        "1" + "\t" * MANY + "\n",
        "1\ta\n\n" * MANY,
    ],
)
def test_what_is_wrong_is_told_in_short(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trees.conllu"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        read_conllu(path)
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == (path, 1)
    assert len(problem.reason) < 300


@pytest.mark.parametrize(
    "text",
    [
        row(misc="A=b|" * MANY + "C=d"),
        row(more="A=b|" * MANY + "C=d"),
        "# a = b\n" * MANY + row(),
        "# " + "a" * MANY + "\n" + row(),
        "".join(f"{n}\ta\ta\tX\t_\t_\t{n - 1}\t{'dep' if n > 1 else 'root'}\t_\t_\n" for n in range(1, MANY)),
    ],
)
def test_what_is_only_long_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trees.conllu"
    path.write_text(text)
    assert len(read_conllu(path)) == 1


@pytest.mark.parametrize(("make", "words"), [*SPECIAL.items(), *ENDLESS.items(), *LARGE.items()])
def test_what_is_no_plain_file_is_told(tmp_path: Path, make: Maker, words: str) -> None:
    with pytest.raises(ManifestError, match=f"cannot be read: it is .*{words}"):
        read_conllu(put(tmp_path / "trees.conllu", make))
