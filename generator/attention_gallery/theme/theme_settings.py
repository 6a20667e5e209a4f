"""What a `theme.yaml` may say, and what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from attention_gallery.errors import did_you_mean

OptionValue = str | bool | int | float
# The types that an option may have, as people read them.
KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}

_KEYS = {"name", "title", "description", "extends", "options", "styles", "scripts", "static"}
_OPTION_KEYS = {"default", "description", "css", "choices"}
_UNSAFE_CSS = re.compile(r"[;{}<>\\@]|/\*|//|url\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ThemeOption:
    """A setting that a theme offers.

    `css` names the custom property that it sets, "" for none; `choices` are the values that it may have,
    () for any.
    """

    name: str
    default: OptionValue
    description: str
    css: str
    choices: tuple[OptionValue, ...] = ()

    def refusal(self, value: OptionValue) -> tuple[str, str] | None:
        """Reason and mend where a gallery may not choose this value."""
        if not is_value_like(value, self.default):
            reason = f'the theme option "{self.name}" must be {KINDS[type(self.default)]}, not {value!r}'
            return reason, f"its default is {self.default!r}"
        if self.choices and value not in self.choices:
            known = [str(choice) for choice in self.choices]
            reason = f'the theme option "{self.name}" cannot be {value!r}'
            return reason, did_you_mean(str(value), known) or "known: " + ", ".join(known)
        if self.css and _UNSAFE_CSS.search(str(value)):
            reason = f'the theme option "{self.name}" is no plain CSS value: {value!r}'
            return reason, "write a single value, for example a colour"
        return None


def is_value_like(value: object, default: OptionValue) -> bool:
    """Whether a value is of the type of an option's default; a whole number is a number, too."""
    # `isinstance` would take true for a whole number.
    return type(value) is type(default) or (type(value) is int and type(default) is float)


def wrong_settings(value: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Key, reason and mend of each setting that is unknown or of a wrong type."""
    for key in sorted(value.keys() - _KEYS):
        yield (key,), f'unknown setting "{key}"', did_you_mean(key, _KEYS)
    for key in ("styles", "scripts", "static"):
        names = value.get(key, ())
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            yield (key,), f'"{key}" must be a list of file names', ""
    for key in ("name", "title", "description", "extends"):
        if not isinstance(value.get(key, ""), str | None):
            yield (key,), f'"{key}" must be text', ""
    options = value.get("options", {})
    if not isinstance(options, dict):
        yield ("options",), '"options" must be a mapping from names to defaults', ""
        return
    for name, option in options.items():
        if (wrong := _wrong_option(name, option)) is not None:
            yield ("options", name), *wrong


def _wrong_option(name: str, option: Any) -> tuple[str, str] | None:
    if not isinstance(option, dict) or "default" not in option or set(option) - _OPTION_KEYS:
        reason = f'the option "{name}" needs `default:` and may have `description:`, `choices:` and `css:`'
        return reason, ""
    if type(option["default"]) not in KINDS:
        reason = f'the default of the option "{name}" is not text, a number, true or false'
        return reason, "put dates and the like in quotation marks"
    if not all(isinstance(option.get(key, ""), str) for key in ("description", "css")):
        return f'`description:` and `css:` of the option "{name}" must be text', ""
    return _wrong_choices(name, option)


def _wrong_choices(name: str, option: dict[str, Any]) -> tuple[str, str] | None:
    if "choices" not in option:
        return None
    default, choices = option["default"], option["choices"]
    if not isinstance(choices, tuple) or not choices:
        return f'`choices:` of the option "{name}" must be a list of values', ""
    for choice in choices:
        if not is_value_like(choice, default):
            reason = f'every choice of the option "{name}" must be {KINDS[type(default)]}, like its default'
            return reason, "put yes, no, on, off and dates in quotation marks where text is meant"
    if default not in choices:
        return f'the default of the option "{name}" is none of its `choices:`', "list it there, too"
    return None
