"""The near end of a process under limits: starts it, asks it, and says which limit it ran into."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from attention_gallery.user_files import MB, in_words

_CHILD = Path(__file__).with_name("child.py")
_LONGEST_WAIT = 120.0  # seconds; for what neither computes nor ends, and where time cannot be limited


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may cost: seconds of computing, and bytes of memory and of the answer.

    The memory is that beyond what the process has when it is ready. Where the system cannot limit it (macOS,
    Windows), the time and the answer still are.
    """

    seconds: int = 10
    memory: int = 1024 * MB
    answer: int = 32 * MB


class LimitsExceededError(Exception):
    """A question that would cost more than it may. The argument says what, for people."""


class TaskFailedError(Exception):
    """What the task itself raised. The argument is its text."""


class LimitedProcess:
    """A process that answers questions one after the other; started when it is first asked.

    It is a fresh interpreter, as a copy of one in which torch's threads run could hang. It ends with this
    object, and after it ran into a limit is started anew.
    """

    def __init__(self, task: str, limits: Limits = Limits(), **setting: Any) -> None:
        """`task` is `module:name` of a function that takes `setting` and gives one that takes a question.

        What it is given and gives must be JSON.
        """
        self._task = task
        self._limits = limits
        self._setting = setting
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[bytes] = queue.Queue()

    def ask(self, **question: Any) -> Any:
        """The answer. Raises `LimitsExceededError`, or `TaskFailedError` with what the task raised."""
        process = self._started()
        answer = self._exchange(process, question)
        if answer is None or "exceeded" in answer:
            self.close()
            why = answer["exceeded"] if answer is not None else _cause(process.returncode)
            raise LimitsExceededError(self._limit_in_words(why))
        if "failed" in answer:
            raise TaskFailedError(answer["failed"])
        return answer["answer"]

    def close(self) -> None:
        """End the process; it is started again when it is asked again."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._answers = queue.Queue()
        assert process.stdout is not None
        threading.Thread(target=_listen, args=(process.stdout, self._answers), daemon=True).start()
        weakref.finalize(self, _end, process)
        self._process = process
        start = {"path": sys.path, "task": self._task, "limits": asdict(self._limits)}
        ready = self._exchange(process, {**start, "setting": self._setting})
        if ready is None or "answer" not in ready:
            self.close()
            raise TaskFailedError((ready or {}).get("failed", "the process that works under limits ended"))
        return process

    def _exchange(self, process: subprocess.Popen[bytes], message: dict[str, Any]) -> dict[str, Any] | None:
        """What the process says to a message; None where it ended or was ended."""
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            line = self._answers.get(timeout=_LONGEST_WAIT)
        except (OSError, queue.Empty):
            line = b""
        if not line.endswith(b"\n"):
            process.kill()
            process.wait()
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _limit_in_words(self, why: str) -> str:
        limits = self._limits
        return {
            "memory": f"it needs more than {in_words(limits.memory)} of memory",
            "answer": f"it makes more than {in_words(limits.answer)} of it",
        }.get(why, f"it takes more than {limits.seconds} seconds of computing")


def _cause(code: int | None) -> str:
    # A library that is refused memory ends the process; the system does so when the time is used up.
    return "memory" if code in (-signal.SIGABRT, -getattr(signal, "SIGSEGV", 11)) else "time"


def _listen(stream: IO[bytes], answers: queue.Queue[bytes]) -> None:
    with stream:
        for line in stream:
            answers.put(line)
    answers.put(b"")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
