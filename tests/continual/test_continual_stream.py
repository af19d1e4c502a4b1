"""The experiment: its metrics, its controls, and the same numbers after any interruption."""

from collections import Counter

import pytest
from pydantic import ValidationError

from lineshaft.continual import tables
from lineshaft.continual.evaluate.closed import Ncm
from lineshaft.continual.evaluate.drift import Drift
from lineshaft.continual.evaluate.fewshot import Fewshot
from lineshaft.continual.evaluate.head import Head
from lineshaft.continual.evaluate.knn import Knn
from lineshaft.continual.evaluate.probe import Probe
from lineshaft.continual.experiments.stream import Config, figures
from lineshaft.continual.methods.choices import AnyMethod
from lineshaft.continual.methods.der import Der
from lineshaft.continual.methods.si import Si
from lineshaft.continual.paramset import HEAD
from lineshaft.continual.schedules import Finetune, First, Frozen, Lpft
from lineshaft.continual.schedules import Probe as Probing
from lineshaft.continual.streams.digits import Digits
from lineshaft.engine.spec.config import Parent, as_json, variants
from lineshaft.engine.spec.names import name
from lineshaft.engine.testing import assert_resumes, complete

STREAM = "continual.stream"
FEW = Digits(train_size=30)
SHORT = Config(epochs=2, schedule=Lpft(probe_epochs=2), data=FEW, evaluate=(Knn(), Probe(shots=20)))


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    return complete(STREAM, Config(), tmp_path_factory.mktemp("runs"))


def test_the_default_run_keeps_its_tasks_apart(default):
    found = default.result()
    assert found["test/knn_task"] > 95 and found["test/probe"] > 97 and found["test/knn_class"] > 65
    assert found["transfer/backward"] == -found["forgetting/diag"] and found["forgetting/max"] < 5
    assert found["features/collapsed"] == 0 and found["features/spread"] > 0.1


def test_the_probe_is_not_at_the_end_of_its_grid(default):
    assert default.result()["probe/at_edge"] == 0


def test_the_saved_matrices_give_the_metrics_again(default):
    accuracy = default.array("accuracy/test_knn_task")
    assert accuracy.shape == (5, 5) and accuracy[-1].mean() == default.result()["test/knn_task"]
    assert default.array("accuracy/test_probe")[-1].mean() == default.result()["test/probe"]
    curve = default.array("accuracy/test_knn_class")
    assert curve[-1] == default.result()["test/knn_class"] and curve[0] == accuracy[0, 0]


def test_a_high_rate_forgets_and_shows_it_in_both_definitions(tmp_path):
    found = complete(STREAM, Config(schedule=Finetune(lr=0.03)), tmp_path).result()
    assert found["forgetting/max"] >= found["forgetting/diag"] > 5 and found["test/knn_class"] < 75


def test_an_untrained_network_never_changes(tmp_path):
    folder = complete(STREAM, Config(schedule=Frozen()), tmp_path)
    accuracy = folder.array("accuracy/test_knn_task")
    assert (accuracy == accuracy[0]).all() and folder.result()["forgetting/max"] == 0
    assert folder.result()["compute/passes"] == 0


def test_a_collapsed_representation_is_called_collapsed(tmp_path):
    """A rate this high kills every unit: accuracies at chance say nothing of forgetting."""
    found = complete(STREAM, Config(schedule=Finetune(lr=3.0), epochs=3), tmp_path)
    result = found.result()
    assert result["features/collapsed"] == 1 and result["features/spread"] < 1e-3
    assert "collapsed" in (found.dir / "log.txt").read_text()


def test_shuffled_labels_leave_nothing_to_learn(tmp_path):
    """Two classes told apart by chance cost log 2 = .69, unless they are learned by heart."""
    last = []
    for labels in ("true", "shuffled"):
        config = Config(data=Digits(labels=labels), schedule=Finetune(lr=0.03), epochs=10)
        folder = complete(STREAM, config, tmp_path)
        last.append([row["train/loss"] for row in folder.metrics() if "train/loss" in row][9])
    assert last[0] < 0.1 and last[1] > 0.6


def test_probing_costs_a_third_of_an_epoch_and_no_memory(tmp_path):
    more = {"epochs": 6, "evaluate": (Knn(),), "data": FEW}
    rows = {
        budget: complete(STREAM, Config(schedule=Lpft(budget=budget), **more), tmp_path).result()
        for budget in ("added", "epochs", "compute")
    }
    assert [rows[b]["compute/passes"] for b in rows] == [6 * 3 + 3, 3 * 3 + 3, 5 * 3 + 3]
    assert all(row["memory/megabytes"] == 0 for row in rows.values())


TINY = {"epochs": 1, "data": Digits(train_size=12, test_size=12, classes_per_task=4), "evaluate": (Knn(),)}
SHOTS = (Knn(neighbours=3), Probe(shots=5), Fewshot(shots=5, epochs=2))
CUT = {
    "si+der, every evaluation": {
        "methods": (Si(), Der(size=20)),
        "schedule": Lpft(probe_epochs=2),
        "evaluate": (Head(), Ncm(), Drift(), *SHOTS),
        "epochs": 2,
    },
    "rows of new classes, carried momentum": {
        "schedule": Lpft(probe_epochs=2, head="new", carry=True, optimiser="adam", decay="cosine"),
        "epochs": 2,
    },
    "norm control": {"schedule": Lpft(probe_epochs=2, keep="norm")},
}


