"""What `inspect` finds out: which model is meant, which token, and where it looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attention_gallery.cli.terminal_text import plain
from attention_gallery.errors import ManifestError, UserError, did_you_mean, width
from attention_gallery.project_files import MANIFEST

if TYPE_CHECKING:
    from attention_gallery.manifest.settings import ModelSpec
    from attention_gallery.progress import Reporter
    from attention_gallery.records import Float32, StoredAttention, Tokens

_BAR = 12  # characters of a bar that stands for weight 1


def choose_model(name: str, manifest: Path) -> tuple[ModelSpec, Path, int]:
    """The model that `name` means, at its locked commit, the folder of its path, and how many threads to use.

    Slugs of the manifest come first. Raises `ManifestError` when it is neither a slug nor a source, and
    `OSError` when there is a manifest that cannot be read.
    """
    from attention_gallery.files import kind_of
    from attention_gallery.manifest.load_manifest import load_manifest
    from attention_gallery.manifest.settings import CaptureSettings, ModelSpec
    from attention_gallery.manifest.source import parse_source

    path = manifest.absolute()
    path = path / MANIFEST if kind_of(path) == "folder" else path
    slugs: list[str] = []
    if kind_of(path) == "file":
        settings = load_manifest(path).settings
        for spec in settings.models:
            if spec.slug == name:
                return _at_locked_commit(spec, path), path.parent, settings.capture.threads
            slugs.append(spec.slug)
    try:
        source = parse_source(name)
    except ManifestError as error:
        raise _unknown_model(name, slugs) if _like_slug(name) else error from None
    if source.kind == "hub" and _like_slug(name) and slugs:
        raise _unknown_model(name, slugs)
    return ModelSpec(slug="model", title=source.title, source=name), Path.cwd(), CaptureSettings().threads


def _at_locked_commit(spec: ModelSpec, manifest: Path) -> ModelSpec:
    from attention_gallery.build.plan.pins import Pins
    from attention_gallery.manifest.lockfile.lock_entries import lock_path
    from attention_gallery.manifest.lockfile.lock_reader import read_lock

    commit = Pins(read_lock(lock_path(manifest))).lookup(spec).commit
    return spec.model_copy(update={"revision": commit}) if commit else spec


def capture(spec: ModelSpec, root: Path, threads: int, text: str, reporter: Reporter) -> StoredAttention:
    """The attention of `text`, kept in memory: as a build captures it. Raises `ModelError`."""
    from attention_gallery.models import resolve

    resolved = resolve(spec, root, reporter=reporter)
    if not text.strip():
        raise UserError("the text is empty", mend="write a sentence in quotes")
    reporter.detail(f"loading {spec.title} from {resolved.folder}")
    from attention_gallery.capturing import capture_one
    from attention_gallery.models.loading.load_model import load
    from attention_gallery.models.loading.placement import Placement

    placement = Placement(spec.device, spec.device_map == "auto", threads)
    return capture_one(load(resolved, spec.dtype, placement=placement), text)


def describe(attention: StoredAttention, *, token: str | None, layer: int | None, top: int) -> Iterator[str]:
    """The lines to print. Raises `UserError` for a token or layer that does not exist."""
    facts, tokens = attention.facts, attention.tokens
    if layer is not None and layer >= facts.layers:
        raise UserError(f"there is no layer {layer}", mend=f"the model has layers 0 to {facts.layers - 1}")
    from attention_gallery.analysis import find_token

    queries = list(range(len(tokens))) if token is None else find_token(attention.text, tokens, token)
    yield f"{facts.layers} layers of {facts.heads} heads, {len(tokens)} tokens: " + " ".join(_labels(tokens))
    if token is None:
        yield ""
        yield from _every_token(attention, layer, top)
        return
    for query in queries:
        yield ""
        yield from _one_token(attention, query, layer, top)


def _every_token(attention: StoredAttention, layer: int | None, top: int) -> Iterator[str]:
    from attention_gallery.analysis import average_heads

    chosen = range(attention.facts.layers) if layer is None else [layer]
    total: Float32 = sum(
        (average_heads(attention.layer(index)) for index in chosen[1:]),
        average_heads(attention.layer(chosen[0])),
    )
    scope = "all layers and heads averaged" if layer is None else f"layer {layer}, its heads averaged"
    yield click.style(f"Where each token looks ({scope})", bold=True)
    labels = _labels(attention.tokens)
    yield from _table([(labels[query], row) for query, row in enumerate(total / len(chosen))], labels, top)


def _one_token(attention: StoredAttention, query: int, layer: int | None, top: int) -> Iterator[str]:
    from attention_gallery.analysis import average_heads

    labels = _labels(attention.tokens)
    if layer is None:
        scope = "its heads averaged in each layer"
        averages = (average_heads(attention.layer(index))[query] for index in range(attention.facts.layers))
        rows = [(f"layer {index}", row) for index, row in enumerate(averages)]
    else:
        scope = f"the heads of layer {layer}"
        weights = attention.layer(layer).weights[:, query]
        rows = [(f"L{layer}H{head}", row) for head, row in enumerate(weights)]
    yield click.style(f'Where "{labels[query]}" (#{query}) looks ({scope})', bold=True)
    yield from _table(rows, labels, top)


def _table(rows: Sequence[tuple[str, Float32]], labels: Sequence[str], top: int) -> Iterator[str]:
    """A line for each row of weights float32[key]: a name, a bar for the strongest key, the top keys."""
    cells = [(name, _strongest(weights, labels, top)) for name, weights in rows]
    names = max(width(name) for name, _ in cells)
    depth = max(len(keys) for _, keys in cells)
    widths = [max(width(keys[rank][0]) for _, keys in cells if rank < len(keys)) for rank in range(depth)]
    for name, keys in cells:
        bar = "█" * round(keys[0][1] * _BAR)
        listed = "   ".join(
            f"{_filled(label, columns)} {weight:.3f}"
            for (label, weight), columns in zip(keys, widths, strict=False)
        )
        yield f"  {_filled(name, names)}  {bar.ljust(_BAR)}  {listed}".rstrip()


def _filled(text: str, columns: int) -> str:
    """A text with spaces after it, up to so many columns of the terminal."""
    return text + " " * (columns - width(text))


def _strongest(weights: Float32, labels: Sequence[str], top: int) -> list[tuple[str, float]]:
    """The keys with most weight, strongest first, ties in the order of the sentence."""
    order = sorted(range(len(labels)), key=lambda key: (-float(weights[key]), key))
    return [(labels[key], float(weights[key])) for key in order[:top]]


def _labels(tokens: Tokens) -> list[str]:
    return [plain(text).strip() or repr(text) for text in tokens.texts]


def _like_slug(name: str) -> bool:
    return not any(mark in name for mark in "/:.\\")


def _unknown_model(name: str, slugs: Sequence[str]) -> ManifestError:
    local = f"for the model in the current folder write `./{name}`" if Path(name).exists() else ""
    mend = local or did_you_mean(name, slugs) or "write `org/name`, `./folder` or `package:name/path`"
    return ManifestError(f'the gallery has no model "{name}"', mend=mend)
