"""Preview a gallery while it is being written: a small server, a watcher, and live reload."""

from attention_gallery.serve.preview import Preview
from attention_gallery.serve.preview_state import PreviewState
from attention_gallery.serve.server import PreviewServer, create_server
from attention_gallery.serve.watch import Watched, Watcher

__all__ = ["Preview", "PreviewServer", "PreviewState", "Watched", "Watcher", "create_server"]
