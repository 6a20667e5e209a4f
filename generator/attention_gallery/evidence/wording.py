"""Numbers and names as readers see them, always from the stored values and never from a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable

from attention_gallery.figures.describe import decimal
from attention_gallery.manifest.blocks.word_spans import occurrences
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.records import AttentionKind, Provenance
from attention_gallery.texts.words import Span

UNDEFINED = "–"
# Differences below this read as 0.000 or 0.001 with the three decimals of a weight.
TINY_DIFFERENCE = 0.0015


def share(value: float) -> str:
    """A weight or share of 1 with two decimals; small but not zero is "< 0.01"."""
    return UNDEFINED if math.isnan(value) else decimal(value)


def hundredths(value: float) -> str:
    """A share of 1 in percent with one decimal: `50.8 %`."""
    return f"{100 * value:.1f}\u00a0%"


def points(value: float) -> str:
    """A difference of two shares in points, with its sign: `+12.5`, `−3.0`."""
    text = f"{100 * value:+.1f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def weight(value: float) -> str:
    """A weight with three decimals, for tables where weights are compared."""
    return "< 0.001" if 0.0 < value < 0.0005 else f"{value:.3f}"


def small_number(value: float) -> str:
    """A number of at most 1 with two significant digits and no exponent: `0.0012`, `0.00003`."""
    if value == 0:
        return "0"
    decimals = 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


def difference(value: float) -> str:
    """A difference of two weights with its sign: three decimals, more where these would say nothing."""
    tiny = 0 < abs(value) < TINY_DIFFERENCE
    text = f"{'+' if value > 0 else ''}{small_number(value)}" if tiny else f"{value:+.3f}"
    # A minus sign is as wide as the plus above it.
    return text.replace("-", "−")


def estimate(value: float, error: float, decimals: int = 3) -> str:
    """A number that was estimated, to the first digit of its standard error, and that error: `0.4 ± 0.2`.

    Where the error is below what `decimals` show, the number alone.
    """
    if math.isnan(value):
        return UNDEFINED
    if not error >= 0.5 * 0.1**decimals:
        return weight(value) if decimals == 3 else share(value)
    digits = max(0, -int(f"{error:.0e}".partition("e")[2]))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def measure(value: float, unit: str) -> str:
    """A measure in its unit: distances with one decimal, shares with two."""
    return f"{value:.1f}" if unit == "tokens" and not math.isnan(value) else share(value)


def far_pairs(kind: AttentionKind) -> str:
    """Which pairs of words tell most of a head without a type."""
    return "words" if kind == "cross" else "words two or more apart"


def fine(value: float, unit: str) -> str:
    """A measure where heads are compared: shares with three decimals, distances with two."""
    if math.isnan(value):
        return UNDEFINED
    return f"{value:.2f}" if unit == "tokens" else weight(value)


def spread(mean: float, deviation: float, unit: str) -> str:
    """A mean with its standard deviation: `0.07 ± 0.03`; a small deviation with the digit that tells it."""
    return with_deviation(measure(mean, unit), deviation, unit)


def with_deviation(mean: str, deviation: float, unit: str) -> str:
    """A mean, as text, with its standard deviation as in `spread`."""
    # It would read as 0, which no measured spread is.
    if deviation < 5e-5:
        return mean
    digits = 1 if unit == "tokens" else 2
    text = f"{deviation:.{digits}f}"
    return f"{mean} ± {text if deviation >= 0.1**digits else f'{deviation:.1g}'}"


def stored_weights(origin: Provenance) -> str:
    """The weights that all numbers of a gallery come from, with what they lost when they were stored."""
    if not origin.storage_error:
        return f"the weights as they are stored, just as the model computed them ({origin.precision})"
    # Rounded up, so that no weight is farther off than is said.
    least = math.ceil(origin.storage_error * 1e5 - 1e-9) / 1e5
    rounded = f"{origin.precision}, within {least:.5f} of what the model computed"
    return f"the weights as they are stored ({rounded})"


def count(number: int, noun: str) -> str:
    """`1 token`, `2 tokens`, `1,024 heads`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def length(tokens: int, keys: int, crossing: bool) -> str:
    """How much a model reads: `9 tokens`; in cross attention how many look at how many."""
    if not crossing:
        return count(tokens, "token")
    return f"{count(tokens, 'target token')} looking at {count(keys, 'source token')}"


def million(number: int) -> str:
    """A number of parameters: `22.7 million`."""
    if number >= 1_000_000_000:
        return f"{number / 1e9:.2f} billion"
    return f"{number / 1e6:.1f} million" if number >= 1_000_000 else f"{number:,}"


def side(text: str, word: str | Span) -> str:
    """One side of a relation as readers see it: the word, cut from the text where a place was given."""
    return word if isinstance(word, str) else text[slice(*word)].strip()


def shortened(text: str, longest: int = 160) -> str:
    """The beginning of a text, cut at a word's end."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    cut = text[:longest]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"


def uncapitalised(title: str) -> str:
    """A title as it stands inside a sentence."""
    return title[0].lower() + title[1:]


def listed(items: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    names = list(items)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""


def focus_token(
    sentence: SentenceSpec, offsets: list[list[int]] | None, special: list[bool], causal: bool
) -> int:
    """The token that is selected when a page opens.

    The first token of the sentence's `focus` word, where it is read. Without one, the first that is not
    special; in a causal model, where that sees only itself, the last. `offsets` are None for tokens of
    another text than the sentence's.
    """
    if sentence.focus is not None and offsets is not None:
        for start, _ in occurrences(sentence.joined, sentence.focus):
            for index, (begin, end) in enumerate(offsets):
                if begin <= start < end and not special[index]:
                    return index
    words = [index for index, is_special in enumerate(special) if not is_special] or [0]
    return words[-1] if causal else words[0]
