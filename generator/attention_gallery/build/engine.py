"""plan → execute → check: from a manifest to a site that is swapped in whole, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_gallery.addresses import routes
from attention_gallery.build.build_lock import build_lock
from attention_gallery.build.cache_folder import held, require_readable
from attention_gallery.build.check.warned import Warned
from attention_gallery.build.execute.record import Record, RecordWriter, drop_drafts, restamp
from attention_gallery.build.look.state import State, looked_at, watch_of
from attention_gallery.build.look.unchanged import untouched
from attention_gallery.build.options import BuildOptions, BuildReport, CheckReport
from attention_gallery.errors import DamagedEntry, told_in_short
from attention_gallery.host_limits import LARGEST_SITE, site_too_large
from attention_gallery.manifest.lockfile.lock import lock_path
from attention_gallery.progress import Reporter
from attention_gallery.project_files import CACHE, RESULTS, STORE, TEMPLATES

if TYPE_CHECKING:
    from attention_gallery.build.execute.cached_data import CachedData
    from attention_gallery.build.execute.staging import Staging
    from attention_gallery.build.plan.annotate import Annotated
    from attention_gallery.build.plan.captures import Captures
    from attention_gallery.build.plan.environments import Environments
    from attention_gallery.build.project import Project
    from attention_gallery.manifest.lockfile.lock import Lock
    from attention_gallery.models import FingerprintMemory
    from attention_gallery.pages.gallery import Gallery
    from attention_gallery.records import Tokens
    from attention_gallery.store import AttentionStore


@dataclass(slots=True)
class _Clock:
    """Seconds by phase, in the order in which phases first began."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class _Build:
    """One run of a build, inside the lock.

    `require_cache` raises `OutputError` once the cache folder is no longer the one that the build began with.
    """

    manifest: Path
    options: BuildOptions
    reporter: Reporter
    clock: _Clock
    warned: Warned
    require_cache: Callable[[], None] = lambda: None

    @property
    def cache(self) -> Path:
        return self.manifest.parent / CACHE

    @property
    def record_path(self) -> Path:
        return self.cache / "build.sqlite"

    @property
    def staging(self) -> Path:
        return self.cache / "staging"


def build(manifest_path: Path, options: BuildOptions, reporter: Reporter) -> BuildReport:
    """Build the gallery of a manifest.

    Raises `UserError` for everything that its author can mend; the site that was there is then untouched.
    """
    manifest = manifest_path.absolute()
    run = _Build(manifest, options, reporter, _Clock(), Warned(reporter, options.strict))
    if not manifest.is_file():
        from attention_gallery.manifest import load_manifest

        load_manifest(manifest)  # raises the error that says what is missing
    with held(run.cache) as require_cache, build_lock(run.cache), run.warned.told():
        run = replace(run, require_cache=require_cache)
        run.require_cache()
        _sweep(run)
        return _unchanged(run) or _rebuild(run)


def _sweep(run: _Build) -> None:
    """Drop what a killed build left behind."""
    drop_drafts(run.record_path)
    if run.staging.exists():
        from attention_gallery.files import remove_tree

        remove_tree(run.staging)


def _unchanged(run: _Build) -> BuildReport | None:
    """The report of a build that has nothing to do, or None when something changed."""
    if run.options.force or run.options.update_lock:
        return None
    with run.clock.phase("look"):
        record = Record(run.record_path)
        try:
            told = record.fact("report")
            looked = looked_at(run.manifest, run.options, record) if told else None
        finally:
            record.close()
        if looked is None or (run.options.strict and told["warnings"]):
            return None
        restamp(run.record_path, *looked)
    for warning in told["warnings"]:
        run.warned.add(warning)
    site = run.manifest.parent / told["site"]
    counts = told["pages"], 0, told["files"], 0, 0, told["size"]
    return BuildReport(site, *counts, tuple(told["warnings"]), run.clock.seconds)


