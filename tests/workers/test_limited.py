"""A process under limits answers, says what it ran into, and is there again afterwards."""

from __future__ import annotations

import gc
import os
import sys
import time

import pytest

from attention_gallery.user_files import MB
from attention_gallery.workers import LimitedProcess, Limits, LimitsExceededError, TaskFailedError, limited

SMALL = Limits(seconds=1, memory=200 * MB, answer=1000)


def asked(**setting: str) -> LimitedProcess:
    return LimitedProcess("tasks_of_tests:echo", SMALL, **(setting or {"greeting": "hello "}))


def test_it_answers_one_question_after_the_other_in_one_process():
    process = asked(greeting="grüß ")
    assert process.ask(text="dich\ud800\n") == "grüß dich\ud800\n"
    assert process.ask(do="print") == "grüß "
    first = process.ask(do="pid")
    assert process.ask(do="pid") == first
    assert first != os.getpid()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"do": "spin"}, "more than 1 seconds of computing"),
        ({"do": "hold"}, "more than 200 MB of memory"),
        ({"do": "abort"}, "more than 200 MB of memory"),
        ({"do": "flood", "text": "1001"}, "more than 1000 bytes of it"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory hold on Linux")
def test_each_limit_is_told_and_the_next_question_is_answered(question, words):
    process = asked()
    with pytest.raises(LimitsExceededError, match=words):
        process.ask(**question)
    assert process.ask(text="again") == "hello again"
    assert len(process.ask(do="flood", text="1000")) == 1000


def test_what_a_task_raises_is_told():
    process = asked()
    with pytest.raises(TaskFailedError, match="no such thing"):
        process.ask(do="raise")
    with pytest.raises(TaskFailedError):
        process.ask(do="exit")
    with pytest.raises(TaskFailedError, match="not today"):
        LimitedProcess("tasks_of_tests:broken").ask()
    with pytest.raises(TaskFailedError, match="ModuleNotFoundError"):
        LimitedProcess("no_such_module:x").ask()


def test_it_ends_with_its_owner_and_is_not_started_unasked(monkeypatch):
    process = asked()
    process.close()
    number = process.ask(do="pid")
    os.kill(number, 0)
    del process
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_time_counts_by_what_is_computed_for_one_question():
    process = asked()
    for _ in range(4):
        started = time.process_time()
        process.ask(text="x" * 900)
        assert time.process_time() - started < 60
    assert process.ask() == "hello "


def test_what_never_answers_is_ended(monkeypatch):
    monkeypatch.setattr(limited, "_LONGEST_WAIT", 0.0)
    with pytest.raises((LimitsExceededError, TaskFailedError)):
        asked().ask(do="spin")
