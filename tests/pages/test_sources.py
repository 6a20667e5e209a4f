"""Where tokens draw from by several views: what the explorer says is what the analysis found."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from attention_gallery.analysis import rollout
from attention_gallery.figures.token_data import STEP
from attention_gallery.records import StoredAttention
from attention_gallery.store import AttentionStore
from sample_gallery import Sample


def flows_of(sample: Sample, page: str) -> dict[str, Any]:
    """What the file beside a page of all heads says; the page must name its version."""
    script = (sample.site / page / "tiles" / "tokens.js").read_text(encoding="utf-8")
    call = re.fullmatch(r'AG\.tokenFile\("([0-9a-f]{12})",(.*)\);\n', script, re.DOTALL)
    assert call
    assert f'{{"src":"tiles/tokens.js","version":"{call[1]}"}}' in sample.page(page)
    value = json.loads(call[2])
    assert value["step"] == STEP, "scripts take the numbers apart by it"
    return value["flows"]  # type: ignore[no-any-return]


def stored(sample: Sample, text: str, kind: str) -> StoredAttention:
    store = AttentionStore(sample.cache / "store")
    keys = store.keys()
    found = (store.open(key) for key in keys)
    return next(one for one in found if one.text == text and one.facts.kind == kind)


def test_the_data_of_every_token_and_layer_are_those_of_the_views(sample: Sample) -> None:
    sample.build()
    page = sample.page("enc/cat/")
    packed = np.array(flows_of(sample, "enc/cat/")["rollout"])
    attention = stored(sample, sample.sentence("cat")["text"], "encoder")
    for layer, reached in enumerate(rollout(attention)):
        keys, thousandths = np.divmod(packed[layer], STEP)
        np.testing.assert_array_equal(keys, np.argsort(-reached, axis=1, kind="stable")[:, :3])
        shares = np.take_along_axis(reached, keys, 1)
        np.testing.assert_allclose(thousandths / 1000, shares, rtol=0, atol=0.00051)
    it = attention.tokens.texts.index("it")
    best = int(reached[it].argmax())
    assert f"Rollout of it in layer 1: {best}={attention.tokens.texts[best]} {reached[it, best]:.3f}" in page


def test_vector_lengths_tell_what_of_the_rest_weighs_little(sample: Sample) -> None:
    sample.build()
    page = sample.page("enc/cat/")
    norms = stored(sample, sample.sentence("cat")["text"], "encoder").side_outputs.norms
    assert norms is not None
    said = re.search(r"On average (0\.\d\d) of a head’s attention rests on special tokens", page)
    weighed = re.search(r"it is (?:&lt; )?(0\.\d\d)\.", page)
    assert said
    assert weighed
    assert float(weighed[1]) < float(said[1])  # the vectors of special tokens are made a tenth as long
    assert re.search(r"0\.\d\d of its attention rests on special tokens", sample.page("models/enc/l00h01/"))


def test_what_a_causal_model_expects_is_listed_with_what_came(sample: Sample) -> None:
    sample.build()
    page = sample.page("dec/short/")
    told = stored(sample, "Go now", "decoder").side_outputs.predictions
    assert told is not None
    first = ", ".join(
        f"{text} {share:.3f}"
        for text, share in zip(told.texts[0], told.probabilities[0].tolist(), strict=True)
    )
    assert f"0=Go: {first}, now {told.actual[0]:.3f};" in page


def test_a_model_without_a_head_says_so(sample: Sample) -> None:
    sample.build()
    assert "No predictions are shown: its files hold no language-modelling head." in sample.page("enc/cat/")


def test_a_long_sentence_says_why_it_has_no_flow(sample: Sample) -> None:
    sample.settings["analysis"] = {"flow_limit": 100}
    sample.build()
    assert "flow" in flows_of(sample, "enc/short/")  # 4 tokens, 2 layers: 32 flows
    page = sample.page("enc/cat/")
    assert "flow" not in flows_of(sample, "enc/cat/")
    assert "11 tokens and 2 layers would take 242 maximum flows, more than 100 (analysis.flow_limit)" in page
