"""The numpy side: what the heads of a model do, measured from stored attention.

    METRICS             the registered measures, each with definition, unit, range, source and caveat
    MeasureSet          these, and those of a gallery's author
    Pattern             what a linear measure looks for: worth and the queries that count
    MetricEvaluator     all measures of a layout, each beside even attention and shuffled rows
    KINDS, Thresholds   the types of head and where they begin
    analyse             stored attention to a `SentenceAnalysis`, layer by layer
    Across              many sentences to `HeadsAcross`
    token_trace         where one token looks, layer by layer
    rollout, flow_views how much of each input token reaches it, and other views beside raw attention
    find_token          the tokens that a reader means by a word
    find_word           the tokens of one word, which is numbered where it stands several times
    to_words            attention between words instead of tokens
    frame_of            two captures on the same rows and columns, word by word or token by token
    contrast_heads      a `HeadContrast`: what the same heads do otherwise on another sentence or model
    map_heads           a `HeadMap` of them over sentences: positions, groups, the nearest of each
    gold_of             gold relations of a sentence
    find_argmax_targets the word that each head looks at most
    analyse_with_targets    both `analyse` and `find_argmax_targets` from one reading
    Probe               many sentences to a `RelationScore` for every kind of relation
    head_relations      the `HeadRelation` that each head follows best
    clearest_sentences  the sentences of each head, the one that shows it best first
    save, load          an analysis as bytes and back
    save_targets        the same of argmax targets
    RESULTS             in `results`: all that is cached between builds, each with its needs and its key

Nothing here imports torch. Layers, heads and tokens count from 0.
"""

from __future__ import annotations

from attention_gallery.analysis.attribution.rollout import rollout
from attention_gallery.analysis.attribution.view import View
from attention_gallery.analysis.attribution.view_registry import VIEWS
from attention_gallery.analysis.attribution.views import FlowViews, flow_views
from attention_gallery.analysis.contrast.alignment import Alignment, Frame, Side, frame_of
from attention_gallery.analysis.contrast.counterparts import Counterparts
from attention_gallery.analysis.contrast.head_contrast import Change, HeadContrast, compare, contrast_heads
from attention_gallery.analysis.measures.across import Across, HeadsAcross
from attention_gallery.analysis.measures.analyse import analyse
from attention_gallery.analysis.measures.analysis_codec import load, save
from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.evaluator import MetricEvaluator
from attention_gallery.analysis.measures.head_types import KINDS, Kind, Thresholds
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import (
    BUILT_IN,
    METRICS,
    MeasureSet,
    metric_named,
    metrics_for,
)
from attention_gallery.analysis.measures.patterns import Pattern
from attention_gallery.analysis.measures.sentence_analysis import (
    SentenceAnalysis,
    clearest_sentences,
    heads_only,
    token_trace,
)
from attention_gallery.analysis.measures.top_pairs import average_heads
from attention_gallery.analysis.probing.argmax_targets import find_argmax_targets, save_targets
from attention_gallery.analysis.probing.combined_reading import analyse_with_targets
from attention_gallery.analysis.probing.gold_relations import GoldSentence, gold_of
from attention_gallery.analysis.probing.head_relations import HeadRelation, head_relations
from attention_gallery.analysis.probing.probe import Probe, RelationScore
from attention_gallery.analysis.similarity.head_map import HeadMap, map_heads
from attention_gallery.analysis.text.lookup import find_token, find_word
from attention_gallery.analysis.text.word_attention import to_words, word_groups, words_of

__all__ = [
    "BUILT_IN",
    "KINDS",
    "METRICS",
    "VIEWS",
    "Across",
    "Alignment",
    "Change",
    "Counterparts",
    "FlowViews",
    "Frame",
    "GoldSentence",
    "HeadContrast",
    "HeadMap",
    "HeadRelation",
    "HeadsAcross",
    "Kind",
    "LayerView",
    "Layout",
    "MeasureSet",
    "Metric",
    "MetricEvaluator",
    "Pattern",
    "Probe",
    "RelationScore",
    "SentenceAnalysis",
    "Side",
    "Thresholds",
    "View",
    "analyse",
    "analyse_with_targets",
    "average_heads",
    "clearest_sentences",
    "compare",
    "contrast_heads",
    "find_argmax_targets",
    "find_token",
    "find_word",
    "flow_views",
    "frame_of",
    "gold_of",
    "head_relations",
    "heads_only",
    "load",
    "map_heads",
    "metric_named",
    "metrics_for",
    "rollout",
    "save",
    "save_targets",
    "to_words",
    "token_trace",
    "word_groups",
    "words_of",
]
