"""Fetch a model from the hub: from the local cache when it is there, over the network otherwise."""

from __future__ import annotations

import re
from pathlib import Path

from attention_gallery.errors import ModelError
from attention_gallery.models.resolved import ProblemMaker

_COMMIT = re.compile(r"[0-9a-f]{40}")
# Nothing but what is read: no pickled weights, no code, no second copy in another format.
_WANTED = (
    "config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
    "README.md",
    "added_tokens.json",
    "chat_template.jinja",
    "merges.txt",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "spiece.model",
    "spm.model",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)


def snapshot(name: str, revision: str | None, problem: ProblemMaker) -> tuple[Path, str | None]:
    """The folder of a hub model and its commit.

    Raises `ModelError` when the id or revision is unknown, access is refused, or there is no network and
    no copy in the cache.
    """
    folder = _cached(name, revision) or _downloaded(name, revision, problem)
    if not _is_whole(folder):
        # Without a network the hub library hands out what it has, however little that is.
        raise ModelError(
            problem(
                f'the model "{name}" has no safetensors weights, or its copy in the cache is not whole',
                "connect to the network to complete the copy; other formats must be converted first",
            )
        )
    return folder, folder.name if _COMMIT.fullmatch(folder.name) else revision


def _cached(name: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(name, revision=revision, allow_patterns=list(_WANTED), local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None
    return folder if _is_whole(folder) else None


def _is_whole(folder: Path) -> bool:
    # Another program may have cached the tokenizer alone.
    return (folder / "config.json").exists() and any(folder.glob("model*.safetensors"))


def _downloaded(name: str, revision: str | None, problem: ProblemMaker) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_WANTED)))
    except GatedRepoError as error:
        reason, mend = (
            f'the model "{name}" is gated',
            "accept its terms on the hub and log in (`hf auth login`)",
        )
        cause: Exception = error
    except RepositoryNotFoundError as error:
        reason = f'the hub has no model "{name}" that may be read'
        mend, cause = "check the id; for a private model log in (`hf auth login`)", error
    except RevisionNotFoundError as error:
        reason, mend = f'the model "{name}" has no revision "{revision}"', "name a branch, tag or commit"
        cause = error
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        reason = (
            f'the model "{name}" is not in the cache and could not be downloaded ({type(error).__name__})'
        )
        mend = "connect to the network once, or name a local folder or an installed package (`package:…`)"
        cause = error
    raise ModelError(problem(reason, mend)) from cause
