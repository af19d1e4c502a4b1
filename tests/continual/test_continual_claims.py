"""The ledger's rows on planted results: tuned on validation, paired over seeds, broken by their control."""

import pytest

from lineshaft.continual import rows
from lineshaft.continual.claims import CLAIMS
from lineshaft.continual.comparisons import coupled, without_labels
from lineshaft.continual.methods.der import Der
from lineshaft.continual.methods.lwf import Lwf
from lineshaft.continual.methods.si import Si
from lineshaft.continual.queries import cifar10, self_supervised
from lineshaft.continual.schedules import Finetune, Frozen
from lineshaft.continual.tables import asc19, seq_cifar10_self_supervised
from lineshaft.continual.tables import sat7 as scenes
from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import finished

METRICS = ("knn_task", "probe", "fewshot_ft", "fewshot_lpft")
under_knn = CLAIMS[0].measure


def plant(runs, schedule, seed, test, val, methods=()):
    found = {f"test/{m}": test + 0.1 * seed for m in METRICS} | {f"val/{m}": val for m in METRICS}
    found |= {"fewshot/ft_at_edge": 0.0, "fewshot/lpft_at_edge": 0.0}
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
    found = coupled(cifar10(Table.read(tmp_path)))
    assert found.interval.value == pytest.approx(-3) and "der knn_task -3" in found.reason


def claimed(name):
    return next(claim for claim in CLAIMS if claim.id == f"continual.{name}")


def test_few_shot_rates_that_end_too_early_decide_nothing(tmp_path):
    claim = claimed("adapt")
    for at_edge, verdict in ((0.0, "partly"), (1.0, "not yet measured")):
        runs = grid(tmp_path / str(at_edge), mask=80.0)
        for run in runs:
            run.result["fewshot/ft_at_edge"] = at_edge
        assert claim.judged(claim.evidence(runs)) == verdict


def test_few_shot_figures_of_an_evaluation_that_followed_no_rate_do_not_count(tmp_path):
    runs = grid(tmp_path)
    for run in runs:
        del run.result["fewshot/ft_at_edge"]
    assert claimed("adapt").evidence(runs) is None and claimed("knn").evidence(runs) is not None


def test_strong_methods_that_do_worse_complete_the_claim_about_adaptation(tmp_path):
    for seed in range(5):
        plant(tmp_path, Finetune(lr=0.0003), seed, 75, 90, (Der(),))
    runs = grid(tmp_path, mask=80.0)
    found = claimed("adapt").evidence(runs)
    assert claimed("adapt").judged(found) == "reproduced" and "der over fine-tuning -5" in found.reason


def test_a_seed_that_was_evaluated_twice_counts_once(tmp_path):
    runs = grid(tmp_path)
    again = rows.cifar10(schedule=rows.equal_lpft(0.0003), seed=0)
    again = again.model_copy(update={"evaluate": again.evaluate[:1]})
    finished(tmp_path, again, {"test/knn_task": 10.0, "val/knn_task": 10.0})
    found = under_knn(cifar10(Table.read(tmp_path)))
    assert len(cifar10(Table.read(tmp_path))) == len(runs) + 1
    assert found.interval.value == pytest.approx(3.02, abs=0.01)


def ssl(runs, lpft, finetune, untrained=70.0):
    """Plant three seeds of both; LP-FT by the wider head looks worse on validation, better on test."""
    for config in seq_cifar10_self_supervised():
        s = config.schedule
        wide = getattr(s, "head", "") != "head"
        value = finetune if s.name == "finetune" else lpft + 20 * wide
        found = {
            "test/knn_task": value + config.seed,
            "val/knn_task": 50 - 10 * wide * (s.name == "lpft") - s.lr,
        }
        finished(runs, config, found)
    for seed in range(3):
        plant(runs, Frozen(), seed, untrained, untrained)
    return self_supervised(Table.read(runs))


def test_without_labels_the_head_is_chosen_on_validation(tmp_path):
    found = without_labels(ssl(tmp_path, lpft=81, finetune=80))
    assert found.interval.value == pytest.approx(1) and found.at_most == "exceeded"
    assert "untrained 70.1" in found.reason and "barlow_twins: LP-FT" in found.reason


def test_networks_that_learned_nothing_show_nothing(tmp_path):
    claim = claimed("ssl")
    found = without_labels(ssl(tmp_path, lpft=81, finetune=80, untrained=82))
    assert claim.judged(found) == "not yet measured"


@pytest.mark.parametrize(("closed", "verdict"), [(50.0, "reproduced"), (95.0, "partly")])
def test_on_scenes_a_frozen_network_can_break_the_claim(tmp_path, closed, verdict):
    scores = ("fewshot_ft", "probe", "ncm_class", "lda_class", "ranpac_class")
    for config in scenes():
        level = {"lpft": 90.0, "finetune": 85.0}.get(config.schedule.name, closed)
        noise = 0.1 * config.seed * (config.schedule.name == "lpft")
        found = {f"{share}/{key}": level + noise for share in ("val", "test") for key in scores}
        found["fewshot/ft_at_edge"] = 0.0
        finished(tmp_path, config, found)
    claim = claimed("real")
    assert claim.judged(claim.evidence(Table.read(tmp_path))) == verdict


@pytest.mark.parametrize(("head", "verdict"), [(80.0, "reproduced"), (90.0, "not reproduced")])
def test_probing_the_head_alone_can_break_the_claim_about_the_subset(tmp_path, head, verdict):
    for config in asc19():
        level = {"head": head, "task": 88.0}.get(getattr(config.schedule, "head", ""), 80.0)
        level += 0.01 * config.seed * (getattr(config.schedule, "head", "") == "task")
        finished(tmp_path, config, {"val/head_task": level, "test/head_task": level})
    claim = claimed("nlp")
    found = claim.evidence(Table.read(tmp_path))
    assert claim.judged(found) == verdict and "B-CL + LP-FT of the head" in found.reason


def test_every_claim_of_the_system_is_in_the_ledger():
    names = [claim.id.split(".")[1] for claim in CLAIMS]
    assert names == ["knn", "probe", "adapt", "couple", "ssl", "real", "nlp"]
    assert all(claim.evidence(Table()) is None for claim in CLAIMS)
