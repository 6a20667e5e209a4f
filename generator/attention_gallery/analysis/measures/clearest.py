"""Which sentence shows a head best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention_gallery.analysis.measures.head_types import MIXED, Int8, strength
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.records import Int32


def clearest_sentences(types: Int8, analyses: Sequence[SentenceAnalysis]) -> Int32:
    """The sentences of every head, the one that shows it best first: int32[layer, head, sentence].

    types: int8[layer, head], what the heads are over all sentences. Sentences on which a head is of that type
    come first, by the measure that decides the type. A mixed head is shown best where the strongest pair of
    content tokens two or more apart is strongest. Of equal ones the earlier comes first.
    """
    ranked = np.full((len(analyses), *types.shape), -np.inf, dtype=np.float32)
    other = np.zeros(ranked.shape, dtype=bool)
    for code in np.unique(types).tolist():
        own = types == code
        for index, analysis in enumerate(analyses):
            clear = analysis.far_w if code == MIXED else strength(code, analysis.values)
            ranked[index][own] = clear[own]
            if code != MIXED:
                other[index] |= own & (analysis.types != code) & (analysis.also != code)
    order = np.lexsort((-ranked, other), axis=0)
    return np.moveaxis(order, 0, -1).astype(np.int32)
