"""Where the installed plotly package keeps the one script that all pages share."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from attention_gallery.errors import ThemeError


def plotly_script() -> Path:
    """`plotly.min.js` of the installed package, found without importing it.

    Raises `ThemeError` when the package or the file is missing.
    """
    spec = find_spec("plotly")
    if spec is not None and spec.origin is not None:
        script = Path(spec.origin).parent / "package_data" / "plotly.min.js"
        if script.is_file():
            return script
    raise ThemeError("plotly is not installed completely", "run: pip install --force-reinstall plotly")
