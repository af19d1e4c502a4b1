"""The ledger's rows on planted results: tuned on validation, paired over seeds, broken by their control."""

import pytest

from lineshaft.continual import rows
from lineshaft.continual.claims import CLAIMS, cifar10, coupled, under_knn
from lineshaft.continual.methods.der import Der
from lineshaft.continual.methods.lwf import Lwf
from lineshaft.continual.methods.si import Si
from lineshaft.continual.schedules import Finetune
from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import finished

METRICS = ("knn_task", "fewshot_ft")


def plant(runs, schedule, seed, test, val, methods=()):
    found = {f"test/{m}": test + 0.1 * seed for m in METRICS} | {f"val/{m}": val for m in METRICS}
    finished(runs, rows.cifar10(schedule=schedule, seed=seed, methods=methods), found)


def grid(runs, mask=85.0, seeds=5):
    """Validation prefers one rate of each row; another one would look better on test."""
    for seed in range(seeds):
        for lr, test, val in ((0.0003, 80, 90), (0.001, 99, 50)):
            plant(runs, Finetune(lr=lr), seed, test, val)
            plant(runs, Finetune(lr=lr, loss_over="task"), seed, mask if test == 80 else 99, val)
            plant(runs, rows.equal_lpft(lr), seed, 88 + 0.05 * (seed % 2) if test == 80 else 99, val)
    return cifar10(Table.read(runs))


def test_the_value_is_the_weaker_of_both_comparisons(tmp_path):
    found = under_knn(grid(tmp_path))
    assert found.interval.value == pytest.approx(3.02, abs=0.01) and found.interval.low > 2.9
    assert "the weaker is over fine-tuning, task's logits" in found.reason and "5 seeds" in found.reason


def test_the_control_can_break_the_claim(tmp_path):
    found = under_knn(grid(tmp_path, mask=89.0))
    assert found.interval.high < 0 and CLAIMS[0].judged(found) == "not reproduced"


def test_two_seeds_decide_nothing(tmp_path):
    assert under_knn(grid(tmp_path, seeds=2)) is None


def test_coupling_counts_the_weakest_method(tmp_path):
    for seed in range(3):
        for method, gain in ((Si(), 2), (Der(), -3), (Lwf(), 1)):
            plant(tmp_path, Finetune(lr=0.001), seed, 80, 90, (method,))
            plant(tmp_path, rows.equal_lpft(0.001), seed, 80 + gain, 90, (method,))
    found = coupled(cifar10(Table.read(tmp_path)), "knn_task")
    assert found.interval.value == pytest.approx(-3) and "der -3" in found.reason


def test_every_claim_of_the_system_is_in_the_ledger():
    names = [claim.id.split(".")[1] for claim in CLAIMS]
    assert names == ["knn", "probe", "couple", "ssl", "real", "nlp"]
    assert all(claim.evidence(Table()) is None for claim in CLAIMS)
