"""All that is measured on the attention of one sentence, from one reading of it."""

from __future__ import annotations

from collections.abc import Sequence

from attention_gallery.analysis.measures.analyse import AnalysisAccumulator
from attention_gallery.analysis.measures.head_blocks import feed_blocks
from attention_gallery.analysis.measures.head_types import Thresholds
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import METRICS
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.analysis.probing.argmax_targets import Int16, TargetAccumulator
from attention_gallery.analysis.probing.gold_relations import GoldSentence
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import StoredAttention


def analyse_with_targets(
    attention: StoredAttention,
    settings: AnalysisSettings,
    gold: GoldSentence,
    thresholds: Thresholds | None = None,
    metrics: Sequence[Metric] = METRICS,
) -> tuple[SentenceAnalysis, Int16 | None]:
    """What `analyse` and `find_argmax_targets` give, for little more than the first alone.

    Raises what they raise.
    """
    analysis = AnalysisAccumulator(attention, settings, thresholds, metrics)
    targets = TargetAccumulator(attention, gold)
    feed_blocks(attention, [analysis, targets])
    return analysis.result(), targets.result()
