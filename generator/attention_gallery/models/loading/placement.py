"""Which device a model runs on, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch

from attention_gallery.manifest.settings import CaptureSettings
from attention_gallery.models.sources.resolved import ResolvedModel

Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where to put a model.

    `device` "auto" takes a GPU where there is one. `spread` lets accelerate divide a model that is larger
    than one device among all that there are, the processor's memory included; `device` then has no say.
    `threads` is how many threads of the processor an operation takes: never what the machine happens to have,
    since how sums are divided among them decides about their last bits.
    """

    device: Device = "auto"
    spread: bool = False
    threads: int = CaptureSettings().threads

    def place(self, model: Any, resolved: ResolvedModel) -> None:
        """Move a loaded model. Raises `ModelError` when the device is not there or too small."""
        if self.spread:
            return
        device = self._chosen(resolved)
        try:
            model.to(device)
        except torch.OutOfMemoryError as error:
            reason = f'the model "{resolved.source}" is too large for the device "{device}"'
            mend = "add `device_map: auto` to divide it among devices, or write `device: cpu`"
            raise resolved.error(reason, mend) from error

    def _chosen(self, resolved: ResolvedModel) -> str:
        present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if self.device == "auto":
            return next(name for name in ("cuda", "mps", "cpu") if present[name])
        if not present[self.device]:
            there = ", ".join(name for name, here in present.items() if here)
            reason = f'the device "{self.device}" is not there, or this torch was built without it'
            raise resolved.error(reason, f"this machine has: {there}; `device: auto` takes the best of them")
        return self.device


@contextmanager
def running_on(threads: int) -> Iterator[None]:
    """Let torch use so many threads of the processor, and afterwards as many as before."""
    before = torch.get_num_threads()
    # Also where it is the same number: a number that was set binds the libraries below torch, a guess does
    # not.
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


BEST = Placement()
