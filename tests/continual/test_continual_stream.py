"""The experiment: its metrics, its controls, and the same metrics after any interruption."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from lineshaft.continual import claims, tables
from lineshaft.continual.experiments.stream import Config, figures
from lineshaft.continual.phases import Finetune, Frozen, Lpft
from lineshaft.engine import Folder, Options, Run
from lineshaft.engine.run.execute import execute
from lineshaft.engine.spec.config import Parent, as_json
from lineshaft.engine.spec.names import name
from lineshaft.engine.table.table import Table

SHORT = Config(epochs=2, schedule=Lpft(probe_epochs=2), train_size=30)
STEPS = 5 * (2 + 2 + 1)


def done(config: Config, runs: Path) -> Folder:
    folder, state = execute("continual.stream", config, runs, Options(device="cpu"))
    assert state == "done", folder.error()
    return folder


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return done(Config(), tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return done(SHORT, tmp_path_factory.mktemp("runs"))


def test_the_default_run_keeps_its_tasks_apart(default: Folder) -> None:
    found = default.result()
    assert found["test/knn_task"] > 95 and found["test/probe"] > 97 and found["test/knn_class"] > 65
    assert found["transfer/backward"] == -found["forgetting/diag"] and found["forgetting/max"] < 5


def test_the_saved_matrices_give_the_metrics_again(default: Folder) -> None:
    accuracy = default.array("accuracy/test_knn_task")
    assert accuracy.shape == (5, 5) and accuracy[-1].mean() == default.result()["test/knn_task"]
    assert default.array("accuracy/test_probe")[-1].mean() == default.result()["test/probe"]
    curve = default.array("accuracy/test_knn_class")
    assert curve[-1] == default.result()["test/knn_class"] and curve[0] == accuracy[0, 0]


def test_every_epoch_and_every_task_is_logged(short: Folder) -> None:
    rows = short.metrics()
    assert [row["step"] for row in rows] == list(range(STEPS))
    assert sum("train/loss" in row for row in rows) == 20 and sum("val/knn_task" in row for row in rows) == 5


def test_a_high_rate_forgets_and_shows_it_in_both_definitions(tmp_path: Path) -> None:
    found = done(Config(schedule=Finetune(lr=0.03)), tmp_path).result()
    assert found["forgetting/max"] >= found["forgetting/diag"] > 8 and found["test/knn_class"] < 60


def test_an_untrained_network_never_changes(tmp_path: Path) -> None:
    folder = done(Config(schedule=Frozen()), tmp_path)
    accuracy = folder.array("accuracy/test_knn_task")
    assert (accuracy == accuracy[0]).all() and folder.result()["forgetting/max"] == 0


def test_shuffled_labels_leave_nothing_to_learn(tmp_path: Path) -> None:
    """Two classes told apart by chance cost log 2 = .69, unless they are learned by heart."""
    last = []
    for labels in ("true", "shuffled"):
        folder = done(Config(labels=labels, schedule=Finetune(lr=0.01), epochs=10), tmp_path)
        last.append([row["train/loss"] for row in folder.metrics() if "train/loss" in row][9])
    assert last[0] < 0.1 and last[1] > 0.6


@pytest.mark.parametrize("cut", [0, 2, 4, 6, 8, 23], ids=lambda step: f"after step {step}")
def test_an_interrupted_run_ends_with_the_same_metrics(
    cut: int, short: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cuts within probing, within fine-tuning, after an evaluation, before the last one."""
    log = Run.log

    def stop_there(run: Run, step: int, *args: object, **more: float) -> None:
        log(run, step, *args, **more)
        if step == cut:
            (run.dir / "stop").touch()

    monkeypatch.setattr(Run, "log", stop_there)
    folder, state = execute("continual.stream", SHORT, tmp_path, Options(device="cpu"))
    assert state == "paused" and len(folder.metrics()) == cut + 1
    monkeypatch.setattr(Run, "log", log)
    again = done(SHORT, tmp_path)
    assert again.result() == short.result() and again.metrics() == short.metrics()


def test_a_relaunched_run_starts_from_the_weights_of_its_parent(short: Folder) -> None:
    parent = Parent(experiment="continual.stream", config=as_json(SHORT))
    config = Config(train_size=30, schedule=Frozen(), seed=7, data_seed=0, parent=parent)
    child = done(config, short.dir.parent.parent)
    assert child.result()["test/knn_task"] == short.result()["test/knn_task"]


def test_the_seed_of_the_data_can_be_set_apart(tmp_path: Path) -> None:
    schedule = Frozen()
    same_data, both = (
        done(Config(schedule=schedule, train_size=30, seed=1, **more), tmp_path)
        for more in ({"data_seed": 0}, {})
    )
    assert same_data.result() != both.result()


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": "imagenet"},
        {"epochs": 0},
        {"schedule": {"name": "lpft", "lr": -1}},
        {"schedule": {"name": "frozen", "lr": 1}},
        {"train_size": 1},
    ],
)
def test_impossible_values_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        Config(**wrong)


def test_probing_must_leave_epochs_for_tuning() -> None:
    with pytest.raises(ValidationError, match="probe_epochs=5 out of epochs=5"):
        Config(epochs=5, schedule=Lpft(probe_epochs=5, instead=True))


def test_pictures_are_drawn_from_the_arrays(default: Folder, tmp_path: Path) -> None:
    drawn = list(figures(default.dir))
    assert [figure.title for figure in drawn] == ["Accuracy matrix", "Along the stream"]
    for figure in drawn:
        figure.plot.savefig(tmp_path / "plot.png")
        assert figure.caption and all(axes.get_xlabel() or axes.get_ylabel() for axes in figure.plot.axes)
    numbers = [text.get_text() for text in drawn[0].plot.axes[0].texts]
    assert numbers == [f"{value:.1f}" for value in default.array("accuracy/test_knn_task").flatten()]


def test_tables_name_every_run_once_and_tune_every_method() -> None:
    for table in (tables.digits(), tables.seq_cifar10()):
        assert len({name(config) for config in table}) == len(table)
    rates: dict[str, set[float]] = {}
    for config in tables.seq_cifar10():
        assert config.data == "cifar10" and config.epochs == 10 and config.batch == 256
        key = f"{config.schedule.name} {getattr(config.schedule, 'instead', '')} {config.labels}"
        rates.setdefault(key, set()).add(getattr(config.schedule, "lr", 0.0))
    assert len(tables.seq_cifar10()) == 45 == 3 * sum(map(len, rates.values()))
    assert min(len(rates[k]) for k in ("finetune  true", "lpft False true", "lpft True true")) >= 4


def test_every_claim_of_the_system_is_in_the_ledger() -> None:
    assert [claim.id.split(".")[1] for claim in claims.CLAIMS] == [
        "knn",
        "probe",
        "couple",
        "ssl",
        "real",
        "nlp",
    ]
    assert all(claim.evidence(Table()) is None for claim in claims.CLAIMS)
