"""Capture attention exactly: run a model, stream each layer out as it is computed.

Everything here brings torch along; import it only when something must be captured.
"""

from attention_gallery.capture.jobs import CaptureJob, CaptureReport, capture_missing
from attention_gallery.capture.single import MemoryCapture, capture_one
from attention_gallery.capture.tokens import tokenise

__all__ = ["CaptureJob", "CaptureReport", "MemoryCapture", "capture_missing", "capture_one", "tokenise"]
