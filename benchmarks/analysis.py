"""What it costs to measure attention, beside capturing it.

    python benchmarks/analysis.py                 both packaged models at 16, 128 and 512 tokens, and memory
    python benchmarks/analysis.py --model SOURCE  another model

Capture: one pass into a store on the disk, as a build makes it, without the cost of loading the model.
Measure: from that store to the bytes that a build keeps: all measures, both baselines, head types, notable
pairs, and the word that each head picks for each word, which is what probes of relations need. Similarity,
which is the distances between heads, and views, which are rollout, attention flow where the text is short
enough for it, and what the lengths of vectors tell, are timed apart. All are timed in one process, turn by
turn, after one of each; ratios are taken pair by pair. Times are those of the processor, with one thread, so
that other work on the machine shows little: with more threads a capture ends sooner, and measuring does not.
Memory is what a process of its own grows by at its peak (resident) while it measures one capture again and
again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from capture import MODELS, Bench, peak, reset_peak, spread

from attention_gallery.analysis import analyse_with_targets, gold_of
from attention_gallery.analysis.attribution.views import FLOW_VIEWS, flow_views
from attention_gallery.analysis.measures.analysis_codec import save
from attention_gallery.analysis.probing.argmax_targets import save_targets
from attention_gallery.analysis.similarity.distances import measure_distances, save_distances
from attention_gallery.capturing.reading.model_reading import ModelInput
from attention_gallery.manifest.settings import AnalysisSettings, RelationSpec, SentenceSpec
from attention_gallery.records import StoredAttention, Tokens
from attention_gallery.store import AttentionStore

LENGTHS = (16, 128, 512)
MANY = (1, 20, 200)
SETTINGS = AnalysisSettings()
KEY = f"{0:064x}"
# Words that come back, so that no measure is spared the work.
WORDS = ("the", "cat", "sat", "on", "a", "mat", ",", "and", "saw", "it", ".")


@dataclass(frozen=True)
class Given:
    """A sentence of so many tokens, one a word, with a relation from each word to the one before the last."""

    spec: SentenceSpec
    read: ModelInput

    @classmethod
    def of(cls, bench: Bench, count: int) -> Given:
        """The same for every run."""
        random = np.random.default_rng(count)
        chosen = random.integers(len(WORDS), size=count).tolist()
        names = tuple(WORDS[number] for number in chosen)
        text = " ".join(names)
        ends = np.cumsum([len(name) + 1 for name in names]) - 1
        offsets = np.stack([ends - [len(name) for name in names], ends], axis=1).astype(np.int32)
        ids = random.integers(1000, bench.prepared.loaded.facts.vocabulary, len(WORDS))[chosen]
        nothing = np.zeros(count, bool)
        words = np.arange(count, dtype=np.int32)
        tokens = Tokens(ids.astype(np.int64), names, nothing, nothing, offsets, words)
        sides = offsets.tolist()
        relations = tuple(
            RelationSpec.model_validate({"from": tuple(here), "to": tuple(there), "kind": "back"})
            for there, here in zip(sides, sides[2:], strict=False)
        )
        spec = SentenceSpec(slug="one", title="One", text=text, relations=relations)
        return cls(spec, ModelInput(text, tokens))


def timed(work: Callable[[], None]) -> float:
    """Seconds that the processor spends on one go."""
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(store: AttentionStore, given: Given) -> None:
    """All that a build measures on one sentence, from the store to the bytes that it keeps."""
    attention: StoredAttention = store.open(KEY)
    analysis, looks = analyse_with_targets(attention, SETTINGS, gold_of(given.spec))
    assert looks is not None
    save(analysis)
    save_targets(looks)


def similarity(store: AttentionStore) -> None:
    """The distances between all heads on one sentence."""
    save_distances(measure_distances(store.open(KEY)))


def views(store: AttentionStore) -> None:
    """What each token draws from by other views than raw attention, as a build keeps it."""
    FLOW_VIEWS.dump(flow_views(store.open(KEY), SETTINGS))


def report(source: str, runs: int) -> None:
    """One model, all lengths."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.of(source, "cpu", Path(folder))
        facts = bench.prepared.loaded.facts
        heads = facts.layers * facts.heads
        print(f"{source}: {facts.layers} × {facts.heads} heads")
        for count in LENGTHS:
            given = Given.of(bench, count)
            found: list[tuple[float, float, float, float]] = []
            for _ in range(1 + runs):
                bench.forget()
                capture = timed(lambda given=given: bench.capture([given.read]))
                measured = timed(lambda given=given: measure(bench.store, given))
                others = timed(lambda: similarity(bench.store)), timed(lambda: views(bench.store))
                found.append((capture, measured, *others))
            captured, measured_, alike, viewed = zip(*found[1:], strict=True)
            ratios = [one / other for one, other in zip(measured_, captured, strict=True)]
            both = [(one + more) / other for one, more, other in zip(measured_, alike, captured, strict=True)]
            second = statistics.median(measured_)
            print(
                f"  {count:>4} tokens  capture {1e3 * statistics.median(captured):7.1f} ms  "
                f"measure {1e3 * second:7.1f} ms ({1e6 * second / heads:6.1f} µs a head)  "
                f"ratio {spread(ratios)}  "
                f"similarity {1e3 * statistics.median(alike):6.1f} ms, with it {spread(both)}  "
                f"views {1e3 * statistics.median(viewed):7.1f} ms",
                flush=True,
            )
        grown = {count: growth(source, count) for count in MANY}
        told = ", ".join(f"{count}: + {size:.1f} MB" for count, size in grown.items())
        print(f"  memory over sentences of 128 tokens: {told}", flush=True)


def growth(source: str, count: int) -> float:
    """MB by which a fresh process grows at its peak while it measures so many sentences."""
    command = [sys.executable, __file__, "--grow", str(count), "--model", source]
    found: float = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def grow(source: str, count: int) -> float:
    """The growth of this process; to be called in a fresh one."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.of(source, "cpu", Path(folder))
        given = Given.of(bench, 128)
        bench.capture([given.read])
        before = reset_peak(bench)
        for _ in range(count):
            measure(bench.store, given)
            similarity(bench.store)
        return peak(bench) - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", action="append")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--grow", type=int, metavar="SENTENCES", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grow:
        print(json.dumps(grow(options.model[0], options.grow)))
        return
    for source in options.model or MODELS:
        report(source, options.runs)


if __name__ == "__main__":
    main()
