"""Read the notes of a content folder: front matter, place, body; every mistake is told at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pydantic import Field, ValidationError

from attention_gallery.errors import NoteError, Problem
from attention_gallery.files import cannot_read
from attention_gallery.hashing import digest_bytes
from attention_gallery.manifest.explain import explain
from attention_gallery.manifest.settings import Settings
from attention_gallery.manifest.yaml.document import CONTROL, Document, read_document
from attention_gallery.manifest.yaml.nodes import YamlError, split_lines
from attention_gallery.manifest.yaml.textfile import not_utf8
from attention_gallery.notes.content_files import ContentFile, walk
from attention_gallery.notes.questions.claims import Claim, ClaimSpec, read_claims
from attention_gallery.notes.target import NoteTarget, PlaceError, meant_model, target_of
from attention_gallery.user_files import read_user_file

LARGEST = 1024 * 1024
_MARKS = re.compile(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")


class FrontMatter(Settings):
    """What may stand between the `---` lines at the top of a note."""

    title: str = Field(default="", description="Heading of the note. Its first `# heading` when left out.")
    description: str = Field(default="", description="One sentence for lists, previews and search engines.")
    tags: tuple[str, ...] = Field(default=(), description="Words that group notes.")
    draft: bool = Field(default=False, description="Leave the note out unless the build is given --drafts.")
    claims: tuple[ClaimSpec, ...] = Field(
        default=(), description="What the note says of the attention, held to it in every build."
    )


@dataclass(frozen=True, slots=True)
class Note:
    """One Markdown note.

    `path` is absolute, `name` is the path inside the content folder with `/`. `line` is the 1-based line
    of the file in which `body` begins. `title` is "" when there is none, but for pages of their own.
    `digest` is the SHA-256 of the file. `claims` are those of its front matter.
    """

    path: Path
    name: str
    target: NoteTarget
    title: str
    description: str
    tags: tuple[str, ...]
    draft: bool
    body: str
    line: int
    digest: str
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class NotesReading:
    """Notes as far as they can be used, drafts too, sorted by name, and everything that is wrong with them.

    A note with a mistake in its front matter is there without it; one that cannot be read, or has no page to
    stand on, is not, and then the notes are not `whole`.
    """

    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]
    whole: bool


def read_notes(
    folder: Path,
    models: Collection[str],
    sentences: Collection[str],
    root: Path | None = None,
    contrasts: Collection[str] = (),
) -> NotesReading:
    """The notes of the content folder, none when there is no folder.

    `models`, `sentences` and `contrasts` are the slugs of the whole manifest, drafts too. `root` is the
    project, which the folder must not leave.
    """
    problems: list[Problem] = []
    known = models, sentences, contrasts
    if root is not None and not folder.resolve().is_relative_to(root.resolve()):
        left = Problem("the content folder leaves the project", "move it inside", folder)
        return NotesReading((), (left,), False)
    notes: list[Note] = []
    by_target: dict[NoteTarget, Note] = {}
    files = tuple(walk(folder, problems))
    whole = not problems
    for file in files:
        if not file.name.endswith(".md"):
            continue
        note = _load(file, known, problems)
        if note is None:
            whole = False
            continue
        if note.target in by_target:
            reason = f"this note is about the same page as {by_target[note.target].name}"
            problems.append(Problem(reason, "join the two", note.path))
        by_target[note.target] = note
        notes.append(note)
    return NotesReading(tuple(notes), tuple(problems), whole)


def check_models(notes: Sequence[Note], models: Collection[str], pairs: Collection[tuple[str, str]]) -> None:
    """Raise `NoteError` for notes about what is not shown.

    `models` are the slugs of the models that are, `pairs` of (model, sentence that it reads).
    """
    problems = [
        Problem(
            f'the gallery has no model "{note.target.model}"',
            meant_model(note.target.model, models) or "move the note",
            note.path,
        )
        for note in notes
        if note.target.model is not None and note.target.model not in models
    ]
    problems += [
        Problem(
            f'the model "{note.target.model}" does not read the sentence "{note.target.sentence}"',
            "move the note, or add the model to the sentence's `models`",
            note.path,
        )
        for note in notes
        if note.target.model in models
        and note.target.sentence is not None
        and (note.target.model, note.target.sentence) not in pairs
    ]
    if problems:
        raise NoteError(problems)


def check_heads(notes: Iterable[Note], shapes: Mapping[str, tuple[int, int]]) -> None:
    """Raise `NoteError` for notes about layers or heads that a model does not have.

    shapes: (layers, heads) of each model by slug; models that are not in it are passed over.
    """
    problems = []
    for note in notes:
        target = note.target
        if target.layer is None or target.head is None or target.model is None:
            continue
        layers, heads = shapes.get(target.model, (target.layer + 1, target.head + 1))
        if target.layer >= layers or target.head >= heads:
            reason = f"{target.model} has no head L{target.layer}H{target.head}"
            mend = f"its heads are L0H0 to L{layers - 1}H{heads - 1}"
            problems.append(Problem(reason, mend, note.path))
    if problems:
        raise NoteError(problems)


def _load(
    file: ContentFile,
    known: tuple[Collection[str], Collection[str], Collection[str]],
    problems: list[Problem],
) -> Note | None:
    target = None
    try:
        parts = PurePosixPath(file.name.removesuffix(".md")).parts or ("",)
        target = target_of(parts, *known)
    except PlaceError as error:
        problems.append(Problem(error.reason, error.mend, file.path))
    try:
        data = read_user_file(file.path, LARGEST)
        text = _text(file, data)
    except OSError as error:
        problems.append(cannot_read("the note cannot be read", error, "put a text file there", file.path))
        return None
    except NoteError as error:
        problems += error.problems
        return None
    matter, claims, body, line = _split(file, text, target, problems)
    title = matter.title
    if not title:
        title, body, line = _heading(file, body, line, problems)
    if target is None:
        return None
    if not title and target.kind == "page":
        # A page of its own stands in lists, where it needs a name.
        title = (target.slug or "").replace("-", " ").capitalize()
    return Note(
        file.path,
        file.name,
        target,
        title,
        matter.description,
        matter.tags,
        matter.draft,
        body,
        line,
        digest_bytes(data),
        claims,
    )


def _text(file: ContentFile, data: bytes) -> str:
    """The text of a note. Raises `NoteError`."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise NoteError(not_utf8(file.path, data, error)) from None
    text = re.sub("\r\n?", "\n", text)
    if control := CONTROL.search(text):
        lines = text[: control.start()].split("\n")
        reason = f"the note contains the control character U+{ord(control[0]):04X}"
        quote = text.split("\n")[len(lines) - 1]
        raise NoteError(Problem(reason, "remove it", file.path, len(lines), len(lines[-1]) + 1, quote))
    return text


