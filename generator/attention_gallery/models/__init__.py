"""Find, fingerprint and load models. `load` is imported from its module, because it brings torch along."""

from attention_gallery.models.inspecting.versions import library_versions
from attention_gallery.models.on_disk.fingerprints import FingerprintMemory, ModelFingerprint, fingerprint
from attention_gallery.models.on_disk.license import license_file, license_of
from attention_gallery.models.on_disk.weight_files import inspect_model
from attention_gallery.models.sources.hub import Lookup
from attention_gallery.models.sources.model_files import resolve
from attention_gallery.models.sources.resolved import ProblemMaker, ResolvedModel, files

__all__ = [
    "FingerprintMemory",
    "Lookup",
    "ModelFingerprint",
    "ProblemMaker",
    "ResolvedModel",
    "files",
    "fingerprint",
    "inspect_model",
    "library_versions",
    "license_file",
    "license_of",
    "resolve",
]
