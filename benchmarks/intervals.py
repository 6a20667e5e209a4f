"""How often intervals hold and how wide they are, and how often random looks are taken for knowledge.

    python benchmarks/intervals.py [--draws 1000] [--models 120]

Shares and leads: examples are drawn in texts, in three ways to hang together that have the same
correlation (a rate of its own for each text; texts of one mind, all right or all wrong, among others; a
leaning that some examples follow). Printed are, for each number of texts and of examples in them: whether
they have an interval, and over all shares, correlations and ways the least coverage, and the greatest
median width beside that of an interval which knows the correlation.

Random looks: models whose heads look without regard to the words, at random, at a fixed offset or place,
or at what happens to stand out in a text, are probed on the sentences of the demo gallery. Printed is in
how many of these models any head is said to know any relation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis import GoldSentence, gold_of
from attention_gallery.analysis.probing.argmax_targets import NOTHING, Int16
from attention_gallery.analysis.probing.head_relations import head_relations
from attention_gallery.analysis.probing.intervals import effective_texts, lead_interval, share_interval
from attention_gallery.analysis.probing.probe import Probe
from attention_gallery.manifest.load_manifest import load_manifest

ROOT = Path(__file__).resolve().parents[1]
TEXTS = (5, 8, 12, 20, 50, 100, 200, 300, 500)
SIZES = {"1": (1,), "2": (2,), "4": (4,), "8": (8,), "1 to 8": tuple(range(1, 9)), "1 or 2": (1, 1, 1, 2)}
CORRELATIONS = (0.0, 0.2, 0.5, 1.0)
SHARES = (0.01, 0.02, 0.05, 0.1, 0.3, 0.5, 0.8, 0.9, 0.95, 0.99)
# Of a head and of an offset.
RIVALS = (
    (0.01, 0.01),
    (0.05, 0.01),
    (0.3, 0.1),
    (0.6, 0.5),
    (0.9, 0.5),
    (0.99, 0.81),
    (0.99, 0.01),
    (0.3, 0.3),
    (0.95, 0.6),
    (0.99, 0.99),
)
Counts = NDArray[np.int64]
Random = np.random.Generator
Draw = Callable[[Random, int, Counts, float, float], Counts]


def own_rates(random: Random, draws: int, sizes: Counts, share: float, correlation: float) -> Counts:
    """Right answers int64[draw, text] of texts with rates of their own, from a beta distribution."""
    if correlation in (0, 1):
        return one_mind(random, draws, sizes, share, correlation)
    spread = 1 / correlation - 1
    return random.binomial(sizes, random.beta(share * spread, (1 - share) * spread, (draws, len(sizes))))


def one_mind(random: Random, draws: int, sizes: Counts, share: float, correlation: float) -> Counts:
    """Right answers int64[draw, text] of texts that are of one mind, or of independent examples."""
    shape = draws, len(sizes)
    alike, right = random.random(shape) < correlation, random.random(shape) < share
    return np.where(alike, right * sizes, random.binomial(sizes, share, shape))


def leaning(random: Random, draws: int, sizes: Counts, share: float, correlation: float) -> Counts:
    """Right answers int64[draw, text] of texts with an answer that some examples follow."""
    followers = random.binomial(sizes, np.sqrt(correlation), (draws, len(sizes)))
    right = random.random((draws, len(sizes))) < share
    return right * followers + random.binomial(sizes - followers, share)


WAYS: tuple[Draw, ...] = (own_rates, one_mind, leaning)


@dataclass
class Worst:
    """The worst of several settings with intervals: coverage, and width beside the best."""

    coverage: float = 1.0
    width: float = 0.0
    settings: int = 0

    def add(self, low: NDArray[np.float64], high: NDArray[np.float64], true: float, known: float) -> None:
        """Take the intervals of one setting; `known` is the width if the correlation is known.

        Raises `ValueError` if some draws have an interval and others have none: then having one would say
        something of the answers, and the coverage of those that are printed would say nothing.
        """
        absent = np.isnan(low)
        if absent.all():
            return
        if absent.any():
            raise ValueError("whether there is an interval depends on the answers")
        # What the share is may differ from the end of an interval by rounding alone.
        held = (low <= true + 1e-12) & (true - 1e-12 <= high)
        self.settings += 1
        self.coverage = min(self.coverage, float(held.mean()))
        self.width = max(self.width, float(np.median(high - low)) / known)

    def __str__(self) -> str:
        return f"{self.coverage:8.3f}{self.width:7.2f}" if self.settings else f"{'–':>8}{'–':>7}"


def settings_of(texts: int, sizes: tuple[int, ...]) -> tuple[Counts, list[tuple[float, Draw]]]:
    """Examples in each text, and how those of a text hang together."""
    examples = np.resize(np.array(sizes, np.int64), texts)
    alone = (examples == 1).all()
    ways = [
        (correlation, way)
        for correlation in ((0.0,) if alone else CORRELATIONS)
        for way in (WAYS if correlation not in (0, 1) else (one_mind,))
    ]
    return examples, ways


def measure_shares(random: Random, draws: int, texts: int, sizes: tuple[int, ...]) -> Worst:
    """Coverage and width of the intervals of shares."""
    worst = Worst()
    examples, ways = settings_of(texts, sizes)
    for correlation, way in ways:
        for share in SHARES:
            right = way(random, draws, examples, share, correlation)
            low, high = share_interval(right, examples)
            known = float(np.median(known_widths(right, examples, correlation)))
            worst.add(low, high, share, known)
    return worst


def known_widths(right: Counts, examples: Counts, correlation: float) -> NDArray[np.float64]:
    """Widths of the interval of Clopper & Pearson on as many examples as a known correlation leaves."""
    from scipy.special import betaincinv

    total = examples.sum()
    count = total / (1 + correlation * (total / effective_texts(examples) - 1))
    share = right.sum(axis=1) / total
    none, every = share <= 0, share >= 1
    low = betaincinv(np.where(none, 1, share * count), (1 - share) * count + 1, 0.025)
    high = betaincinv(share * count + 1, np.where(every, 1, (1 - share) * count), 0.975)
    found: NDArray[np.float64] = np.where(every, 1, high) - np.where(none, 0, low)
    return found


def measure_leads(random: Random, draws: int, texts: int, sizes: tuple[int, ...]) -> Worst:
    """Coverage and width of the intervals of leads, of a head over an offset with the same correlation."""
    worst = Worst()
    examples, ways = settings_of(texts, sizes)
    for correlation, way in ways:
        for head, offset in RIVALS:
            ahead = way(random, draws, examples, head, correlation)
            ahead -= way(random, draws, examples, offset, correlation)
            known = 2 * 1.96 * float((ahead.sum(axis=1) / examples.sum()).std())
            worst.add(*lead_interval(ahead, examples), head - offset, known)
    return worst


def print_intervals(title: str, measure: Callable[..., Worst], draws: int) -> Worst:
    """Print the worst of each number of texts; returns the worst of all."""
    random = np.random.default_rng(20190611)
    print(f"{title}\n  texts  examples  covers  width")
    overall = Worst()
    for texts in TEXTS:
        for name, sizes in SIZES.items():
            worst = measure(random, draws, texts, sizes)
            print(f"  {texts:>5}  {name:>8}{worst}", flush=True)
            overall.coverage = min(overall.coverage, worst.coverage)
            overall.width = max(overall.width, worst.width)
    return overall


STYLES = ("anywhere", "offset", "place", "text", "mixed")


@dataclass(frozen=True)
class Style:
    """Heads that pay no regard to the words: for each a number of `STYLES`, an offset and a place."""

    styles: Counts
    offsets: Counts
    places: Counts

    @classmethod
    def of(cls, random: Random, heads: int, style: str) -> Style:
        """Heads of one style, or of any."""
        one = (
            random.integers(0, len(STYLES), heads) if style == "any" else np.full(heads, STYLES.index(style))
        )
        offsets = random.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5], heads)
        return cls(one[:, None], offsets[:, None], random.integers(-3, 4, heads)[:, None])

    def looks(self, random: Random, gold: GoldSentence, causal: bool) -> Int16:
        """What they look at: int16[direction, layer, head, unit], with a single layer.

        "text": at one word of the text, from nearly everywhere; "mixed": from a third of the words at the
        place, from another at the offset, and anywhere from the rest.
        """
        both = [self._one_way(random, gold, causal, direction) for direction in (0, 1)]
        return np.stack(both)[:, None].astype(np.int16)

    def _one_way(self, random: Random, gold: GoldSentence, causal: bool, direction: int) -> Counts:
        words, shape = len(gold.words), (len(self.styles), len(gold.units))
        first, last = (np.array([unit[end] for unit in gold.units]) for end in (0, -1))
        low, high = np.zeros_like(first), np.full_like(last, words)
        if causal:
            low, high = (low, last) if direction == 0 else (first + 1, high)
        size = 0 if causal else last - first + 1  # a word does not look at itself
        anywhere = random.integers(low, np.maximum(high - size, low + 1), shape)
        anywhere += np.where(anywhere >= first, size, 0)
        beside = np.where(self.offsets > 0, last, first) + self.offsets
        fixed = np.broadcast_to(np.where(np.abs(self.places) < words, self.places % words, 0), shape)
        striking = np.broadcast_to(random.integers(0, words, (len(self.styles), 1)), shape)
        striking = np.where(random.random(shape) < 0.9, striking, anywhere)
        mixed = np.choose(random.integers(0, 3, shape), [fixed, beside, anywhere])
        found = np.clip(np.choose(self.styles, [anywhere, beside, fixed, striking, mixed]), 0, words - 1)
        # A word does not look at itself, nor ahead in a causal model: it looks anywhere else then.
        own = (first <= found) & (found <= last)
        found = np.where(own | (found < low) | (found >= high), anywhere, found)
        return np.where(low < high, found, NOTHING)


def false_finds(random: Random, gold: list[GoldSentence], heads: int, causal: bool, style: str) -> int:
    """How many heads of a model that looks at random are said to know a relation, but for that to neighbours.

    `style` of all heads, or "any" of them.
    """
    chosen, probe = Style.of(random, heads, style), Probe(causal)
    for one in gold:
        probe.add(one, chosen.looks(random, one, causal))
    named = {
        (score.best.layer, score.best.head)
        for score in probe.result()
        if score.best is not None and score.best.stands_out and score.group != "positional"
    }
    followed = {
        at for at, one in head_relations(probe).items() if one.kind not in ("previous word", "next word")
    }
    return len(named | followed)


def print_finds(models: int) -> None:
    """Print in how many models of random looks any head is said to know a relation."""
    gold = [gold_of(one) for one in load_manifest(ROOT / "gallery.yaml").settings.sentences]
    random = np.random.default_rng(20190611)
    print(
        "Random looks on the sentences of the demo\n  heads          looks  models  with a false find heads"
    )
    every = wrong = 0
    for heads, causal, style, count in _models(models):
        found = [false_finds(random, gold, heads, causal, style) for _ in range(count)]
        finds = sum(one > 0 for one in found)
        every, wrong = every + count, wrong + finds
        kind = f"{heads:>5} {'causal' if causal else '':>7}  {style:<9}"
        print(f"  {kind} {count:>5} {finds:>18} {sum(found):>5}", flush=True)
    share = wrong / max(every, 1)
    print(f"  {wrong} of {every} models have a head that is said to know a relation, {share:.1%}\n")


def _models(models: int) -> Iterator[tuple[int, bool, str, int]]:
    """Heads, whether they see only what came before, how they look, and how many such models."""
    for heads, causal in ((72, False), (270, True)):
        for style in ("any", *STYLES):
            yield heads, causal, style, models // 12


def main() -> None:
    """Measure intervals, then random looks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000, help="draws for each setting of intervals")
    parser.add_argument("--models", type=int, default=120, help="models of random looks")
    options = parser.parse_args()
    started = time.perf_counter()
    for title, measure in (("Intervals of shares", measure_shares), ("Intervals of leads", measure_leads)):
        worst = print_intervals(title, measure, options.draws)
        print(f"  covers {worst.coverage:.3f} at least, {worst.width:.2f} times as wide at most\n")
    print_finds(options.models)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