def _split(
    file: ContentFile, text: str, target: NoteTarget | None, problems: list[Problem]
) -> tuple[FrontMatter, tuple[Claim, ...], str, int]:
    """Front matter, its claims, body, and the line in which the body begins."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return FrontMatter(), (), text, 1
    end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        mend = "end it with a line `---`; a rule at the top of a note can be written `***`"
        problems.append(Problem("the front matter is not closed", mend, file.path, 1, 1, lines[0]))
        return FrontMatter(), (), "", 1
    # The empty first line stands for the opening `---`, so that lines count as in the file.
    matter, claims = _front_matter(file, "\n".join(["", *lines[1:end]]), target, problems)
    return matter, claims, "\n".join(lines[end + 1 :]), end + 2


def _front_matter(
    file: ContentFile, text: str, target: NoteTarget | None, problems: list[Problem]
) -> tuple[FrontMatter, tuple[Claim, ...]]:
    wrong: list[Problem] = []
    matter = FrontMatter()
    claims: tuple[Claim, ...] = ()
    try:
        document = read_document(text)
        wrong += document.problems
        matter, numbers = _right_part(document, wrong)
        if target is not None:
            specs = dict(zip(numbers, matter.claims, strict=True))
            claims, mistakes = read_claims(specs, document, target, file.path)
            wrong += mistakes
    except YamlError as error:
        wrong.append(error.problem(split_lines(text)))
    wrong.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    problems += (replace(problem, file=file.path) for problem in wrong)
    return matter, claims


def _right_part(document: Document, wrong: list[Problem]) -> tuple[FrontMatter, list[int]]:
    """Front matter without what is wrong in it, which is told in `wrong`, and the places of its claims.

    A claim is left out whole: that it lacks what was mistyped would be told as another mistake.
    """
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        reason = "front matter is a block of `key: value` lines"
        wrong.append(Problem(reason, "write `title: …`", line=2, quote=document.lines[1]))
        data = {}
    refused: set[tuple[str | int, ...]] = set()
    try:
        FrontMatter.model_validate(data)
    except ValidationError as error:
        wrong += explain(error.errors(include_url=False), document, FrontMatter)
        locations = [details["loc"] for details in error.errors()]
        refused = {loc[:2] if loc[0] == "claims" else loc[:1] for loc in locations}
    right = {key: data[key] for key in FrontMatter.model_fields if key in data and (key,) not in refused}
    listed = right.get("claims", ())
    numbers = [number for number in range(len(listed)) if ("claims", number) not in refused]
    right["claims"] = tuple(listed[number] for number in numbers)
    return FrontMatter.model_validate(right), numbers


def _heading(file: ContentFile, body: str, line: int, problems: list[Problem]) -> tuple[str, str, int]:
    """A first `# heading` as the title, and what follows it."""
    heading = re.match(r"\s*^# +(.+?)(?: +#+)? *(?:\n|\Z)", body, re.M)
    if heading is None:
        return "", body, line
    if "{{" in heading[1].replace("\\{{", ""):
        at, quote = line + body[: heading.start(1)].count("\n"), heading[0].strip("\n")
        mend = "write it below; two braces are written `\\{{`"
        problems.append(Problem("a title cannot hold a live value", mend, file.path, at, None, quote))
    title = _MARKS.sub("", heading[1].replace("\\{{", "{{")).strip()
    return title, body[heading.end() :], line + heading[0].count("\n")
