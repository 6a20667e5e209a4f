"""Progress as plain lines and as a bar."""

from __future__ import annotations

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from attention_gallery.cli import terminal_text
from attention_gallery.cli.bar import Bars
from attention_gallery.cli.terminal import PlainReporter, TerminalReporter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_lines_are_at_least_two_seconds_apart(capsys):
    clock = Clock()
    reporter = PlainReporter(clock=clock)
    with reporter.task("Capturing", 10) as task:
        for number in range(10):
            task.advance(1 if number else 0, doing=f"sentence {number}")
            clock.now += 0.5
        task.advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "Capturing 1/10: sentence 0",
        "Capturing 5/10: sentence 4 (about 3 s left)",
        "Capturing 9/10: sentence 8 (about 1 s left)",
        "Capturing: 10 done in 5.00 s",
    ]


def test_what_was_left_undone_is_not_counted(capsys):
    for reporter in (PlainReporter(), TerminalReporter()):
        with reporter.task("Capturing", 3) as task:
            task.advance(2)
        assert "Capturing: 2 done in" in capsys.readouterr().err


def test_a_task_without_steps_says_nothing(capsys):
    with PlainReporter().task("Capturing", 0):
        pass
    assert capsys.readouterr().err == ""


def test_a_task_that_fails_does_not_say_that_it_is_done(capsys):
    def fail() -> None:
        with PlainReporter().task("Capturing", 3) as task:
            task.advance(0, doing="first")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert "done" not in capsys.readouterr().err


def test_the_bar_shows_the_work_and_prints_messages_above():
    screen = io.StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=100, markup=False, highlight=False))
    with bars.bar("Capturing", 4) as task:
        task.advance(0, doing="[bold]tired-cat[/bold]")
        task.advance(3)
        time.sleep(0.3)  # it is drawn ten times a second
        bars.print_above("a [red]message[/red]")
        assert bars.shown
    assert not bars.shown
    shown = screen.getvalue()
    assert "Capturing" in shown
    assert "[bold]tired-cat[/bold]" in shown  # data is not read as markup
    assert "a [red]message[/red]" in shown


def test_tasks_may_be_nested(capsys):
    reporter = TerminalReporter()
    with reporter.task("outer", 2) as outer, reporter.task("inner", 2) as inner:
        inner.advance(2)
        outer.advance(2)
    assert "outer: 2 done" in capsys.readouterr().err


def test_a_quiet_terminal_has_no_bar(capsys):
    with TerminalReporter(-1).task("Capturing", 4) as task:
        task.advance(4, doing="it")
    assert capsys.readouterr().err == ""


@given(st.text())
def test_plain_text_cannot_steer_a_terminal(text):
    shown = terminal_text.plain(text)
    assert len(shown) == len(text)
    assert all(mark in "\n\t" or mark >= " " for mark in shown)
    assert not any("\x7f" <= mark <= "\x9f" or mark in "\u202a\u202e\u2066" for mark in shown)


@given(st.text(), st.integers(2, 80))
def test_one_line_is_one_line_of_bounded_width(text, width):
    shown = terminal_text.one_line(text, width)
    assert len(shown) <= width
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (12_400_000, "12.4 MB"),
        (3e12, "3000.0 GB"),
    ],
)
def test_sizes(count, said):
    assert terminal_text.size(int(count)) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.123, "0.12 s"), (34.14, "34.1 s"), (59.96, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations(seconds, said):
    assert terminal_text.duration(seconds) == said
