"""All that is measured on the attention of one sentence, from one reading of it."""

from __future__ import annotations

from collections.abc import Sequence

from attention_gallery.analysis.measures.analyse import Measuring
from attention_gallery.analysis.measures.head_blocks import hand_out
from attention_gallery.analysis.measures.head_types import Thresholds
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import METRICS
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.analysis.probing.argmax_targets import Int16, Looking
from attention_gallery.analysis.probing.gold_relations import GoldSentence
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import StoredAttention


def analyse_and_look(
    attention: StoredAttention,
    settings: AnalysisSettings,
    gold: GoldSentence,
    thresholds: Thresholds | None = None,
    metrics: Sequence[Metric] = METRICS,
) -> tuple[SentenceAnalysis, Int16 | None]:
    """What `analyse` and `look` give, for little more than the first alone. Raises what they raise."""
    measuring = Measuring(attention, settings, thresholds, metrics)
    looking = Looking(attention, gold)
    hand_out(attention, [measuring, looking])
    return measuring.result(), looking.result()
