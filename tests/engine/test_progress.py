"""What is shown while runs go on: it fits the terminal, comes now and then, outlives the terminal."""

import io
import json
import os
import signal
from types import SimpleNamespace

import pytest

from lineshaft.cli.board import Board, explained
from lineshaft.engine.run import progress
from lineshaft.engine.run.progress import Progress, fitting
from lineshaft.engine.run.stop import Stop


class Terminal(io.StringIO):
    """A terminal of some columns; once closed it takes nothing more."""

    gone = False

    def fileno(self) -> int:
        return 77

    def write(self, text: str) -> int:
        if self.gone:
            raise OSError(5, "Input/output error")
        return super().write(text)


@pytest.fixture(params=[20, 80])
def terminal(request, monkeypatch) -> Terminal:
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((request.param, 24)))
    found = Terminal()
    found.columns = request.param
    return found


def test_a_line_never_wraps(terminal, tmp_path):
    shown = Progress(tmp_path / "progress.json", terminal)
    shown.shown = float("-inf")
    for _ in shown.track(range(1), "a loop with a very long name " * 5):
        pass
    line = terminal.getvalue().removeprefix("\r\x1b[K")
    assert len(line) == terminal.columns - 1 and line.endswith("…")
    assert fitting("short", terminal) == "short"


def test_a_terminal_that_was_closed_ends_no_run(terminal, tmp_path):
    shown = Progress(tmp_path / "progress.json", terminal)
    terminal.gone, shown.shown = True, float("-inf")
    assert list(shown.track(range(3), "steps")) == [0, 1, 2]
    shown.clear()
    assert shown.terminal is None


def test_a_run_without_a_terminal_and_without_a_loop_says_now_and_then_how_far_it_is(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(progress, "LOG_EVERY", 0.0)
    shown = Progress(tmp_path / "progress.json", None)
    for step in range(3):
        shown.shown = float("-inf")
        shown.beat(step, {"loss": 0.123456})
    assert capsys.readouterr().err.splitlines()[-1] == "step 2: loss 0.1235".replace(":", "")
    assert json.loads((tmp_path / "progress.json").read_text()) == {"text": "step 2 loss 0.1235"}
    shown.beat(3, {"loss": 0.1})
    assert "step 3" not in (tmp_path / "progress.json").read_text(), "not at every step"


def launcher(word, running: int = 2):
    return SimpleNamespace(word=word, running=[None] * running, changes={})


def test_an_interrupt_is_explained_once_and_a_second_one_again(capsys):
    board = Board()
    for word in (None, signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        board.show(launcher(word))
    first, second = capsys.readouterr().err.splitlines()
    assert first == explained(launcher(signal.SIGTERM))
    assert "2 runs will save and end, the same command goes on later; Ctrl-C again kills them" in first
    assert second == "killed 2 runs: the same command goes on from where they last saved"
    assert "1 run will" in explained(launcher(signal.SIGTERM, 1))


def test_a_closed_terminal_asks_a_run_to_save_unless_it_is_to_be_ignored(tmp_path):
    stop = Stop(tmp_path / "stop")
    with stop.listening():
        signal.raise_signal(signal.SIGHUP)
        assert stop.asked
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = Stop(tmp_path / "stop")
        with stop.listening():
            signal.raise_signal(signal.SIGHUP)
            assert not stop.asked
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