def _rebuild(run: _Build) -> BuildReport:
    from attention_gallery.build.check.inspect_sources import Look, inspect_sources
    from attention_gallery.build.execute.cached_data import CachedData
    from attention_gallery.build.look.state import found_inputs, state_of
    from attention_gallery.build.plan.annotate import annotate
    from attention_gallery.build.plan.captures import capture_all, drop_damaged
    from attention_gallery.build.plan.environments import refuse_others, survey
    from attention_gallery.files import sweep_unfinished
    from attention_gallery.models import FingerprintMemory
    from attention_gallery.store import AttentionStore

    require_readable(run.cache)
    with run.clock.phase("read"):
        watch = watch_of(run.manifest, run.options)
        look = Look(run.cache, run.options, run.reporter, run.warned, build=True)
        inspected = inspect_sources(run.manifest, look)
        memory = FingerprintMemory(run.cache / "fingerprints.json")
        captures, lock = _pinned_captures(run, inspected.project, memory)
        if not inspected.complete:  # now that its models are here, more can be seen before any is loaded
            inspected = inspect_sources(run.manifest, look)
        project = inspected.project
        annotated = annotate(project.manifest, run.cache / RESULTS, run.reporter)
        project = replace(project, manifest=annotated.manifest)
        settings = project.manifest.settings
        read = found_inputs(project, captures, annotated)
        state = state_of(run.manifest, run.options, read, (watch, memory))
    store = AttentionStore(run.cache / STORE)
    store.sweep()
    for folder in (run.cache, run.cache / RESULTS, run.cache / TEMPLATES):
        sweep_unfinished(folder)
    captured, dropped = 0, set[str]()
    environments = _hold_to_environment(run, project, captures, store, lock)
    while True:
        with run.clock.phase("capture"):
            captured += capture_all(project, captures, store, run.reporter, run.options.keep_going)
        cache = run.cache / RESULTS
        data = CachedData(store, cache, settings.analysis, measures=project.measures)
        if environments is None:
            environments = survey(settings, captures, store, lock)
            refuse_others(settings, environments, lock, run.options.strict)
        try:
            gathered = (captures, annotated, environments)
            return _write(run, project, gathered, data, captured, state)
        except DamagedEntry:
            damaged = drop_damaged(captures, store, run.reporter, dropped)
            if not damaged:
                raise
            dropped |= damaged
            environments = None  # they are captured again


def _hold_to_environment(
    run: _Build, project: Project, captures: Captures, store: AttentionStore, lock: Lock | None
) -> Environments | None:
    """Stop before anything is captured where captures of another environment are refused and are there.

    The environments of all captures, None where some are missing: those that come have to be seen, too.
    """
    from attention_gallery.build.plan.environments import refuse_others, refuse_to_capture, survey

    settings = project.manifest.settings
    missing = captures.missing(store)  # first: what somebody else captures from now on may not be surveyed
    environments = survey(settings, captures, store, lock)
    refuse_others(settings, environments, lock, run.options.strict)
    if not missing:
        return environments
    refuse_to_capture(settings, lock, run.options.strict)
    return None


def _pinned_captures(
    run: _Build, project: Project, memory: FingerprintMemory
) -> tuple[Captures, Lock | None]:
    """The captures that are needed, of the models that are locked; or else the lock follows the models.

    The lock is the one from now on.
    """
    from attention_gallery.build.plan.captures import needed_captures
    from attention_gallery.build.plan.locking import accept, tell_others
    from attention_gallery.build.plan.pins import Pins
    from attention_gallery.manifest.lockfile.lock_reader import read_lock
    from attention_gallery.store import AttentionStore

    path = lock_path(run.manifest)
    pins = Pins(read_lock(path), binding=not run.options.update_lock)
    captures = needed_captures(project, memory, pins, run.reporter)
    if run.options.update_lock:
        store = AttentionStore(run.cache / STORE)
        accept(project, captures, pins.lock, path, store).tell(run.reporter)
        return captures, read_lock(path)
    if pins.lock is not None:
        tell_others(pins.lock, project.model_slugs, run.reporter, run.warned)
    return captures, pins.lock


def _write(
    run: _Build,
    project: Project,
    found: tuple[Captures, Annotated, Environments],
    data: CachedData,
    captured: int,
    state: State,
) -> BuildReport:
    from attention_gallery.build.execute.ownership import MARKER, owned_files
    from attention_gallery.build.plan.gather import gather
    from attention_gallery.files import recover_swap

    run.require_cache()  # another build could be staging its site in a new one
    recover_swap(project.site)
    owned = owned_files(project.site, run.options.force)
    with run.clock.phase("plan"):
        captures, annotated, environments = found
        if environments.warning:
            run.warned.add(environments.warning)
        _tell_unread(run, project, captures, data)
        gallery = gather(project, captures, data, environments, annotated.parses, run.cache / TEMPLATES)
    new = RecordWriter(run.record_path)
    old = Record(run.record_path)
    staging = _staging(run, gallery, project.site, (old, new), reuse=bool(owned) and not run.options.force)
    try:
        with run.clock.phase("write"):
            _fill(run, project, gallery, staging, owned)
        with run.clock.phase("check"):
            _check(run, staging, gallery)
        pruned = len(owned - {MARKER} - staging.files())
        with run.clock.phase("swap"):
            _swap(run, project, (staging, new), owned, state)
    except BaseException:
        _abandon(staging, new)
        raise
    finally:
        old.close()
    pages, written, reused, size = staging.pages, staging.written, staging.reused, staging.size
    told, seconds = run.warned.texts, run.clock.seconds
    return BuildReport(project.site, pages, written, reused, pruned, captured, size, told, seconds)


