"""The last pass over a note: sanitised HTML goes in, the HTML of the page comes out.

Every tag and attribute is written anew, so that nothing passes that is not named here or in `sanitize`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

from attention_gallery.errors import Problem
from attention_gallery.manifest.slugs import slugify
from attention_gallery.notes.live import LiveValues
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown.file_links import AddressError, markdown_link
from attention_gallery.notes.markdown.highlighting import highlight
from attention_gallery.notes.markdown.mathml import MathError, to_mathml
from attention_gallery.notes.markdown.note_links import LinkFormError, LinkTarget, parse_link
from attention_gallery.notes.markdown.scan import MARK, Piece

HEADING_PREFIX = "note-"
_VOID = frozenset({"br", "hr", "img", "col"})
_CLASSES = frozenset({"footnote", "footnote-ref", "footnote-backref"})
_ALIGN = {"left": "align-left", "center": "align-center", "right": "align-right"}
_HEADINGS = re.compile(r"h[1-6]")
_LANGUAGE = re.compile(r"language-([A-Za-z0-9_+#.-]{1,40})")

Attributes = list[tuple[str, str | None]]


class Rewriter(HTMLParser):
    """Feed it sanitised HTML once, then ask for `result()`, `headings`, `links` and what is wrong.

    Mistakes of links are in `link_problems`, others in `problems`.
    """

    def __init__(
        self,
        note: Note,
        pieces: list[Piece],
        ways: tuple[Callable[[LinkTarget], str | tuple[str, str]], LiveValues],
        heading_offset: int,
        heading_prefix: str,
        id_prefix: str,
    ) -> None:
        super().__init__(convert_charrefs=True)
        self.note, self.pieces = note, pieces
        self.resolve, self.live = ways
        self.shift, self.heading_prefix, self.id_prefix = heading_offset, heading_prefix, id_prefix
        self.source = note.body.split("\n")
        self.out: list[str] = []
        self.headings: list[tuple[int, str, str]] = []
        self.links: list[LinkTarget] = []
        self.problems: list[Problem] = []
        self.link_problems: list[Problem] = []
        self.ids: dict[str, str] = {}
        self.fragments: list[tuple[int, str]] = []
        self.inside: dict[str, int] = {"a": 0, "code": 0, "pre": 0}
        self.heading: tuple[int, int] | None = None
        self.words: list[str] = []
        self.language: str | None = None
        self.code: list[str] | None = None
        # A table or figure stands in the place of its paragraph, which ends behind it.
        self.instead_of_paragraph: Piece | None = None

    def result(self) -> str:
        """The HTML, once everything has been fed."""
        for at, fragment in self.fragments:
            if fragment.startswith("fnref:") and fragment not in self.ids:
                name = fragment.removeprefix("fnref:")
                pieces = (piece for piece in self.pieces if (piece.kind, piece.text) == ("footnote", name))
                reason = f"the footnote [^{name}] is never used"
                self._wrong(reason, "refer to it, or remove it", next(pieces, None))
            self.out[at] = html.escape("#" + self.ids.get(fragment, fragment))
        return "".join(self.out).strip()

    # Tags

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        attributes = {name: self._plain(value or "", answered=True) for name, value in attrs}
        self._alone()
        if tag in self.inside:
            self.inside[tag] += 1
        if self.code is not None:
            return
        if _HEADINGS.fullmatch(tag):
            self._open_heading(tag)
        elif tag == "a":
            self._open_link(attributes, _place_of("href", attrs, self._addresses))
        elif tag == "img":
            self._image(attributes, _place_of("src", attrs, self._addresses))
        elif tag == "table":
            self.out.append(f'<div class="table-scroll"><table{self._attributes(attributes)}>')
        elif tag == "code" and self.inside["pre"] and self.inside["code"] == 1:
            language = _LANGUAGE.fullmatch(attributes.get("class", ""))
            self.language, self.code = language[1] if language else None, []
        else:
            self.out.append(f"<{tag}{self._attributes(attributes)}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if tag == "p" and self.instead_of_paragraph is not None:
            self.instead_of_paragraph = None
            return
        if tag in self.inside:
            self.inside[tag] = max(0, self.inside[tag] - 1)
        if self.code is not None:
            if tag == "code" and self.inside["code"] == 0:
                self.out.append(highlight("".join(self.code), self.language))
                self.code = None
        elif _HEADINGS.fullmatch(tag):
            self._close_heading()
        else:
            self.out.append(f"</{tag}></div>" if tag == "table" else f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self.code is not None:
            self.code.append(self._plain(data))
            return
        parts = MARK.split(data)
        for i, text in enumerate(parts):
            if i % 2 == 0:
                if text.strip():
                    self._alone()
                if text:
                    self.words.append(text)
                    self.out.append(html.escape(text, quote=False))
            elif (piece := self._piece(text)) is not None:
                self._put(piece)

    def _attributes(self, attributes: dict[str, str]) -> str:
        allowed: dict[str, str] = {}
        for name, value in attributes.items():
            if name == "id":
                allowed["id"] = self._id(value)
            elif name == "class":
                classes = [class_name for class_name in value.split() if class_name in _CLASSES]
                allowed |= {"class": " ".join(classes)} if classes else {}
            elif name == "align":
                allowed |= {"class": _ALIGN[value]} if value in _ALIGN else {}
            elif name not in ("href", "src"):
                allowed[name] = value
        return "".join(f' {name}="{html.escape(value)}"' for name, value in allowed.items())

    def _id(self, name: str, prefix: str | None = None) -> str:
        """An id of this note's own, remembered for links to it."""
        slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "id"
        made = base = (self.id_prefix if prefix is None else prefix) + slug
        count = 2
        while made in self.ids.values():
            made, count = f"{base}-{count}", count + 1
        self.ids.setdefault(name, made)
        # A repeated id is still written, under a name of its own, but links lead to the first.
        self.ids.setdefault(made, made)
        return made

    # Headings

    def _open_heading(self, tag: str) -> None:
        level = min(6, int(tag[1]) + self.shift)
        self.heading = (level, len(self.out))
        self.words = []
        self.out.append("")

    def _close_heading(self) -> None:
        if self.heading is None:
            return
        level, at = self.heading
        text = " ".join("".join(self.words).split())
        made = self._id(slugify(text, "section"), self.heading_prefix)
        # A note links to its headings as on its own page, whatever their ids begin with here.
        self.ids.setdefault(HEADING_PREFIX + made.removeprefix(self.heading_prefix), made)
        self.out[at] = f'<h{level} id="{made}">'
        self.out.append(f"</h{level}>")
        self.headings.append((level, made, text))
        self.heading = None

    # Links and images

    def _open_link(self, attributes: dict[str, str], at: Piece | None) -> None:
        rest = self._attributes(attributes)
        if "href" not in attributes:
            self.out.append(f"<a{rest}>")
            return
        href = attributes["href"].strip()
        if href.startswith("#"):
            self.out += ['<a href="', "", f'"{rest}>']
            self.fragments.append((len(self.out) - 2, href[1:]))
            return
        if re.match(r"(?:https?:)?//", href, re.I):
            rest += ' rel="noopener noreferrer"'
        elif not href.lower().startswith("mailto:"):
            href = self._relative(href, at, image=False)
        self.out.append(f'<a href="{html.escape(href)}"{rest}>')

    def _image(self, attributes: dict[str, str], at: Piece | None) -> None:
        src = attributes.get("src")
        if src is None:
            reason = "a picture has no address that a site can use"
            self._wrong(reason, "put it in the content folder", at)
            return
        address = html.escape(self._relative(src.strip(), at, image=True))
        alt = "" if "alt" in attributes else ' alt=""'
        rest = f'{self._attributes(attributes)}{alt} loading="lazy"'
        self.out.append(f'<img src="{address}"{rest}>')

    def _relative(self, address: str, at: Piece | None, image: bool) -> str:
        try:
            return self._follow(markdown_link(address, self.note, image), at)[0]
        except AddressError as error:
            self.link_problems.append(self._problem(error.reason, error.mend, at))
            return ""

    def _follow(self, target: LinkTarget, at: Piece | None) -> tuple[str, str | None]:
        line, column, quote = self._where(at)
        target = replace(target, note=self.note.path, line=line, column=column)
        try:
            resolved = self.resolve(target)
        except LookupError as error:
            *reason, mend = [str(argument) for argument in error.args] or [""]
            message = ": ".join([f"{target.raw} leads to no page of the site", *reason])
            self.link_problems.append(target.problem(message, mend, quote))
            return "", None
        self.links.append(target)
        return (resolved, None) if isinstance(resolved, str) else resolved

    def _where(self, at: Piece | None) -> tuple[int | None, int | None, str | None]:
        """Line in the file, column, and the line itself."""
        if at is None:
            return None, None, None
        return self.note.line + at.line - 1, at.column, self.source[at.line - 1]

    def _problem(self, reason: str, mend: str, at: Piece | None) -> Problem:
        line, column, quote = self._where(at)
        return Problem(reason, mend, self.note.path, line, column, quote)

    # Marks

    def _piece(self, number: str) -> Piece | None:
        index = int(number) if len(number) < 9 else len(self.pieces)
        return self.pieces[index] if index < len(self.pieces) else None

    def _addresses(self, text: str) -> list[Piece]:
        """The places of addresses that a text holds."""
        pieces = map(self._piece, MARK.findall(text))
        return [piece for piece in pieces if piece is not None and piece.kind == "address"]

    def _plain(self, text: str, answered: bool = False) -> str:
        """A text in which marks are what was written; in attributes live values are `answered`."""

        def plain(mark: re.Match[str]) -> str:
            piece = self._piece(mark[1])
            if answered and piece is not None and piece.kind in ("live", "open"):
                return self._answered(piece, inline=True)[1]
            return piece.raw if piece else ""

        return MARK.sub(plain, text)

    def _put(self, piece: Piece) -> None:
        if piece.kind == "address":
            return  # what could have been that of a link was none
        self._alone()
        if self.inside["code"] or self.inside["pre"]:
            self.out.append(html.escape(piece.raw, quote=False))
        elif piece.kind == "link":
            self._wiki(piece)
        elif piece.kind in ("live", "open"):
            self._live(piece)
        elif piece.kind == "literal":
            self.words.append(piece.text)
            self.out.append(html.escape(piece.text, quote=False))
        else:
            self._math(piece)

    def _math(self, piece: Piece) -> None:
        self.words.append(piece.text)
        try:
            self.out.append(to_mathml(piece.text, piece.kind == "block"))
        except MathError as error:
            mend = "mend the LaTeX; an amount of money is written `\\$5`"
            self._wrong(f"this formula cannot be drawn: {error}", mend, piece)

    def _live(self, piece: Piece) -> None:
        """A live value; a table or figure takes the place of the paragraph that it fills."""
        before = self.out[-1] if self.out else ""
        html, words, block = self._answered(
            piece, inline=before not in ("<p>", "<li>", "<dd>", "<blockquote>")
        )
        if block and before == "<p>":
            self.out.pop()
            self.instead_of_paragraph = piece
        self.words.append(words)
        self.out.append(html)

    def _answered(self, piece: Piece, inline: bool) -> tuple[str, str, bool]:
        """HTML, text, and whether it is a table or figure."""
        answer = self.live.answered(piece, inline)
        if isinstance(answer, Problem):
            self.problems.append(answer)
            return "", "", False
        return answer

    def _alone(self) -> None:
        """Tell of a table or figure that something follows in its paragraph."""
        piece, self.instead_of_paragraph = self.instead_of_paragraph, None
        if piece is not None:
            self.problems.append(self.live.misplaced(piece))

    def _wiki(self, piece: Piece) -> None:
        try:
            target = parse_link(piece.text)
        except LinkFormError as error:
            self.link_problems.append(self._problem(error.reason, error.mend, piece))
            return
        href, title = self._follow(target, piece)
        label = target.label or title or target.default_label
        self.words.append(label)
        label_html = html.escape(label, quote=False)
        # A link inside a link is not HTML; the outer one wins.
        self.out.append(label_html if self.inside["a"] else f'<a href="{html.escape(href)}">{label_html}</a>')

    def _wrong(self, reason: str, mend: str, at: Piece | None) -> None:
        self.problems.append(self._problem(reason, mend, at))


def _place_of(name: str, attrs: Attributes, addresses: Callable[[str], list[Piece]]) -> Piece | None:
    """Where the value of an attribute stands, or where it is missing that of another of the same tag."""
    ordered = sorted(attrs, key=lambda attribute: attribute[0] != name)
    return next((piece for _, value in ordered for piece in addresses(value or "")), None)
