"""Makes the hundreds of builds of the tests cheap, and changes nothing that any of them writes."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from attention_gallery.theme.environment import ThemeEnvironment
from attention_gallery.theme.templates import TemplateInspector


@dataclass
class KnownTemplates:
    """What was compiled, by text and name, and what was found sound among which texts."""

    compiled: dict[tuple[str, str | None], Any] = field(default_factory=dict)
    sound: set[tuple[str, bool, frozenset[tuple[str, str]]]] = field(default_factory=set)


@contextmanager
def quick_builds(known: KnownTemplates) -> Iterator[None]:
    """Each template is compiled once for all builds, and none waits for the disk: nothing cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        _compile_once(patch, known.compiled)
        _inspect_once(patch, known.sound)
        yield


@contextmanager
def frozen_objects() -> Iterator[None]:
    """Builds collect garbage: not among what was imported before, which takes long and finds nothing."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def _compile_once(patch: pytest.MonkeyPatch, compiled: dict[tuple[str, str | None], Any]) -> None:
    """What a template is compiled to depends on its text and name, and tells of where it lies to nobody."""
    original = ThemeEnvironment.compile

    def compile_known(
        self: ThemeEnvironment, source: str, name: str | None = None, filename: str | None = None
    ) -> Any:
        key = source, name
        if key not in compiled:
            compiled[key] = original(self, source, name, filename)
        return compiled[key]

    patch.setattr(ThemeEnvironment, "compile", compile_known)


def _inspect_once(
    patch: pytest.MonkeyPatch, sound: set[tuple[str, bool, frozenset[tuple[str, str]]]]
) -> None:
    """A template is sound by its text and that of all others, wherever these lie; others are looked at."""
    original = TemplateInspector.inspect

    def inspect_known(self: Any, name: str) -> bool:
        if not hasattr(self, "sources"):
            self.sources = _sources(self)
        key = name, self._whole, self.sources
        if self.sources is not None and key in sound:
            return True
        is_sound = original(self, name)
        if is_sound and self.sources is not None:
            sound.add(key)
        return is_sound

    patch.setattr(TemplateInspector, "inspect", inspect_known)


def _sources(inspector: Any) -> frozenset[tuple[str, str]] | None:
    """All templates by name, None where one cannot be read."""
    loader, environment = inspector._loader, inspector._environment
    try:
        return frozenset((name, loader.get_source(environment, name)[0]) for name in inspector._names)
    except Exception:
        return None
