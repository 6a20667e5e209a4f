"""The libraries whose version can change a page: one list, for stamps and for the digests of pages."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator

from attention_gallery.installed import installed_files

# The module that is imported, and the distribution that brings it.
LIBRARIES = {
    "PIL": "pillow",
    "conllu": "conllu",
    "jinja2": "jinja2",
    "latex2mathml": "latex2mathml",
    "markdown": "markdown",
    "markupsafe": "markupsafe",
    "nh3": "nh3",
    "numpy": "numpy",
    "plotly": "plotly",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic-core",
    "pygments": "pygments",
    "regex": "regex",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    # Pages say when captures come from other versions than those that are here.
    "torch": "torch",
    "transformers": "transformers",
    "yaml": "pyyaml",
}


def library_files() -> Iterator[str]:
    """Files that are others when one of the libraries is another."""
    for module, distribution in LIBRARIES.items():
        yield from installed_files(module, distribution)


def interpreter() -> str:
    """What runs the generator, as far as it can change a page."""
    return f"{sys.version} zlib {zlib.ZLIB_RUNTIME_VERSION}"
