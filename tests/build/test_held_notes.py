"""Notes held to the attention: in every build, in `check`, and after a change of what they are about."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from attention_gallery.analysis import KINDS
from attention_gallery.analysis.measures.head_types import decide_types
from attention_gallery.build import BuildOptions, check
from attention_gallery.errors import NoteError, UserError
from attention_gallery.progress import SilentReporter
from sample_gallery import Sample

HELD = """---
title: Held
claims:
  - {{from: it, to: cat, at_least: {least}}}
  - {{head: models/enc/L0H0, measure: self, at_least: 0}}
---
It is {{{{ weight("it", "cat", decimals=4) }}}}, over all {{{{ measure("models/enc/L0H0", "self") }}}}.
"""


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    made = Sample.make(tmp_path / "project")
    made.note("enc/cat/L1H0.md", HELD.format(least=0))
    return made


def number(sample: Sample, route: str = "enc/cat/l01h00/") -> str:
    found = re.search(
        r'It is <data class="live" value="[^"]+" title="[^"]+">([^<]+)</data>', sample.page(route)
    )
    assert found is not None
    return found[1]


def test_a_claim_that_holds_is_shown_with_what_is_true(sample: Sample) -> None:
    report = sample.build(strict=True)
    assert report.warnings == ()
    page = sample.page("enc/cat/l01h00/")
    assert "“it” → “cat” in L1H0 of Encoder on “The tired cat” (../../../enc/cat/l01h00/)" in page
    assert "claimed at least 0, true" in page
    assert "self mass of L0H0 of Encoder over every sentence (../../../models/enc/l00h00/)" in page


def test_a_claim_that_fails_is_a_warning_that_fails_a_strict_build(sample: Sample) -> None:
    sample.note("enc/cat/L1H0.md", HELD.format(least=0.9999))
    for _ in range(2):  # a build with nothing to do says it again
        (warning,) = sample.build().warnings
        assert warning.startswith(
            "content/enc/cat/L1H0.md:4:35: the claim does not hold: “it” → “cat” in L1H0 of Encoder on "
        )
        assert f"is {float(number(sample)):.2f}, and should be at least 0.9999" in warning
    assert "claimed at least 0.9999, false" in sample.page("enc/cat/l01h00/")
    before = sample.tree()
    with pytest.raises(UserError, match="the claim does not hold"):
        sample.build(strict=True)
    assert sample.tree() == before


def test_numbers_and_claims_follow_the_text(sample: Sample) -> None:
    sample.build()
    first = number(sample)
    sample.sentence("cat")["text"] = "The cat slept because it was tired"
    sample.build()
    assert number(sample) != first
    clean = sample.copy(sample.root.parent / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


def test_a_note_over_every_sentence_follows_each_of_them(sample: Sample) -> None:
    sample.build()
    before = sample.page("enc/cat/l01h00/")
    sample.sentence("river")["text"] = "No river"
    sample.build()
    assert sample.page("enc/cat/l01h00/") != before
    clean = sample.copy(sample.root.parent / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


def test_mistakes_in_live_values_and_claims_are_told_together(sample: Sample) -> None:
    sample.note(
        "enc/cat/L1H0.md", HELD.format(least=0).replace('"cat"', '"cta"').replace("to: cat", "to: cow")
    )
    sample.note("sentences/cat.md", '{{ measure("enc/L7H0", "self") }} {{ count("enc/cat", "broadd") }}\n')
    with pytest.raises(NoteError) as caught:
        sample.build()
    told = [(one.file.name if one.file else "", one.line, one.reason) for one in caught.value.problems]
    assert told == [
        ("L1H0.md", 4, 'there is no token "cow" in the text'),
        ("L1H0.md", 7, 'there is no token "cta" in the text'),
        ("cat.md", 1, 'the model "enc" has no head L7H0'),
        ("cat.md", 1, 'there is no type of head "broadd"'),
    ]
    assert not sample.site.exists()


def test_check_holds_claims_to_what_was_captured(sample: Sample) -> None:
    sample.note("enc/cat/L1H0.md", HELD.format(least=0.9999))
    sample.save()
    assert check(sample.manifest, BuildOptions(), SilentReporter()).warnings == ()
    sample.build()
    kept = set(sample.cache.rglob("*"))
    (warning,) = check(sample.manifest, BuildOptions(), SilentReporter()).warnings
    assert "the claim does not hold" in warning
    sample.note("enc/cat/L1H0.md", HELD.format(least=0.9999).replace('"cat"', '"cta"'))
    with pytest.raises(NoteError, match='no token "cta"'):
        check(sample.manifest, BuildOptions(), SilentReporter())
    sample.settings["analysis"] = {"window": 2}  # of which no analysis was kept
    sample.note("enc/cat/L1H0.md", HELD.format(least=0))
    sample.save()
    check(sample.manifest, BuildOptions(), SilentReporter())
    assert set(sample.cache.rglob("*")) == kept


def test_check_passes_over_what_was_not_captured_yet(sample: Sample) -> None:
    sample.build()
    sample.settings["sentences"].append({"slug": "new", "title": "New", "text": "it and cat"})
    sample.note(
        "enc/new/L1H0.md", "---\nclaims:\n  - {from: it, to: cow, at_least: 2}\n---\n{{ figure() }}\n"
    )
    sample.save()
    check(sample.manifest, BuildOptions(), SilentReporter())
    sample.note("enc/new/L1H0.md", "{{ figre() }}\n")
    with pytest.raises(NoteError, match='no live value "figre"'):
        check(sample.manifest, BuildOptions(), SilentReporter())


def mentioned(sample: Sample, route: str) -> set[str]:
    return set(re.findall(r"mentioned in <a [^>]+>([^<]+)</a>", sample.page(route)))


def test_pages_lead_back_to_the_notes_that_speak_of_them(sample: Sample) -> None:
    sample.note("notes/linked.md", "# Linked\n\n[[enc/cat/L1H0]] and [[dec/cat#head=L0H2&token=1]]\n")
    sample.note("notes/valued.md", '# Valued\n\n{{ weight("enc/cat/L0H1", "it", "cat") }}\n')
    sample.note(
        "notes/claimed.md",
        "---\ntitle: Claimed\nclaims:\n  - {head: models/enc/L1H0, measure: self, at_least: 0}\n---\n",
    )
    sample.build()
    assert mentioned(sample, "enc/cat/l01h00/") == {"Linked"}  # and not the note that is shown there
    assert mentioned(sample, "dec/cat/l00h02/") == {"Linked"}
    assert mentioned(sample, "enc/cat/l00h01/") == {"Valued", "Welcome"}
    assert mentioned(sample, "enc/river/l01h00/") == set()
    assert mentioned(sample, "models/enc/l01h00/") == {"Linked", "Claimed", "Held"}
    assert mentioned(sample, "models/enc/l00h00/") == {"Held"}
    assert mentioned(sample, "enc/cat/") == {"Linked", "Valued", "Held", "Welcome"}
    assert 'mentioned in <a href="../../../notes/valued/">Valued</a>' in sample.page("enc/cat/l00h01/")


def test_a_mention_makes_the_pages_that_it_names_and_no_others(sample: Sample) -> None:
    sample.build()
    before = sample.stamps()
    sample.note("notes/first.md", "# First\n\nA note with [[dec]] and [[enc/river/L0H1]].\n")
    sample.build()
    after = sample.stamps()
    made = {name for name, stamp in after.items() if before.get(name) != stamp} - {".attention-gallery"}
    routes = ("notes/first", "enc/river/l00h01", "models/enc/l00h01", "enc/river")
    # The head is in the picture of the pair as well, and an example on the home page.
    assert made == {*(f"{route}/index.html" for route in routes), "index.html", "enc/river/thumbnail.png"}


def test_a_head_of_two_types_is_of_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*given: object) -> tuple[np.ndarray, np.ndarray]:
        first, second = decide_types(*given)  # type: ignore[arg-type]
        names = [kind.name for kind in KINDS]
        return np.full_like(first, names.index("self")), np.full_like(second, names.index("first-token"))

    monkeypatch.setattr("attention_gallery.analysis.measures.across.decide_types", both)
    claims = "".join(
        f"  - {{head: models/dec/L0H0, type: {name}}}\n" for name in ("self", "first-token", "mixed")
    )
    text = f'---\nclaims:\n{claims}---\nA {{{{ type("models/dec/L0H0") }}}}.\n'
    sample = Sample.make(tmp_path, notes={"about.md": text})
    warnings = sample.build().warnings
    assert len(warnings) == 1, warnings
    assert "is self head, also first-token sink, and should be mixed head" in warnings[0]
    assert "A <span" in sample.page("about")
    assert "self head, also first-token sink" in sample.page("about")
