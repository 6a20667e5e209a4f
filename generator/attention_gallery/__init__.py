"""Attention Gallery: a static site generator for galleries of transformer attention.

As a library: `from attention_gallery import capture`; see `attention_gallery.library`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attention_gallery.version import __version__ as __version__

if TYPE_CHECKING:
    from attention_gallery.library import Attention, Model, capture, load

__all__ = ["Attention", "Model", "capture", "load"]


def __getattr__(name: str) -> Any:
    """What the library offers, imported when it is first asked for: builds need none of it."""
    if name in __all__:
        from attention_gallery import library

        return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