def _swap(
    run: _Build, project: Project, made: tuple[Staging, RecordWriter], owned: set[str], state: State
) -> None:
    """Put a site that was made and checked, and then its record, in the place of the old ones."""
    staging, new = made
    report = _told(project, staging, run.warned.texts)
    # Themes and files beside notes are read as pages are made. What failed may not fail next time.
    whole = not staging.sides.everything
    sources = state.sources if whole and untouched(state.sources) else {}
    run.require_cache()
    new.finish({**state.facts, "report": report}, sources)
    staging.swap()
    new.publish()
    restamp(run.record_path, staging.drop_old(owned), {})


def _tell_unread(run: _Build, project: Project, captures: Captures, data: CachedData) -> None:
    """Warn of what models do not read of the sentences that have pages, and of chats."""
    from attention_gallery.build.check.unread import readings, unread_parts

    def tokens(key: str) -> Tokens:
        return data.peek(key).keys

    sentences = project.manifest.settings.sentences
    for warning in unread_parts(project.manifest, readings(sentences, captures.shown, captures.keys, tokens)):
        run.warned.add(warning)


def _staging(
    run: _Build, gallery: Gallery, site: Path, records: tuple[Record, RecordWriter], reuse: bool
) -> Staging:
    from attention_gallery.build.check.site_links import LinkReader
    from attention_gallery.build.execute.staging import Staging

    base_path = routes.base_path(gallery.site.base_url)
    links = LinkReader(base_path, exact=not gallery.site.renderer.writes_plain_links())
    return Staging(run.staging, site, *records, reuse, links, gallery.data.sides)


def _fill(run: _Build, project: Project, gallery: Gallery, staging: Staging, owned: set[str]) -> None:
    """Make the whole site in the staging folder, files of other hands and the list of ours included."""
    from attention_gallery.build.plan.gather import shared_files
    from attention_gallery.pages.plan import site_pages, site_routes

    staging.begin()
    with run.reporter.task("writing pages", sum(1 for _ in site_routes(gallery))) as task:
        staging.add_all(site_pages(gallery), task)
    staging.add_all(shared_files(project, gallery), _Uncounted())
    staging.keep_foreign(owned, run.options.force)
    staging.seal(run.options.drafts)


def _told(project: Project, staging: Staging, warnings: Sequence[str]) -> dict[str, Any]:
    """What the next build repeats when it has nothing to do."""
    return {
        "site": project.manifest.settings.output,
        "pages": staging.pages,
        "files": len(staging.known),
        "foreign": sorted(staging.foreign),
        "size": staging.size,
        "warnings": warnings,
    }


def _check(run: _Build, staging: Staging, gallery: Gallery) -> None:
    """Check the staged site and what its notes claim; warnings fail a strict build."""
    from attention_gallery.build.check.site_links import check_links
    from attention_gallery.twins import told_apart, twins

    check_links(staging.new.links(), staging.known, staging.foreign, staging.read, staging.links.base_path)
    _warn_when_large(run, staging.size)
    for other, name in twins([*sorted(staging.files()), *sorted(staging.foreign)]):
        run.warned.add(told_apart(other, name))
    for lacking in gallery.data.sides.everything:
        run.warned.add(lacking.warning)
    for failure in gallery.notes.failures:
        run.warned.add(told_in_short(failure, run.manifest.parent))
    run.warned.refuse()


def _warn_when_large(run: _Build, size: int) -> None:
    if size > LARGEST_SITE:
        run.warned.add(site_too_large(size))


def _abandon(staging: Staging, new: RecordWriter) -> None:
    """Drop what was begun; what cannot be dropped now is swept by the next build."""
    from attention_gallery.files import remove_tree

    with suppress(OSError):
        new.discard()
    with suppress(OSError):
        remove_tree(staging.folder)


class _Uncounted:
    def advance(self, steps: int = 1, doing: str | None = None) -> None:
        """Count nothing."""


def check(manifest_path: Path, options: BuildOptions, reporter: Reporter) -> CheckReport:
    """Check manifest, models, notes, theme and, where there is one, the built site; write nothing.

    With `options.fresh`, every byte of the site is compared with what the build wrote. Raises `UserError`
    with what is wrong.
    """
    from attention_gallery.build.check.inspect_site import inspect_site
    from attention_gallery.build.check.inspect_sources import Look, inspect_sources

    warned = Warned(reporter, options.strict)
    run = _Build(manifest_path.absolute(), options, reporter, _Clock(), warned)
    with warned.told():
        inspected = inspect_sources(run.manifest, Look(run.cache, options, reporter, warned))
        site = inspected.project.site
        if options.fresh and site.is_dir():  # before its links: a file that is gone is why they lead nowhere
            from attention_gallery.build.check.fresh import check_bytes

            reporter.info(
                f"read {check_bytes(run.record_path, site):,} files: all are as the build left them"
            )
        found = inspect_site(inspected.project)
    if found is None:
        reporter.info("the site has not been built yet; its links are checked when it is")
        return CheckReport(0, 0, 0, warned.texts)
    pages, links, size = found
    _warn_when_large(run, size)
    return CheckReport(pages, links, size, warned.texts)