@pytest.mark.parametrize("case", CUT)
def test_a_cut_run_ends_with_the_same_numbers(case, tmp_path):
    """Killed within probing, within fine-tuning, after an evaluation, before the last one."""
    config = Config(**{**TINY, **CUT[case]})
    assert_resumes(STREAM, config, tmp_path, cuts=[1, 2, 3, 4, 5, 7], how="kill")


@pytest.mark.parametrize("method", variants(AnyMethod))
def test_every_method_resumes_bit_identically(method, tmp_path):
    kind = variants(AnyMethod)[method]
    settings = {"size": 20} if "size" in kind.model_fields else {}
    schedule = Lpft(probe_epochs=1, loss_over="task")
    config = Config(**TINY, schedule=schedule, methods=(kind(**settings),))
    assert_resumes(STREAM, config, tmp_path, cuts=[2, 4], how="kill")


def test_a_relaunched_run_starts_from_the_weights_of_its_parent(tmp_path):
    complete(STREAM, SHORT, tmp_path)
    parent = Parent(experiment=STREAM, version=Config.version, config=as_json(SHORT))
    more = {"data": FEW, "evaluate": SHORT.evaluate, "seed": 7, "data_seed": 0, "parent": parent}
    child = complete(STREAM, Config(schedule=Frozen(), **more), tmp_path)
    parent_result = complete(STREAM, SHORT, tmp_path).result()
    assert child.result()["test/knn_task"] == parent_result["test/knn_task"]


def test_the_seed_of_the_data_can_be_set_apart(tmp_path):
    more = {"schedule": Frozen(), "data": FEW, "evaluate": (Knn(),), "seed": 1}
    same_data, both = (complete(STREAM, Config(**more, **s), tmp_path) for s in ({"data_seed": 0}, {}))
    assert same_data.result() != both.result()


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": "imagenet"},
        {"epochs": 0},
        {"schedule": {"name": "lpft", "lr": -1}},
        {"schedule": {"name": "frozen", "lr": 1}},
        {"data": {"name": "digits", "train_size": 1}},
        {"methods": [{"name": "der", "size": 0}]},
    ],
)
def test_impossible_values_are_refused(wrong):
    with pytest.raises(ValidationError):
        Config(**wrong)


@pytest.mark.parametrize("budget", ["epochs", "compute"])
def test_probing_must_leave_epochs_for_tuning(budget):
    with pytest.raises(ValidationError, match=r"takes probe_epochs=15 out of epochs=5"):
        Config(epochs=5, schedule=Lpft(probe_epochs=15, budget=budget))


def test_schedules_name_their_phases():
    subsets = {"head": HEAD}
    lpft = Lpft(probe_epochs=3, budget="epochs").phases(10, 1, subsets)
    assert [(p.epochs, p.trainable.name, p.counts) for p in lpft] == [(3, "head", False), (7, "all", True)]
    assert [p.epochs for p in Lpft(first=False).phases(10, 0, subsets)] == [10]
    assert Frozen().phases(10, 0, subsets) == [] and First().phases(10, 1, subsets) == []
    assert [p.trainable.name for p in Probing().phases(4, 2, subsets)] == ["head"]


def test_pictures_are_drawn_from_the_arrays(default, tmp_path):
    drawn = list(figures(default.dir))
    assert [figure.title for figure in drawn] == ["Accuracy matrix", "Along the stream"]
    for figure in drawn:
        figure.plot.savefig(tmp_path / "plot.png")
        assert figure.caption and all(axes.get_xlabel() or axes.get_ylabel() for axes in figure.plot.axes)
    numbers = [text.get_text() for text in drawn[0].plot.axes[0].texts]
    assert numbers == [f"{value:.1f}" for value in default.array("accuracy/test_knn_task").flatten()]


def test_tables_name_every_run_once():
    cifar = (tables.seq_cifar10, tables.seq_cifar10_more_seeds, tables.seq_cifar10_methods)
    cifar += (tables.seq_cifar100, tables.seq_cifar10_methods_small)
    others = (tables.seq_cifar10_self_supervised, tables.seq_cifar10_sizes, tables.asc19)
    for table in (tables.digits, tables.digits_methods, *cifar, *others, tables.sat7, tables.sat7_small):
        assert len({name(config) for config in table()}) == len(table())
    assert {m.name for config in tables.digits_methods() for m in config.methods} == set(variants(AnyMethod))


def test_every_cell_of_the_small_table_has_equally_many_trials():
    def cell(config):
        kinds = tuple(type(method) for method in config.methods)
        return kinds, config.schedule.name, config.schedule.loss_over, config.seed

    trials = Counter(cell(config) for config in tables.seq_cifar10_methods_small())
    assert len(trials) == 8 * 2 * 2 * 3 and set(trials.values()) == {4}
