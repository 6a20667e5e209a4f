"""Make a whole site in the staging folder, check it, and swap it and its record in."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from attention_gallery.addresses import routes
from attention_gallery.build.checks.inspect_site import warn_of_size
from attention_gallery.build.checks.site_links import LinkReader, check_links
from attention_gallery.build.checks.unread import unread_warnings
from attention_gallery.build.execute.cached_data import CachedData
from attention_gallery.build.execute.ownership import MARKER, owned_files
from attention_gallery.build.execute.record import Record, RecordWriter, restamp
from attention_gallery.build.execute.staging import Staging
from attention_gallery.build.look.unchanged import untouched
from attention_gallery.build.options import BuildReport
from attention_gallery.build.plan.build_plan import BuildPlan
from attention_gallery.build.plan.environments import Environments
from attention_gallery.build.plan.gather import gather, shared_files
from attention_gallery.build.run import Run
from attention_gallery.errors import short_message
from attention_gallery.files import recover_swap, remove_tree
from attention_gallery.pages.gallery import Gallery
from attention_gallery.pages.plan import site_pages, site_routes
from attention_gallery.progress import SilentReporter
from attention_gallery.twins import told_apart, twins


def write_site(run: Run, plan: BuildPlan, environments: Environments, captured: int) -> BuildReport:
    """Make the site of a project all of whose captures are there; `captured` are those of this run.

    Raises `UserError` for what is wrong, `DamagedEntry` for broken captures; the old site is then untouched.
    """
    run.require_cache()  # another build could be staging its site in a new one
    site = plan.project.site
    recover_swap(site)
    owned = owned_files(site, run.options.force)
    with run.phase("plan"):
        gallery = _gallery(run, plan, environments)
    new = RecordWriter(run.record)
    old = Record(run.record)
    staging = _staging(run, gallery, site, (old, new), reuse=bool(owned) and not run.options.force)
    try:
        with run.phase("write"):
            _fill(run, plan, gallery, staging, owned)
        with run.phase("check"):
            _check(run, staging, gallery)
        pruned = len(owned - {MARKER} - staging.files())
        with run.phase("swap"):
            _swap(run, plan, staging, new, owned)
    except BaseException:
        _abandon(staging, new)
        raise
    finally:
        old.close()
    counts = staging.pages, staging.written, staging.reused, pruned, captured, staging.size
    return BuildReport(site, *counts, run.warnings.texts, run.seconds)


def _gallery(run: Run, plan: BuildPlan, environments: Environments) -> Gallery:
    """What pages are made from; warns of foreign environments, and of what models do not read."""
    project, captures = plan.project, plan.captures
    data = CachedData(plan.store, run.results, project.manifest.settings.analysis, measures=project.measures)
    if environments.warning:
        run.warnings.add(environments.warning)
    for warning in unread_warnings(project.manifest, captures, lambda key: data.peek(key).keys):
        run.warnings.add(warning)
    return gather(project, captures, data, environments, plan.annotated.parses, run.templates)


def _staging(
    run: Run, gallery: Gallery, site: Path, records: tuple[Record, RecordWriter], reuse: bool
) -> Staging:
    base_path = routes.base_path(gallery.site.base_url)
    links = LinkReader(base_path, exact=not gallery.site.renderer.writes_plain_links())
    return Staging(run.staging, site, *records, reuse, links, gallery.data.sides)


def _fill(run: Run, plan: BuildPlan, gallery: Gallery, staging: Staging, owned: set[str]) -> None:
    """Make the whole site in the staging folder, files of other hands and the list of ours included."""
    staging.begin()
    with run.reporter.task("writing pages", sum(1 for _ in site_routes(gallery))) as task:
        staging.add_all(site_pages(gallery), task)
    with SilentReporter().task("", 0) as task:
        staging.add_all(shared_files(plan.project, gallery), task)
    staging.keep_foreign(owned, run.options.force)
    staging.seal(run.options.drafts)


def _check(run: Run, staging: Staging, gallery: Gallery) -> None:
    """Check the staged site and what its notes claim; warnings fail a strict build."""
    check_links(staging.new.links(), staging.known, staging.foreign, staging.read, staging.links.base_path)
    warn_of_size(staging.size, run.warnings)
    for other, name in twins([*sorted(staging.files()), *sorted(staging.foreign)]):
        run.warnings.add(told_apart(other, name))
    for lacking in gallery.data.sides.everything:
        run.warnings.add(lacking.warning)
    for failure in gallery.notes.failures:
        run.warnings.add(short_message(failure, run.manifest.parent))
    run.warnings.refuse()


def _swap(run: Run, plan: BuildPlan, staging: Staging, new: RecordWriter, owned: set[str]) -> None:
    """Put a site that was made and checked, and then its record, in the place of the old ones."""
    report = {  # what the next build repeats when it has nothing to do
        "site": plan.project.manifest.settings.output,
        "pages": staging.pages,
        "files": len(staging.known),
        "foreign": sorted(staging.foreign),
        "size": staging.size,
        "warnings": run.warnings.texts,
    }
    # Themes and files beside notes are read as pages are made. What failed may not fail next time.
    complete = not staging.sides.everything
    sources = plan.state.sources if complete and untouched(plan.state.sources) else {}
    run.require_cache()
    new.finish({**plan.state.facts, "report": report}, sources)
    staging.swap()
    new.publish()
    restamp(run.record, staging.drop_old(owned), {})


def _abandon(staging: Staging, new: RecordWriter) -> None:
    """Drop what was begun; what cannot be dropped now is swept by the next build."""
    with suppress(OSError):
        new.discard()
    with suppress(OSError):
        remove_tree(staging.folder)
