"""The far end of a process under limits. Run as a file, with the standard library alone until it is told."""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any


def main() -> None:
    """Take one line of JSON that says what to do, then answer each line with one."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # what libraries print is no answer
    start = json.loads(questions.readline())
    limits = start["limits"]
    sys.path[:] = start["path"]
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        module, _, name = start["task"].partition(":")
        work = getattr(importlib.import_module(module), name)(**start["setting"])
    except Exception as error:
        _say(answers, {"failed": f"{type(error).__name__}: {error}"})
        return
    _limit_memory(limits["memory"])
    _say(answers, {"answer": True})
    for line in questions:
        _limit_time(limits["seconds"])
        _say(answers, _answer(work, json.loads(line), limits["answer"]))


def _answer(work: Any, question: dict[str, Any], largest: int) -> dict[str, Any]:
    try:
        answer = work(**question)
        if len(answer if isinstance(answer, str) else json.dumps(answer)) > largest:
            return {"exceeded": "answer"}
    except MemoryError:
        return {"exceeded": "memory"}
    except BaseException as error:  # a panic of a library in Rust is no Exception
        return {"failed": str(error)[:2000] or type(error).__name__}
    return {"answer": answer}


def _say(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _limit_memory(most: int) -> None:
    """Let the process have so many bytes more than it has, where the system can do that."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        held = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + most, held + most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(seconds: int) -> None:
    """Let the process compute so many seconds more than it has; the system ends it when they are over."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        end = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (end if most < 0 else min(end, most), most))


if __name__ == "__main__":
    main()
