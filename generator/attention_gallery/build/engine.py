"""plan → execute → check: from a manifest to a site that is swapped in whole, or not at all.

A build, phase by phase: look whether anything changed; read and check the project; capture what is missing;
plan the pages, write them, check them; swap the site in. Each phase imports what it needs when it begins, so
that a build with nothing to do ends at once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from attention_gallery.build.build_lock import build_lock
from attention_gallery.build.cache_folder import held_cache, require_readable
from attention_gallery.build.execute.record import Record, drop_drafts, restamp
from attention_gallery.build.look.build_state import stamps_if_unchanged
from attention_gallery.build.options import BuildOptions, BuildReport, CheckReport
from attention_gallery.build.run import Run
from attention_gallery.errors import DamagedEntry
from attention_gallery.progress import Reporter


def build(manifest_path: Path, options: BuildOptions, reporter: Reporter) -> BuildReport:
    """Build the gallery of a manifest.

    Raises `UserError` for everything that its author can mend; the site that was there is then untouched.
    """
    run = Run.from_arguments(manifest_path, options, reporter)
    if not run.manifest.is_file():
        from attention_gallery.manifest.load_manifest import load_manifest

        load_manifest(run.manifest)  # raises the error that says what is missing
    with held_cache(run.cache) as require_cache, build_lock(run.cache), run.warnings.reported_on_failure():
        run = replace(run, require_cache=require_cache)
        run.require_cache()
        _sweep_killed(run)
        return _unchanged(run) or _rebuild(run)


def _sweep_killed(run: Run) -> None:
    """Drop what a killed build left behind."""
    drop_drafts(run.record)
    if run.staging.exists():
        from attention_gallery.files import remove_tree

        remove_tree(run.staging)


def _unchanged(run: Run) -> BuildReport | None:
    """The report of a build that has nothing to do, or None when something changed."""
    if run.options.force or run.options.update_lock:
        return None
    with run.phase("look"):
        record = Record(run.record)
        try:
            report = record.fact("report")
            stamps = stamps_if_unchanged(run.manifest, run.options, record) if report else None
        finally:
            record.close()
        if stamps is None or (run.options.strict and report["warnings"]):
            return None
        restamp(run.record, *stamps)
    for warning in report["warnings"]:
        run.warnings.add(warning)
    site = run.manifest.parent / report["site"]
    counts = report["pages"], 0, report["files"], 0, 0, report["size"]
    return BuildReport(site, *counts, tuple(report["warnings"]), run.seconds)


def _rebuild(run: Run) -> BuildReport:
    """Read, capture and write; what proves to be damaged on the way is captured again."""
    require_readable(run.cache)
    from attention_gallery.build.execute.write_site import write_site
    from attention_gallery.build.plan.build_plan import plan_build
    from attention_gallery.build.plan.captures import capture_all, drop_damaged
    from attention_gallery.build.plan.environments import environments_before_capture, held_environments
    from attention_gallery.files import sweep_unfinished

    with run.phase("read"):
        plan = plan_build(run)
    plan.store.sweep()
    for folder in (run.cache, run.results, run.templates):
        sweep_unfinished(folder)
    captured, dropped = 0, set[str]()
    held_to = plan.project.manifest.settings, plan.captures, plan.store, plan.lock, run.options.strict
    environments = environments_before_capture(*held_to)
    while True:
        with run.phase("capture"):
            captured += capture_all(
                plan.project, plan.captures, plan.store, run.reporter, run.options.keep_going
            )
        environments = environments or held_environments(*held_to)
        try:
            return write_site(run, plan, environments, captured)
        except DamagedEntry:
            damaged = drop_damaged(plan.captures, plan.store, run.reporter, dropped)
            if not damaged:
                raise
            dropped |= damaged
            environments = None  # they are captured again


def check(manifest_path: Path, options: BuildOptions, reporter: Reporter) -> CheckReport:
    """Check manifest, models, notes, theme and, where there is one, the built site; write nothing.

    With `options.fresh`, every byte of the site is compared with what the build wrote. Raises `UserError`
    with what is wrong.
    """
    from attention_gallery.build.checks.fresh import check_bytes
    from attention_gallery.build.checks.inspect_site import inspect_site, warn_of_size
    from attention_gallery.build.checks.inspect_sources import inspect_sources

    run = Run.from_arguments(manifest_path, options, reporter)
    with run.warnings.reported_on_failure():
        project, _ = inspect_sources(run, build=False)
        # Before its links: a file that is gone is why they lead nowhere.
        if options.fresh and project.site.is_dir():
            count = check_bytes(run.record, project.site)
            reporter.info(f"read {count:,} files: all are as the build left them")
        counts = inspect_site(project)
    if counts is None:
        reporter.info("the site has not been built yet; its links are checked when it is")
        return CheckReport(0, 0, 0, run.warnings.texts)
    pages, links, size = counts
    warn_of_size(size, run.warnings)
    return CheckReport(pages, links, size, run.warnings.texts)
