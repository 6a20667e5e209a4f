"""A spaCy pipeline as a package, made by hand: blank English with rules instead of a model."""

from __future__ import annotations

from pathlib import Path

# Each word depends on the one after it, the last on none; names are words with a capital, side by side.
CODE = """
import spacy
from spacy.language import Language
from spacy.tokens import Span


@Language.component("{name}_rules")
def rules(doc):
    words = [token for token in doc if not token.is_space]
    for token, head in zip(words, [*words[1:], None]):
        token.head = token if head is None else head
        kind = "punct" if token.is_punct else "det:poss" if token.i == 0 else "nsubj"
        token.dep_ = "ROOT" if head is None else kind
    capital = [token.i for token in words if token.text[0].isupper()]
    runs = []
    for index in capital:
        if runs and runs[-1][1] == index:
            runs[-1][1] = index + 1
        else:
            runs.append([index, index + 1])
    doc.ents = [Span(doc, first, last, label="PERSON") for first, last in runs if last - first > 1]
    return doc


def load(**overrides):
    nlp = spacy.blank("en")
    nlp.add_pipe("{name}_rules")
    return nlp
"""


def install(folder: Path, name: str = "tiny_rules", version: str = "1.2.3") -> Path:
    """Put the package into a folder, to be added to the path; returns its module file."""
    package, told = folder / name, folder / f"{name}-{version}.dist-info"
    for old in folder.glob(f"{name}-*.dist-info"):
        (old / "METADATA").unlink()
        old.rmdir()
    package.mkdir(parents=True, exist_ok=True)
    told.mkdir(parents=True)
    (package / "__init__.py").write_text(CODE.replace("{name}", name), encoding="utf-8")
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (told / "METADATA").write_text(text, encoding="utf-8")
    return package / "__init__.py"
