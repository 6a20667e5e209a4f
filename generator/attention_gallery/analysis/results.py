"""Every result that is cached between builds; what cleaning leaves follows from this list."""

from __future__ import annotations

from typing import Any

from attention_gallery.analysis.attribution.views import FLOW_VIEWS
from attention_gallery.analysis.capture_pictures import PICTURES
from attention_gallery.analysis.contrast.contrast_codec import COUNTERPARTS, HEAD_CONTRAST
from attention_gallery.analysis.experiments.prefix_sweep import PREFIX_READING
from attention_gallery.analysis.experiments.repeated_tokens import REPEATED_TOKENS
from attention_gallery.analysis.measures.analysis_codec import ANALYSIS
from attention_gallery.analysis.probing.argmax_targets import ARGMAX_TARGETS
from attention_gallery.analysis.probing.parses import PARSE
from attention_gallery.analysis.result import Inventory, Result
from attention_gallery.analysis.similarity.distances import DISTANCES
from attention_gallery.analysis.similarity.head_map import HEAD_MAP
from attention_gallery.manifest.settings import AnalysisSettings

RESULTS: tuple[Result[Any], ...] = (
    ANALYSIS,
    ARGMAX_TARGETS,
    COUNTERPARTS,
    DISTANCES,
    FLOW_VIEWS,
    HEAD_CONTRAST,
    HEAD_MAP,
    PARSE,
    PICTURES,
    PREFIX_READING,
    REPEATED_TOKENS,
)


def cached_names(inventory: Inventory, settings: AnalysisSettings) -> set[str]:
    """The names of all results that a gallery may use."""
    return {result.key(subject, settings) for result in RESULTS for subject in result.subjects(inventory)}
