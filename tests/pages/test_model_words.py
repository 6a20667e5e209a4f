"""The page of a model says what its measures mean, and when they mislead."""

from __future__ import annotations

from markupsafe import escape

from attention_gallery.analysis.measures.metrics import metrics_for
from sample_gallery import Sample


def test_every_measure_is_defined_with_its_caveat(sample: Sample) -> None:
    sample.settings["theme"] = "default"
    sample.build()
    for model, kind in (("enc", "encoder"), ("dec", "decoder")):
        html = sample.page(f"models/{model}/")
        definitions = html[html.index('id="measures"') :]
        definitions = definitions[definitions.index("<dl>") :]
        assert metrics_for(kind)
        for metric in metrics_for(kind):
            assert f"<dt>{escape(metric.title)}</dt>" in definitions
            assert f"<dd>{escape(metric.definition)} Caveat: {escape(metric.caveat)} <cite>" in definitions
