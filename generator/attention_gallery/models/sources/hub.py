"""Fetch a model from the hub: from the local cache when it is there, over the network otherwise.

huggingface_hub does it all, with its own settings: cache (HF_HOME), token (HF_TOKEN), mirror (HF_ENDPOINT).
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass, replace
from pathlib import Path

from attention_gallery.errors import ModelError
from attention_gallery.files import parse_json
from attention_gallery.models.loading.convert import conversion
from attention_gallery.models.on_disk import file_names
from attention_gallery.models.on_disk.inside import has_tokenizer
from attention_gallery.models.sources.download import download
from attention_gallery.models.sources.resolved import ProblemMaker
from attention_gallery.progress import Reporter
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

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
class HubModel:
    """What is wanted of the hub: `code` asks for the model's Python modules too."""

    name: str
    revision: str | None
    code: bool = False

    @property
    def patterns(self) -> list[str]:
        """The files to fetch."""
        return [*_WANTED, "*.py"] if self.code else [*_WANTED]


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
    model: HubModel, problem: ProblemMaker, lookup: Lookup, reporter: Reporter
) -> tuple[Path, str | None]:
    """The folder of a hub model and its commit.

    Raises `ModelError` when the id or revision is unknown, access is refused, or there is no network and
    no copy in the cache.
    """
    revision = lookup.commit or model.revision
    folder = None if lookup.fresh and not lookup.commit else _cached(model, revision)
    if folder is None and lookup.fetch:
        folder = _downloaded(model, revision, problem, lookup, reporter)
    if folder is None:
        raise ModelError(problem(f'no whole copy of the model "{model.name}" is in the cache', _REACH))
    if not _has_weights(folder):
        # Without a network the hub library hands out what it has, however little that is.
        raise ModelError(
            problem(
                f'the model "{model.name}" has no safetensors weights, or its copy is not whole',
                "connect to the network to complete the copy; other formats must be converted first: "
                + conversion(model.name, folder),
            )
        )
    return folder, folder.name if _COMMIT.fullmatch(folder.name) else revision


def _cached(model: HubModel, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        snapshot_folder = snapshot_download(
            model.name, revision=revision, allow_patterns=model.patterns, local_files_only=True
        )
    except LocalEntryNotFoundError:
        return None
    folder = Path(snapshot_folder)
    # Another program may have cached a part alone, or a download may have ended early.
    there = frozenset(path.name for path in folder.iterdir() if path.exists())
    whole = _has_weights(folder) and has_tokenizer(folder, there)
    return folder if whole and (not model.code or _has_code(folder)) else None


def _has_weights(folder: Path) -> bool:
    if not (folder / file_names.CONFIG).exists():
        return False
    if (folder / file_names.WEIGHTS).exists():
        return True
    try:
        index = parse_json(read_user_file(folder / file_names.INDEX, LARGEST_SETTINGS))
        shards = set(index["weight_map"].values())
        return bool(shards) and all((folder / str(shard)).exists() for shard in shards)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _has_code(folder: Path) -> bool:
    """Whether the modules that the configuration names are there: they are fetched only when asked for."""
    try:
        config = parse_json(read_user_file(folder / file_names.CONFIG, LARGEST_SETTINGS))
        references = config.get("auto_map", {}).values()
        return all((folder / f"{str(reference).partition('.')[0]}.py").exists() for reference in references)
    except (OSError, ValueError, AttributeError):
        return True  # what is wrong with the configuration is told when it is read


def _downloaded(
    model: HubModel, revision: str | None, problem: ProblemMaker, lookup: Lookup, reporter: Reporter
) -> Path:
    try:
        return download(model.name, revision, model.patterns, reporter)
    except Exception as error:  # the hub library lets errors of three HTTP libraries and its own through
        error = _cause(error)
        if isinstance(error, OSError) and error.errno in _DISK:
            reason = f'the model "{model.name}" cannot be kept: {error}'
            trouble = problem(reason, "check the disk and the folder of HF_HOME")
            raise ModelError(replace(trouble, trouble=True)) from error
        pinned = lookup.commit is not None and lookup.commit != model.revision
        reason, mend = _explain(error, model.name, revision, pinned=pinned, fresh=lookup.fresh)
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
