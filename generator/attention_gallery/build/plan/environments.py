"""Whether the captures of a gallery come from one numeric environment: the one that it should have.

That is what `gallery.lock` names, with the number format and the threads that the manifest asks for. Without
a lock it is this machine's, as far as that is known without torch: the versions that are installed, and the
device where the manifest names one. What is known of neither, such as the strategy, should be what most
captures of a model say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields

from attention_gallery.build.plan.captures import Captures
from attention_gallery.errors import DamagedEntry, LockError, OutputError, Problem
from attention_gallery.manifest.lockfile.lock_entries import Lock
from attention_gallery.manifest.settings import GallerySettings, ModelSpec
from attention_gallery.models import library_versions
from attention_gallery.records import NumericEnvironment, differences
from attention_gallery.store import AttentionStore

Fields = Mapping[str, str | int]
_AGAIN = "`attention-gallery clean --all` and a build capture them again, in the environment that is here"
_NAMED = 3  # so many kinds of difference are named
_LIBRARIES = ("torch", "transformers")
_ASKED = ("device", "dtype", "threads")  # what the manifest has a say in


@dataclass(frozen=True, slots=True)
class Environments:
    """In what each capture is not of the gallery's environment, by number of the model and key; "" where it
    is.

    `name` is what the gallery's environment is called: this one, or the one that the lock names.
    """

    name: str
    differs: Mapping[tuple[int, str], str] = field(default_factory=dict)

    def of(self, index: int, key: str) -> str:
        """In what one capture differs, in words, "" where it does not."""
        return self.differs.get((index, key), "")

    def of_model(self, index: int, keys: list[str]) -> str:
        """In what the captures of one model under these keys differ, "" where none does."""
        others = [difference for key in keys if (difference := self.of(index, key))]
        if not others:
            return ""
        summary = _summed_up(others)
        return summary if len(others) == len(keys) else f"{len(others)} of {len(keys)} captures: {summary}"

    @property
    def others(self) -> tuple[tuple[int, str, str], ...]:
        """Model, key and difference of all captures that differ, sorted; empty as a rule."""
        return tuple(sorted((*at, difference) for at, difference in self.differs.items() if difference))

    @property
    def warning(self) -> str:
        """One line on all that differ, "" where none does."""
        others = [difference for _, _, difference in self.others]
        if not others:
            return ""
        return (
            f"{len(others)} of {len(self.differs)} captures come from another numeric environment than "
            f"{self.name}: {_summed_up(others)}; they are used, and their pages say so"
        )


def _summed_up(others: list[str]) -> str:
    counted = sorted(Counter(others).items(), key=lambda counts: (-counts[1], counts[0]))
    more = [f"and {len(counted) - _NAMED} others"] if len(counted) > _NAMED else []
    return "; ".join([*(difference for difference, _ in counted[:_NAMED]), *more])


def known_here(spec: ModelSpec, settings: GallerySettings) -> Fields:
    """What is known of the environment in which a model would be captured now, without importing torch."""
    versions = library_versions()
    known: dict[str, str | int] = {name: versions[name] for name in _LIBRARIES if name in versions}
    if spec.device != "auto" and spec.device_map is None:  # divided among devices, it is on none of them
        known["device"] = spec.device
    return {**known, "dtype": spec.dtype, "threads": settings.capture.threads}


def captured_environments(
    captures: Captures, store: AttentionStore, index: int
) -> Iterator[tuple[str, NumericEnvironment]]:
    """Key and environment of every capture of a model that is there and can be read."""
    slugs = {model.spec.slug for model in captures.shown if model.index == index}
    for key in dict.fromkeys(key for (slug, _), key in captures.every.items() if slug in slugs):
        if store.has(key):
            try:
                yield key, store.open(key).provenance.environment
            except DamagedEntry:  # a warning where it is captured again
                continue


def environment_of(
    settings: GallerySettings, captures: Captures, store: AttentionStore, index: int
) -> Fields:
    """What a lock is to say of the environment of a model: that of its captures, where they agree.

    Where there are none yet, or they do not agree, it is what is known of this one.
    """
    spec = settings.models[index]
    environments = {environment for _, environment in captured_environments(captures, store, index)}
    return asdict(environments.pop()) if len(environments) == 1 else known_here(spec, settings)


def survey(
    settings: GallerySettings, captures: Captures, store: AttentionStore, lock: Lock | None
) -> Environments:
    """Compare all captures that are there with the gallery's environment."""
    differs: dict[tuple[int, str], str] = {}
    for index, spec in enumerate(settings.models):
        captured = dict(captured_environments(captures, store, index))
        if not captured:
            continue
        expected = _usual(expected_of(spec, settings, lock), [*captured.values()])
        for key, environment in captured.items():
            differs[index, key] = ", ".join(differences(environment, expected))
    return Environments(_name(settings, lock), differs)


