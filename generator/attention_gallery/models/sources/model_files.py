"""Find a model's files on this machine, without importing torch or transformers.

Weights are safetensors or GGUF only: pickled weights run code when they are loaded and are refused.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from attention_gallery.errors import ModelError, Problem, did_you_mean
from attention_gallery.files import is_system_trouble, parse_json, why_unreadable
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.manifest.source import Source, parse_source
from attention_gallery.models.loading.convert import pickled_mend, pickled_weights
from attention_gallery.models.on_disk import file_names as known
from attention_gallery.models.on_disk.inside import TOKENIZER_CONFIG, folders_of_models, has_tokenizer
from attention_gallery.models.on_disk.plain_files import check_files
from attention_gallery.models.on_disk.remote_code import check_references, own_code
from attention_gallery.models.on_disk.weight_files import no_file, pointer_to
from attention_gallery.models.sources.hub import Lookup, snapshot
from attention_gallery.models.sources.resolved import ProblemMaker, ResolvedModel
from attention_gallery.progress import Reporter, SilentReporter
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

_PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack"})
_ANY_COPY = Lookup()
_MERGE = "it is an adapter; merge it into its model (`merge_and_unload`) and save the result"


def resolve(
    spec: ModelSpec,
    root: Path,
    problem: ProblemMaker = Problem,
    lookup: Lookup = _ANY_COPY,
    reporter: Reporter | None = None,
) -> ResolvedModel:
    """The files of the model that `spec` names; a local path is relative to `root`.

    A hub id is looked up in the local cache first and downloaded only when it is not there, or as `lookup`
    says. `problem` makes a problem at the manifest's line; downloads are told to `reporter`. Raises
    `ModelError` when the model cannot be found or may not be used.
    """
    source = parse_source(spec.source)
    if source.kind == "hub":
        try:
            folder, revision = snapshot(spec, problem, lookup, reporter or SilentReporter())
        except ModelError as error:
            raise _or_local(error, source, root) from error
        check_files(folder, problem)
        return _from_folder(folder, spec, revision, problem)
    if spec.revision is not None:
        reason = f'"{spec.source}" has a revision, but only hub ids have revisions'
        raise ModelError(problem(reason, "remove `revision`, or name a hub id"))
    packaged = source.kind == "package"
    path = _package_path(source, problem) if packaged else source.local_path(root)
    revision = _package_version(source) if packaged else None
    if not path.exists():
        raise ModelError(problem(f'the model "{spec.source}" does not exist: {path}', _neighbours(path)))
    if spec.trust_remote_code and (packaged or path.is_file()):
        reason = f'"{spec.source}" brings no code that transformers could run'
        raise ModelError(problem(reason, "remove `trust_remote_code`, which is for folders and hub ids"))
    check_files(path, problem)
    if path.is_dir():
        return _from_folder(path, spec, revision, problem)
    return _from_file(path, spec.source, revision, problem)


def _or_local(error: ModelError, source: Source, root: Path) -> ModelError:
    """The error of a hub id, with another mend where what is meant lies beside the manifest."""
    if not (root / source.name).exists():
        return error
    mend = f"a model beside the manifest is named with its path: write `./{source.name}`"
    return ModelError([replace(problem, mend=mend) for problem in error.problems])


def _package_path(source: Source, problem: ProblemMaker) -> Path:
    top, *inner = source.name.split(".")
    # find_spec of a top-level name only looks at the file system; a dotted name would import its parent.
    try:
        module_spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        module_spec = None
    if module_spec is None or not module_spec.submodule_search_locations:
        mend = "install it into the environment that runs attention-gallery: "
        mend += f"`pip install {top.replace('_', '-')}`"
        raise ModelError(problem(f'the Python package "{top}" is not installed', mend))
    package = Path(next(iter(module_spec.submodule_search_locations))).resolve()
    path = package.joinpath(*inner, *Path(source.path).parts)
    if not path.resolve().is_relative_to(package):
        reason = f'"{source.text}" leaves the package "{top}"'
        raise ModelError(problem(reason, "name a path inside the package"))
    return path


def _package_version(source: Source) -> str | None:
    # Packages of weights are nearly always called like their module; to search all packages would be slow.
    try:
        return version(source.name.split(".")[0])
    except PackageNotFoundError:
        return None


def _from_file(path: Path, source: str, revision: str | None, problem: ProblemMaker) -> ResolvedModel:
    if path.suffix == ".gguf":
        return ResolvedModel(source, path.parent, "gguf", (path,), None, (), revision, problem)
    if path.suffix in _PICKLED:
        mend = pickled_mend(source.rpartition("/")[0] or ".", path.parent, path.name)
        raise ModelError(problem(f'the weights "{path.name}" are not safetensors or GGUF', mend))
    mend = "name the folder that holds config.json and the safetensors, or a .gguf file"
    raise ModelError(problem(f'"{path.name}" is not a model', mend))


def _from_folder(folder: Path, spec: ModelSpec, revision: str | None, problem: ProblemMaker) -> ResolvedModel:
    names = frozenset(path.name for path in folder.iterdir())
    source = spec.source
    if known.CONFIG not in names:
        raise ModelError(problem(f'"{source}" has no config.json', _no_config(folder, names, source)))
    if "adapter_config.json" in names:
        raise ModelError(problem(f'"{source}" needs another model', _MERGE))
    if _read_json(folder / known.CONFIG, problem).get("transformers_weights"):
        reason = f'the config.json of "{source}" names its own weights file'
        raise ModelError(problem(reason, "remove `transformers_weights` and call the file model.safetensors"))
    weights = _weights(folder, names, source, problem)
    if not has_tokenizer(folder, names):
        _no_tokenizer(folder, source, problem)
    return ResolvedModel(
        source,
        folder,
        "safetensors",
        weights,
        folder / known.CONFIG,
        tuple(folder / name for name in sorted(names & known.TOKENIZER)),
        revision,
        problem,
        _other_files(folder, names, spec, problem),
        spec.trust_remote_code,
    )


def _other_files(
    folder: Path, names: frozenset[str], spec: ModelSpec, problem: ProblemMaker
) -> tuple[Path, ...]:
    generation = (folder / known.GENERATION,) if known.GENERATION in names else ()
    if not spec.trust_remote_code:
        return generation
    for name in sorted(names & {known.CONFIG, TOKENIZER_CONFIG}):
        check_references(_read_json(folder / name, problem), spec.source, problem)
    return (*generation, *own_code(folder, names))


def _no_config(folder: Path, names: frozenset[str], source: str) -> str:
    ggufs = sorted(name for name in names if name.endswith(".gguf"))
    if ggufs:
        return f"to use a GGUF file, name the file itself: `…/{ggufs[0]}`"
    if "adapter_config.json" in names:
        return _MERGE
    inside = folders_of_models(folder)
    if len(inside) == 1:
        return f"the model is in a folder inside: write `{source.rstrip('/')}/{inside[0]}`"
    if inside:
        return f"name one of the models inside: {', '.join(inside[:8])}"
    return "name the folder that holds config.json, the tokenizer and the safetensors"


def _no_tokenizer(folder: Path, source: str, problem: ProblemMaker) -> NoReturn:
    """Say that a model has no tokenizer, unless what it lacks one for is that it reads no texts."""
    from attention_gallery.models.inspecting.suited import check_folder_reads_texts

    check_folder_reads_texts(folder, source, problem)
    mend = "put tokenizer.json, or the other files of its tokenizer, beside the weights: "
    mend += f'`AutoTokenizer.from_pretrained("where it came from").save_pretrained({str(folder)!r})`'
    raise ModelError(problem(f'"{source}" has no tokenizer', mend))


def _weights(folder: Path, names: frozenset[str], source: str, problem: ProblemMaker) -> tuple[Path, ...]:
    if known.WEIGHTS in names:
        return (folder / known.WEIGHTS,)
    if known.INDEX in names:
        return (folder / known.INDEX, *_shards(folder, names, problem))
    if pickled := pickled_weights(names, _PICKLED):
        mend = pickled_mend(source, folder, pickled)
        raise ModelError(problem(f'the weights of "{source}" are pickled ({pickled})', mend))
    mend = f"{known.WEIGHTS} or {known.INDEX} is expected; other formats must be converted first"
    raise ModelError(problem(f'"{source}" has no weights that can be used', mend))


def _shards(folder: Path, names: frozenset[str], problem: ProblemMaker) -> list[Path]:
    index = _read_json(folder / known.INDEX, problem)
    mapping = index.get("weight_map")
    shards = sorted({str(name) for name in mapping.values()}) if isinstance(mapping, dict) else []
    missing = [name for name in shards if name not in names]
    if missing or not shards:
        what = f"{missing[0]} is missing" if missing else "it lists no weights"
        reason = f"the weights in {folder / known.INDEX} are not complete: {what}"
        raise ModelError(problem(reason, "download them again"))
    return [folder / name for name in shards]


def _read_json(path: Path, problem: ProblemMaker) -> dict[str, Any]:
    if wrong := no_file(path):
        raise ModelError(problem(wrong.reason, wrong.mend))
    try:
        data = read_user_file(path, LARGEST_SETTINGS)
    except OSError as error:
        mend = "check who owns the file and its permissions"
        unreadable = problem(f"{path} cannot be read: {why_unreadable(error)}", mend)
        raise ModelError(replace(unreadable, trouble=is_system_trouble(error))) from error
    if pointer := pointer_to(data[:100]):
        raise ModelError(problem(f"{path} {pointer.reason}", pointer.mend))
    try:
        value = parse_json(data)
    except ValueError as error:
        mend = "download it again, or mend it at that place"
        raise ModelError(problem(f"{path} cannot be read: {error}", mend)) from error
    if not isinstance(value, dict):
        raise ModelError(problem(f"{path} is not a JSON object", "it begins with `{`; download it again"))
    return value


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return "check the path"
    models = (entry for entry in path.parent.iterdir() if entry.is_dir() or entry.suffix == ".gguf")
    names = [entry.name for entry in models if not entry.name.startswith((".", "_"))]
    return did_you_mean(path.name, names) or "check the path"
