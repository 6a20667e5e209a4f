"""Capture attention exactly: run a model, stream each layer out as it is computed.

Everything here brings torch along; import it only when something must be captured.
"""

from attention_gallery.capturing.jobs import CaptureJob, capture_missing
from attention_gallery.capturing.passes.batch import OutOfMemoryError, run_batch
from attention_gallery.capturing.passes.prepare import PreparedModel, prepare
from attention_gallery.capturing.passes.sharing import BatchTrials
from attention_gallery.capturing.reading.model_reading import ModelInput, read_input
from attention_gallery.capturing.reading.tokenise import tokenise
from attention_gallery.capturing.single import capture_kinds, capture_one

__all__ = [
    "BatchTrials",
    "CaptureJob",
    "ModelInput",
    "OutOfMemoryError",
    "PreparedModel",
    "capture_kinds",
    "capture_missing",
    "capture_one",
    "prepare",
    "read_input",
    "run_batch",
    "tokenise",
]
