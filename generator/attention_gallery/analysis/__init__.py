"""The numpy side: what the heads of a model do, measured from stored attention.

    METRICS             the registered measures, each with definition, unit, range, source and caveat
    MeasureSet          these, and those of a gallery's author
    Pattern             what a linear measure looks for: worth and the queries that count
    KINDS               the types of head
    analyse             stored attention to a `SentenceAnalysis`, layer by layer
    Across              many sentences to `HeadsAcross`
    rollout             how much of each input token reaches a token
    find_token          the tokens that a reader means by a word
    find_word           the tokens of one word, which is numbered where it stands several times
    to_words            attention between words instead of tokens
    gold_of             gold relations of a sentence
    analyse_with_targets    the analysis and the argmax targets from one reading
    RelationScore       how well heads know one kind of relation
    RESULTS             in `results`: all that is cached between builds, each with its needs and its key

Here is what other rooms work with; the rest is imported from its module. Nothing here imports torch. Layers,
heads and tokens count from 0.
"""

from __future__ import annotations

from attention_gallery.analysis.attribution.rollout import rollout
from attention_gallery.analysis.measures.across import Across, HeadsAcross
from attention_gallery.analysis.measures.analyse import analyse
from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.head_types import KINDS
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import BUILT_IN, METRICS, MeasureSet
from attention_gallery.analysis.measures.patterns import Pattern
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.analysis.measures.top_pairs import average_heads
from attention_gallery.analysis.probing.combined_reading import analyse_with_targets
from attention_gallery.analysis.probing.gold_relations import GoldSentence, gold_of
from attention_gallery.analysis.probing.probe import RelationScore
from attention_gallery.analysis.text.lookup import find_token, find_word
from attention_gallery.analysis.text.word_attention import to_words, word_groups, words_of

__all__ = [
    "BUILT_IN",
    "KINDS",
    "METRICS",
    "Across",
    "GoldSentence",
    "HeadsAcross",
    "LayerView",
    "Layout",
    "MeasureSet",
    "Metric",
    "Pattern",
    "RelationScore",
    "SentenceAnalysis",
    "analyse",
    "analyse_with_targets",
    "average_heads",
    "find_token",
    "find_word",
    "gold_of",
    "rollout",
    "to_words",
    "word_groups",
    "words_of",
]
