"""The ledger's rows on planted results: tuned on validation, paired over seeds, honest about edges."""

import json
from pathlib import Path

import pytest

from lineshaft.continual import tables
from lineshaft.continual.claims import CLAIMS
from lineshaft.continual.experiments.stream import Config
from lineshaft.continual.phases import Finetune, Frozen, Lpft, Schedule
from lineshaft.engine import Folder
from lineshaft.engine.claims import ledger
from lineshaft.engine.claims.ledger import Row
from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import finished

FT, LP = (1e-5, 1e-4, 1e-3), (1e-3, 1e-2, 1e-1)


def planted(runs: Path, schedule: Schedule, seed: int, val: float, test: float, **more: object) -> Folder:
    config = Config(schedule=schedule, seed=seed, **{**tables.CIFAR10, **more})
    metrics = {"val/knn_task": val, "test/knn_task": test, "test/knn_class": test / 2}
    metrics |= {"val/probe": val, "test/probe": test + 1, "forgetting/max": 100 - test}
    return finished(runs, config, metrics)


def grid(runs: Path, gain: float = 6.0, best_ft: float = FT[1]) -> list[Folder]:
    """Validation prefers one rate; another one would have looked better on test."""
    made = []
    for seed in range(3):
        for lr in FT:
            test = 80 + seed if lr == best_ft else 99
            made.append(planted(runs, Finetune(lr=lr), seed, val=90 if lr == best_ft else 70, test=test))
        for lr in LP:
            test = 80 + gain + seed + 0.1 * (seed == 0) if lr == LP[1] else 99
            made.append(planted(runs, Lpft(lr=lr), seed, val=95 if lr == LP[1] else 70, test=test))
    return [*made, planted(runs, Frozen(), 0, val=70, test=74)]


def row(runs: Path, place: int = 0) -> Row:
    return ledger.row(CLAIMS[place], Table.read(runs))


def test_rates_are_chosen_on_validation_and_seeds_paired(tmp_path: Path) -> None:
    grid(tmp_path)
    evidence = row(tmp_path)
    assert evidence.value == pytest.approx(6 + 0.1 / 3) and evidence.low < evidence.value < evidence.high
    assert evidence.high - evidence.low < 0.5  # pairing removed the spread of the seeds
    assert evidence.verdict == "partly" and "replay" in evidence.reason
    assert len(evidence.runs) == 6 and all("lr=0.0001" in r or "lr=0.01" in r for r in evidence.runs)
    assert "edge" not in evidence.reason and "untrained 74.0" in evidence.reason


def test_the_probe_row_reads_the_probe(tmp_path: Path) -> None:
    grid(tmp_path)
    assert row(tmp_path, 1).value == pytest.approx(row(tmp_path).value)
    assert row(tmp_path, 1).reason != row(tmp_path).reason


def test_the_probe_row_tunes_under_the_probe(tmp_path: Path) -> None:
    runs = grid(tmp_path)
    wanted = [run for run in runs if run.config()["schedule"] in (rated(Finetune, FT[2]), rated(Lpft, LP[2]))]
    for run in wanted:
        (run.dir / "result.json").write_text(json.dumps(run.result() | {"val/probe": 99}))
    assert sorted(row(tmp_path, 1).runs) == sorted(run.id for run in wanted)


def rated(schedule: type[Schedule], lr: float) -> dict:
    return schedule(lr=lr).model_dump()


def test_no_gain_is_not_reproduced_and_nearly_equal_is_enough_for_the_probe(tmp_path: Path) -> None:
    grid(tmp_path, gain=-0.5)
    assert row(tmp_path).verdict == "not reproduced" and row(tmp_path, 1).verdict == "partly"
    grid(tmp_path / "worse", gain=-2)
    assert row(tmp_path / "worse", 1).verdict == "not reproduced"


def test_a_run_of_another_time_hides_no_other(tmp_path: Path) -> None:
    runs = grid(tmp_path)
    expected = row(tmp_path)
    old = planted(tmp_path, Finetune(lr=0.5), 0, val=99, test=0)
    config = old.config()
    (old.dir / "config.json").write_text(json.dumps(config | {"dropped": 1}))
    assert row(tmp_path) == expected
    for run in runs:
        if run.config()["seed"] == 1:
            less = {key: value for key, value in run.config().items() if key != "labels"}
            (run.dir / "config.json").write_text(json.dumps(less))
    assert row(tmp_path) == expected, "a parameter added since has its default"


def test_a_rate_at_the_edge_is_reported(tmp_path: Path) -> None:
    grid(tmp_path, best_ft=FT[0])
    assert "finetune lr 1e-05 (edge of its grid)" in row(tmp_path).reason


def test_runs_of_other_settings_are_left_out(tmp_path: Path) -> None:
    grid(tmp_path)
    expected = row(tmp_path)
    for seed in range(3):
        for more in ({"labels": "shuffled"}, {"train_size": 50}, {"epochs": 50}, {"data": "digits"}):
            planted(tmp_path, Finetune(lr=1e-4), seed, val=99, test=0, **more)
        planted(tmp_path, Lpft(lr=1e-2, instead=True, probe_epochs=3), seed, val=99, test=0)
    assert row(tmp_path) == expected


def test_two_seeds_or_one_method_measure_nothing(tmp_path: Path) -> None:
    grid(tmp_path)
    runs = CLAIMS[0].query(Table.read(tmp_path))
    assert CLAIMS[0].measure(runs.where("seed<2")) is None
    assert CLAIMS[0].measure(runs.where("schedule=lpft")) is None
    assert CLAIMS[0].evidence(Table()) is None
