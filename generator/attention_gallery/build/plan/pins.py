"""Hold the models of a gallery to its `gallery.lock`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from attention_gallery.errors import ModelError
from attention_gallery.manifest.lockfile.lock_entries import Lock, LockedModel
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.manifest.source import parse_source
from attention_gallery.models import Lookup, ModelFingerprint, ProblemMaker, ResolvedModel, library_versions

_ACCEPT = "run `attention-gallery lock` to accept it, or `attention-gallery build --update-lock`"
_SHOWN = 12  # hexadecimal digits of a digest or commit that people are shown


@dataclass(frozen=True, slots=True)
class Pins:
    """What the lock says, and how much that counts.

    Without a lock nothing is pinned. `binding`: a model that differs from the lock is an error. `fresh`: hub
    branches are asked for their present commit, whatever commit is locked. `fetch`: models may be downloaded.
    """

    lock: Lock | None = None
    binding: bool = True
    fresh: bool = False
    fetch: bool = True

    def lookup(self, spec: ModelSpec) -> Lookup:
        """How the hub is asked for a model: for the locked commit while the manifest asks for the same."""
        locked = self._locked(spec)
        same = locked is not None and (locked.source, locked.revision) == (spec.source, spec.revision)
        commit = locked.commit if locked is not None and same and not self.fresh else None
        return Lookup(commit, self.fresh, self.fetch)

    def check_asked(self, spec: ModelSpec, problem: ProblemMaker) -> None:
        """Check that the lock has the model and asks for the same, before anything is downloaded for it.

        Raises `ModelError`.
        """
        if self.lock is None or not self.binding:
            return
        locked = self._locked(spec)
        name = self.lock.path.name
        if locked is None:
            reason = f'the model "{spec.slug}" is not in {name}'
            raise ModelError(problem(reason, _ACCEPT.replace("accept", "add")))
        changed = [*_changed(locked, replace(locked, source=spec.source, revision=spec.revision))]
        self._refuse(spec, changed, problem)

    def check_model(
        self, spec: ModelSpec, model: ResolvedModel, digests: ModelFingerprint, problem: ProblemMaker
    ) -> None:
        """Check that the files are those that were locked. Raises `ModelError` that says what changed."""
        locked = self._locked(spec)
        if locked is not None and self.binding:
            self._refuse(spec, [*_changed(locked, locked_as(spec, model, digests))], problem)

    def _locked(self, spec: ModelSpec) -> LockedModel | None:
        return None if self.lock is None else self.lock.models.get(spec.slug)

    def _refuse(self, spec: ModelSpec, changed: list[str], problem: ProblemMaker) -> None:
        if changed and self.lock is not None:
            name = self.lock.path.name
            reason = f'the model "{spec.slug}" is not the one that {name} pins: {"; ".join(changed)}'
            raise ModelError(problem(reason, _ACCEPT))


def locked_as(spec: ModelSpec, model: ResolvedModel, digests: ModelFingerprint) -> LockedModel:
    """What the lock is to say of a model."""
    kind = parse_source(spec.source).kind
    return LockedModel(
        source=spec.source,
        format=model.weights_format,
        weights=digests.weights,
        tokenizer=digests.tokenizer,
        revision=spec.revision,
        commit=model.revision if kind == "hub" else None,
        version=model.revision if kind == "package" else None,
        libraries=library_versions(),
    )


def changes(before: LockedModel | None, after: LockedModel | None) -> list[str]:
    """What is different in a model's entry, in words; libraries too."""
    if before is None or after is None:
        return ["added"] if before is None else ["removed"]
    others = other_libraries(before.libraries, after.libraries)
    # What is not known, as before anything is captured, is no difference.
    named = before.environment.keys() & after.environment.keys()
    known = ({name: entry.environment[name] for name in named} for entry in (before, after))
    return [
        *_changed(before, after),
        *(f"locked with {difference}" for difference in others),
        *(f"captured with {difference}" for difference in other_libraries(*known)),
    ]


def other_libraries(before: Mapping[str, str | int], after: Mapping[str, str | int]) -> Iterator[str]:
    """The libraries, or fields of an environment, that are not the same."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"{name} {old or 'none'} → {new or 'none'}"


def _changed(before: LockedModel, after: LockedModel) -> Iterator[str]:
    for name in ("source", "revision", "commit", "version", "format", "weights", "tokenizer"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{name} {_short(name, old)} → {_short(name, new)}"


def _short(name: str, value: str | None) -> str:
    if value is None:
        return "none"
    return value[:_SHOWN] if name in ("commit", "weights", "tokenizer") else f'"{value}"'