def expected_of(spec: ModelSpec, settings: GallerySettings, lock: Lock | None) -> Fields:
    """What is known of the environment that a model of the gallery should have."""
    here = known_here(spec, settings)
    locked = _locked(spec, lock)
    asked = {name: here[name] for name in _ASKED if name in here}
    return {**locked, **asked} if locked else here


def _locked(spec: ModelSpec, lock: Lock | None) -> Fields:
    model = None if lock is None else lock.models.get(spec.slug)
    return {} if model is None else model.environment


def _name(settings: GallerySettings, lock: Lock | None) -> str:
    named = lock is not None and any(_locked(spec, lock) for spec in settings.models)
    return f"{lock.path.name} names" if named and lock is not None else "this one"


def _usual(known: Fields, captured: list[NumericEnvironment]) -> NumericEnvironment:
    """The environment with these fields; of the others, what most captures say."""
    usual: dict[str, str | int] = {}
    for name in asdict(captured[0]):
        counted = Counter(getattr(environment, name) for environment in captured)
        usual[name] = known.get(name, min(counted, key=lambda value: (-counted[value], value)))
    return NumericEnvironment(**usual)  # type: ignore[arg-type]


def held_environments(
    settings: GallerySettings, captures: Captures, store: AttentionStore, lock: Lock | None, strict: bool
) -> Environments:
    """Those of all captures that are there. Raises as `refuse_others`."""
    environments = survey(settings, captures, store, lock)
    refuse_others(settings, environments, lock, strict)
    return environments


def environments_before_capture(
    settings: GallerySettings, captures: Captures, store: AttentionStore, lock: Lock | None, strict: bool
) -> Environments | None:
    """Stop before anything is captured where captures of another environment are refused and are there.

    The environments of all captures, None where some are missing: those that come have to be seen, too.
    """
    missing = captures.missing(store)  # first: what somebody else captures from now on may not be surveyed
    environments = held_environments(settings, captures, store, lock, strict)
    if not missing:
        return environments
    refuse_to_capture(settings, lock, strict)
    return None


def refuse_others(
    settings: GallerySettings, environments: Environments, lock: Lock | None, strict: bool
) -> None:
    """Stop at captures of another environment where the lock is exact, or the build strict.

    Raises `LockError` or `OutputError`.
    """
    text = environments.warning.partition("; they are used")[0]
    if lock is not None and lock.exact:
        reason = f'the manifest asks for "{{slug}}" in another environment than {lock.path.name} names: '
        mend = "change the manifest back, or run `attention-gallery lock` to name what it asks for"
        _refuse_fields(settings, lock, _ASKED, (reason, mend))
        if text:
            accept = "; `attention-gallery lock --no-exact` lets them be used"
            raise LockError(Problem(text, _AGAIN + accept, lock.path))
    if text and strict:
        raise OutputError([Problem(text, f"{_AGAIN}; without --strict they are used as they are")])


def refuse_to_capture(settings: GallerySettings, lock: Lock | None, strict: bool) -> None:
    """Stop before captures are made that the lock does not name, where it is exact, or the build strict.

    Raises `LockError`.
    """
    if lock is None or not (lock.exact or strict):
        return
    reason = f'"{{slug}}" would be captured in another environment than {lock.path.name} names: '
    mend = "install what it names, or run `attention-gallery lock` after a build to name this one"
    names = tuple(each.name for each in fields(NumericEnvironment))
    _refuse_fields(settings, lock, names, (reason, mend))


def _refuse_fields(
    settings: GallerySettings, lock: Lock, names: tuple[str, ...], message: tuple[str, str]
) -> None:
    """Raise `LockError` where one of these fields, as known here, is another than the lock names."""
    problems = []
    for spec in settings.models:
        here, locked = known_here(spec, settings), _locked(spec, lock)
        both = [name for name in names if name in here and name in locked]
        unlike = [
            f"{name} {here[name]} instead of {locked[name]}" for name in both if here[name] != locked[name]
        ]
        if unlike:
            reason = message[0].replace("{slug}", spec.slug) + ", ".join(unlike)
            problems.append(Problem(reason, message[1], lock.path))
    if problems:
        raise LockError(problems)
