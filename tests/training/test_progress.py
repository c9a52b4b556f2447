"""What is said while long work goes on."""

import io
import sys

import pytest

from apical.training.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with Progress(2) as progress:
        progress.advance("epoch 1")
        progress.announce("judging")
    assert "judging" in stream.getvalue()


def test_elsewhere_the_last_line_is_printed_and_says_how_much_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(2) as progress:
        progress.advance("epoch 1")
        progress.announce("judging")
        progress.advance("epoch 2")
    assert capsys.readouterr().err == "epoch 2  2/2, 0:00:00 left\n"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_quiet_prints_nothing(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(1, quiet=True) as progress:
        progress.announce("judging")
        progress.advance("epoch 1")
    assert stream.getvalue() == ""
