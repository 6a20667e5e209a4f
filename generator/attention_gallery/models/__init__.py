"""Find, fingerprint and load models. `load` is imported from its module, because it brings torch along."""

from attention_gallery.models.find import resolve
from attention_gallery.models.fingerprints import FingerprintMemory, ModelFingerprint, fingerprint
from attention_gallery.models.hub import Lookup
from attention_gallery.models.license import license_file, license_of
from attention_gallery.models.resolved import ProblemMaker, ResolvedModel, files
from attention_gallery.models.versions import library_versions
from attention_gallery.models.weight_files import inspect_model, inspect_weights

__all__ = [
    "FingerprintMemory",
    "Lookup",
    "ModelFingerprint",
    "ProblemMaker",
    "ResolvedModel",
    "files",
    "fingerprint",
    "inspect_model",
    "inspect_weights",
    "library_versions",
    "license_file",
    "license_of",
    "resolve",
]
