"""Fetch a model from the hub: from the local cache when it is there, over the network otherwise.

huggingface_hub does it all, with its own settings: cache (HF_HOME), token (HF_TOKEN), mirror (HF_ENDPOINT).
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass, replace
from pathlib import Path

from attention_gallery.errors import ModelError
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models.loading.convert import conversion
from attention_gallery.models.on_disk import file_names
from attention_gallery.models.on_disk.inside import has_tokenizer, json_object
from attention_gallery.models.sources.hub_download import download
from attention_gallery.models.sources.resolved import ProblemMaker
from attention_gallery.progress import Reporter

_COMMIT = re.compile(r"[0-9a-f]{40}")
# Nothing but what is read: no pickled weights, no code, no second copy in another format.
_WANTED = (
    file_names.CONFIG,
    file_names.WEIGHTS,
    file_names.INDEX,
    "model-*-of-*.safetensors",
    file_names.GENERATION,
    file_names.CARD,
    *sorted(file_names.TOKENIZER),
)
_REACH = "connect to the network once, or name a local folder or an installed package (`package:…`)"
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR})
_LOG_IN = "log in (`hf auth login`, or a token in HF_TOKEN)"


@dataclass(frozen=True, slots=True)
class Lookup:
    """How to look for a hub model.

    `commit` is the one to take, whatever branch or tag the manifest names. `fresh` asks the hub where the
    branch stands now, even when a copy is cached. `fetch` allows to download at all.
    """

    commit: str | None = None
    fresh: bool = False
    fetch: bool = True


def snapshot(
    spec: ModelSpec, problem: ProblemMaker, lookup: Lookup, reporter: Reporter
) -> tuple[Path, str | None]:
    """The folder of a hub model, with its Python modules where the manifest trusts them, and its commit.

    Raises `ModelError` when the id or revision is unknown, access is refused, or there is no network and
    no copy in the cache.
    """
    revision = lookup.commit or spec.revision
    folder = None if lookup.fresh and not lookup.commit else _cached(spec, revision)
    if folder is None and lookup.fetch:
        folder = _downloaded(spec, revision, problem, lookup, reporter)
    if folder is None:
        raise ModelError(problem(f'no whole copy of the model "{spec.source}" is in the cache', _REACH))
    if not _has_weights(folder, _names_in(folder)):
        # Without a network the hub library hands out what it has, however little that is.
        reason = f'the model "{spec.source}" has no safetensors weights, or its copy is not whole'
        mend = "connect to the network to complete the copy; other formats must be converted first: "
        raise ModelError(problem(reason, mend + conversion(spec.source, folder)))
    return folder, folder.name if _COMMIT.fullmatch(folder.name) else revision


def _cached(spec: ModelSpec, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        snapshot_folder = snapshot_download(
            spec.source, revision=revision, allow_patterns=_patterns(spec), local_files_only=True
        )
    except LocalEntryNotFoundError:
        return None
    folder = Path(snapshot_folder)
    # Another program may have cached a part alone, or a download may have ended early.
    names = _names_in(folder)
    whole = _has_weights(folder, names) and has_tokenizer(folder, names)
    return folder if whole and (not spec.trust_remote_code or _has_code(folder, names)) else None


def _patterns(spec: ModelSpec) -> list[str]:
    return [*_WANTED, "*.py"] if spec.trust_remote_code else [*_WANTED]


def _names_in(folder: Path) -> frozenset[str]:
    """The names of its files, without links to nowhere."""
    return frozenset(path.name for path in folder.iterdir() if path.exists())


def _has_weights(folder: Path, names: frozenset[str]) -> bool:
    shards = json_object(folder / file_names.INDEX).get("weight_map")
    listed = set(map(str, shards.values())) if isinstance(shards, dict) else set()
    return file_names.CONFIG in names and (file_names.WEIGHTS in names or bool(listed and listed <= names))


def _has_code(folder: Path, names: frozenset[str]) -> bool:
    """Whether the modules that the configuration names are there: they are fetched only when asked for."""
    modules = json_object(folder / file_names.CONFIG).get("auto_map")
    if not isinstance(modules, dict):
        return True  # what is wrong with the configuration is told when it is read
    return all(f"{str(reference).partition('.')[0]}.py" in names for reference in modules.values())


def _downloaded(
    spec: ModelSpec, revision: str | None, problem: ProblemMaker, lookup: Lookup, reporter: Reporter
) -> Path:
    try:
        return download(spec.source, revision, _patterns(spec), reporter)
    except Exception as error:  # the hub library lets errors of three HTTP libraries and its own through
        error = _cause(error)
        if isinstance(error, OSError) and error.errno in _DISK:
            reason = f'the model "{spec.source}" cannot be kept: {error}'
            trouble = problem(reason, "check the disk and the folder of HF_HOME")
            raise ModelError(replace(trouble, trouble=True)) from error
        pinned = lookup.commit is not None and lookup.commit != spec.revision
        reason, mend = _explain(error, spec.source, revision, pinned=pinned, fresh=lookup.fresh)
        raise ModelError(problem(reason, mend)) from error


def _cause(error: Exception) -> Exception:
    """What made the hub library look for a copy on this machine."""
    from huggingface_hub.errors import DryRunError, LocalEntryNotFoundError

    while isinstance(error, LocalEntryNotFoundError | DryRunError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return error


def _explain(
    error: Exception, name: str, revision: str | None, *, pinned: bool, fresh: bool
) -> tuple[str, str]:
    """What an error of the hub library means to the user, and the mend."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return f'the model "{name}" is gated', f"accept its terms on the hub and {_LOG_IN}"
    if isinstance(error, RepositoryNotFoundError):
        reason = f'the hub has no model "{name}" that may be read'
        return reason, f"check the id; for a private model {_LOG_IN}"
    if isinstance(error, RevisionNotFoundError):
        if pinned:
            reason = f'the model "{name}" no longer has the commit {revision} of gallery.lock'
            return reason, "take the present one with `attention-gallery lock --upgrade`"
        return f'the model "{name}" has no revision "{revision}"', "name a branch, tag or commit"
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status in (401, 403):
            return f'the hub refuses to give out the model "{name}" (HTTP {status})', _LOG_IN
        return f'the hub failed to give out the model "{name}" (HTTP {status})', "try again later"
    kind = type(error).__name__
    if fresh:
        return f'the hub could not be asked for the model "{name}" ({kind})', "try again with a network"
    return (
        f'no whole copy of the model "{name}" is in the cache, and it could not be downloaded ({kind})',
        _REACH,
    )
