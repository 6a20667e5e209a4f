"""An environment for captures that no model gave."""

from __future__ import annotations

from attention_gallery.models.inspecting.versions import library_versions
from attention_gallery.records import NumericEnvironment


def sample_environment(dtype: str = "float32", threads: int = 4, **changes: str) -> NumericEnvironment:
    """What a capture made here and now would say, but for `changes`."""
    versions = library_versions()
    values = {
        "torch": versions["torch"],
        "transformers": versions["transformers"],
        "device": "cpu",
        "strategy": "interface",
        "batch": "equal lengths",
        **changes,
    }
    return NumericEnvironment(dtype=dtype, threads=threads, **values)
