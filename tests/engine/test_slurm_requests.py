"""What can be known about a submission without a Slurm."""

import signal
from pathlib import Path

import pytest

from lineshaft.cli import run, spread
from lineshaft.engine import RequestError
from lineshaft.engine.launch.slurm.job import wanted_back
from lineshaft.engine.launch.slurm.settings import minutes, parameters
from lineshaft.engine.launch.slurm.submission import submit
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.queue import queued
from lineshaft.engine.run.stop import Stop
from lineshaft.engine.run.store import Folder


@pytest.mark.parametrize(
    ("text", "known"),
    [("10", 10), ("1:30:00", 90), ("0:30", 1), ("2-0", 2880), ("1-02:30", 1590), ("1-00:00:01", 1441)],
)
def test_time_is_spelled_as_slurm_spells_it(text, known):
    assert minutes(text) == known


@pytest.mark.parametrize("text", ["", "0", "1h", "-5", "1:2:3:4", "ten"])
def test_other_times_are_refused(text):
    with pytest.raises(RequestError, match=r"Slurm setting time="):
        parameters({"time": text}, 1, 1000)


def test_an_unknown_setting_names_the_known_ones():
    with pytest.raises(RequestError, match=r"unknown Slurm setting partion; did you mean partition\?"):
        parameters({"partion": "main"}, 1, 1000)
    with pytest.raises(RequestError, match="known: account, constraint, cpus"):
        parameters({"zzz": "1"}, 1, 1000)


def test_a_job_asks_for_the_threads_of_its_runs():
    assert parameters({}, 3, 1000)["cpus_per_task"] == 3
    asked = parameters({"cpus": "4", "mem": "8G", "gpus": "a100:2", "time": "2"}, 3, 1000)
    assert (asked["cpus_per_task"], asked["mem"], asked["gpus_per_node"]) == (4, "8G", "a100:2")
    assert asked["srun_args"] == ["--cpus-per-task=4"]
    assert asked["signal_delay_s"] == 30


def test_the_option_alone_submits_too(monkeypatch):
    """Never a sweep on the machine where somebody asked for Slurm: a site has defaults."""
    assert spread(["x", "--slurm", "--retry"]) == ["x", "--slurm", "", "--retry"]
    assert spread(["--slurm", "time=1", "mem=8G"]) == [
        "--slurm",
        "",
        "--slurm",
        "time=1",
        "--slurm",
        "mem=8G",
    ]
    asked = []
    monkeypatch.setattr("lineshaft.cli.slurm.slurm_sweep", lambda *given: asked.append(given[3]) or 0)
    for words in ([""], ["", "time=1", "nodelist=a,b"]):
        run.submitted([], Path("runs"), Options(), words, 1, None)
    assert asked == [{}, {"time": "1", "nodelist": "a,b"}]


def test_without_slurm_the_way_out_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RequestError, match="Slurm's sbatch is not on this machine; leave out --slurm"):
        submit([], Options(), {})


def test_without_slurm_nothing_is_queued(monkeypatch, tmp_path):
    (tmp_path / "job.json").write_text('{"job": "12"}')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert queued([Folder(tmp_path)]) == set()


def test_a_signal_reaches_the_outer_stop_and_a_file_asks_the_inner_one(tmp_path):
    outer, inner = Stop(tmp_path / "outer"), Stop(tmp_path / "inner")
    with outer.listening():
        with inner.listening():
            assert not inner.asked
            (tmp_path / "outer").touch()
            assert inner.asked
            outer.clear()
            assert not inner.asked
            signal.raise_signal(signal.SIGUSR2)
            assert inner.asked
        assert wanted_back(outer)
    assert not wanted_back(Stop())
