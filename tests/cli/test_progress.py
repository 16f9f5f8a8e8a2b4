"""Progress on a terminal, which foreign names must neither break nor rule."""

from __future__ import annotations

import contextlib
import io

import pytest

from staplecfg.cli.output.progress import progress


class Terminal(io.StringIO):
    """Standard error as a terminal would be."""

    def isatty(self) -> bool:
        return True


NAMES = [
    "/etc/ssl/[/bold]x.pem",
    "[red]",
    "[link=file:///etc]x",
    "\x1b]0;owned\x07",
    "a\nb",
    "\udcff",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_are_shown_and_not_obeyed(name):
    terminal = Terminal()

    with contextlib.redirect_stderr(terminal), progress(3, "asking responders") as advance:
        advance(name)
        advance(name)

    assert "\x1b]" not in terminal.getvalue()
    assert "\x07" not in terminal.getvalue()


@pytest.mark.parametrize(("stream", "total"), [(io.StringIO, 9), (Terminal, 1), (Terminal, 0)])
def test_nothing_is_shown_without_a_terminal_or_for_little_work(stream, total):
    with contextlib.redirect_stderr(stream()) as stderr, progress(total, "asking") as advance:
        advance("shop.pem")

    assert stderr.getvalue() == ""
