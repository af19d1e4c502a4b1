"""Evaluations on features whose answer is known; nothing that must stay hidden has a say."""

import copy
import math

import continual_toys as toys
import pytest
import torch

from lineshaft.continual.evaluate.choices import AnyEvaluation
from lineshaft.continual.evaluate.closed import Lda, Ncm, Ranpac
from lineshaft.continual.evaluate.drift import cka, spread
from lineshaft.continual.evaluate.evaluation import Look
from lineshaft.continual.evaluate.fewshot import Fewshot, at_edge, followed, logistic
from lineshaft.continual.evaluate.head import Head
from lineshaft.continual.evaluate.knn import Knn, knn, vote
from lineshaft.continual.evaluate.probe import Probe
from lineshaft.continual.images import Images
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.objectives.simsiam import SimSiam
from lineshaft.continual.phases import Phase
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import RequestError
from lineshaft.engine.spec.config import variants

EVALUATIONS = {"knn": Knn(neighbours=5), "probe": Probe(shots=5), "head": Head(), "fewshot": Fewshot(shots=5)}
EVALUATIONS |= {"ncm": Ncm(), "lda": Lda(), "ranpac": Ranpac(width=64)}


def look(task: int = 1, kind: str = "mlp", data: Stream | None = None, **more: object) -> Look:
    of = toys.loop(kind, data=data)
    for learned in range(task + 1):
        toys.learn(of, learned, Phase(3, lr=0.05, loss_over="task"))
    return Look(of.net, of.objective, of.stream, task, 0, fixed=of.fixed, **more)


def clustered(noise: float = 0.05, same: bool = False) -> Look:
    """3 tasks; every class is a direction of its own, or one that tasks share."""
    y = torch.arange(6).repeat(60)
    stream = toys.stream(Images("rows", torch.eye(6)[y], y, 240, tuple("abcdef")))
    of = toys.loop("mlp", data=stream)
    found = Look(of.net, of.objective, stream, 2, 0)
    generator = torch.Generator().manual_seed(0)
    clean = torch.eye(2)[stream.store.y % 2] if same else torch.eye(6)[stream.store.y]
    found.__dict__["shared"] = clean + noise * torch.randn(clean.shape, generator=generator)
    return found


@pytest.mark.parametrize("name", ["knn", "probe", "ncm", "lda", "ranpac"])
def test_separate_clusters_are_told_apart(name):
    found, memory = clustered(), {}
    scores = {}
    for task in range(3):
        now = Look(found.net, found.objective, found.stream, task, 0, memory)
        now.__dict__["shared"] = found.shared
        scores = EVALUATIONS[name].scores(now)
    for key, value in scores.items():
        if key.startswith("test/"):
            assert value == ([100] * 3 if isinstance(value, list) else 100), key


def test_classes_that_share_a_direction_are_confused_across_tasks_only():
    scores = Knn().scores(clustered(same=True))
    assert scores["test/knn_task"] == [100] * 3 and scores["test/knn_class"] < 60
    scores = Probe(shots=10).scores(clustered(same=True))
    assert scores["test/probe"] == [100] * 3 and scores["test/probe_class"] < 60


@pytest.mark.parametrize("name", EVALUATIONS)
def test_scores_come_for_both_shares_and_change_nothing(name):
    found = look()
    before = copy.deepcopy(found.net.state_dict())
    scores = EVALUATIONS[name].scores(found)
    assert {key.split("/")[0] for key in scores} >= {"val", "test"}
    lists = [v for k, v in scores.items() if k.startswith(("val/", "test/")) and isinstance(v, list)]
    assert lists and all(len(values) == 2 and all(0 <= v <= 100 for v in values) for values in lists)
    assert toys.same(before, found.net.state_dict())


@pytest.mark.parametrize("name", EVALUATIONS)
def test_test_labels_have_no_say_in_anything_but_the_score(name):
    """Poison: other labels of test rows leave validation scores as they are, to the last bit."""
    clean, poisoned = look(), look()
    for task in poisoned.stream.tasks:
        poisoned.stream.store.y[task.test] = task.classes[0]
    a, b = (EVALUATIONS[name].scores(found) for found in (clean, poisoned))
    assert {k: v for k, v in a.items() if not k.startswith("test/")} == {
        k: v for k, v in b.items() if not k.startswith("test/")
    }
    assert any(a[k] != b[k] for k in a if k.startswith("test/"))


@pytest.mark.parametrize("evaluation", [Probe(shots=5), Fewshot(shots=5)], ids=lambda e: e.name)
def test_only_the_shots_are_learned_from(evaluation):
    clean, poisoned = look(), look()
    for task in poisoned.stream.tasks:
        for label in task.classes:
            rest = task.train[poisoned.stream.store.y[task.train] == label][5:]
            poisoned.stream.store.x[rest] = 1e3
    assert evaluation.scores(clean) == evaluation.scores(poisoned)


@pytest.mark.parametrize("evaluation", [Probe(shots=99999), Fewshot(shots=99999)], ids=lambda e: e.name)
def test_more_shots_than_rows_are_refused_with_the_class(evaluation):
    with pytest.raises(
        RequestError, match=rf"{evaluation.name}.shots=99999: class a of task 1 has 9 training rows"
    ):
        evaluation.check(toys.vectors(), CrossEntropy())


def test_one_row_a_class_is_enough_for_few_shots():
    found = look()
    for evaluation, key in ((Probe(shots=1), "probe"), (Fewshot(shots=1, epochs=1), "fewshot_ft")):
        evaluation.check(found.stream, found.objective)
        assert all(math.isfinite(v) for v in evaluation.scores(found)[f"test/{key}"])


def test_the_head_needs_labels():
    with pytest.raises(RequestError, match="needs an objective with labels"):
        Head().check(toys.vectors(), SimSiam())


def test_few_shots_wait_for_the_end_of_the_stream_and_find_what_is_there():
    assert Fewshot(shots=5).scores(look(task=0)) == {}
    many = toys.vectors(each=160)  # 8 validation rows a class choose the rate
    scores = Fewshot(shots=8, epochs=30, lrs=(0.03, 0.1)).scores(look(data=many))
    for kind in ("ft", "lpft"):
        assert sum(scores[f"test/fewshot_{kind}"]) / 2 > 90 and scores[f"fewshot/{kind}_lr"] > 0.001


@pytest.mark.parametrize(
    ("optimum", "found", "edge"), [(0.01, 0.01, False), (1e-4, 1e-4, False), (0, 4e-6, True)]
)
def test_rates_are_followed_until_the_best_lies_inside(optimum, found, edge):
    """Where the optimum is further away than six rates the search ends, and says so."""
    tried = followed((0.003, 0.01, 0.03), lambda lr: {"val": [-abs(lr - optimum)]}, lambda s: s["val"][0])
    best = max(tried, key=lambda lr: tried[lr]["val"][0])
    assert best == pytest.approx(found, rel=0.5) and at_edge(tried, best) is edge


def test_one_rate_alone_is_followed_too():
    tried = followed((0.01,), lambda lr: {"val": [lr]}, lambda scores: scores["val"][0])
    assert len(tried) == 7 and max(tried) == pytest.approx(0.01 * 3**5)


def test_logistic_regression_separates_what_can_be_separated():
    y = torch.arange(40) % 2
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)) + 4 * y[:, None]
    head = torch.nn.Linear(5, 2)
    logistic(head, x, y)
    assert torch.equal(head(x).argmax(1), y)


def test_lda_is_the_bayes_rule_of_gaussians_with_one_covariance():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=generator)
    found = clustered()
    y = found.stream.store.y
    noise = torch.randn(len(y), 6, generator=generator) @ mixing
    found.__dict__["shared"] = 3 * torch.eye(6)[y] + noise
    memory = {}
    for task in range(3):
        now = Look(found.net, found.objective, found.stream, task, 0, memory)
        now.__dict__["shared"] = found.shared
        ours, means = Lda(shrink=1e-6).scores(now), Ncm().scores(now)
    assert ours["test/lda_class"] > means["test/ncm_class"] + 5


def test_drift_is_none_for_a_rotation_and_full_for_another_representation():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(200, 8, generator=generator)
    rotation = torch.linalg.qr(torch.randn(8, 8, generator=generator))[0]
    assert cka(a, 3 * a @ rotation) == pytest.approx(1, abs=1e-5)
    assert cka(a, torch.randn(200, 8, generator=generator)) < 0.2


def test_the_spread_of_a_collapsed_representation_is_nothing():
    assert spread(torch.ones(50, 8)) < 1e-6
    assert spread(torch.randn(500, 64, generator=torch.Generator().manual_seed(0))) > 0.9


def test_one_close_neighbour_outweighs_two_distant_ones():
    similarity = torch.tensor([[0.9, 0.7, 0.7], [0.9, 0.86, 0.86]])
    labels = torch.tensor([[2, 0, 0], [2, 0, 0]])
    assert vote(similarity, labels, 3).tolist() == [2, 0]  # e^9 > 2 e^7, e^9 < 2 e^8.6


def test_neighbours_are_found_by_angle_and_no_more_than_there_are():
    features = torch.tensor([[1.0, 0.1], [0.1, 1.0], [50.0, 0.0], [0.0, 0.01]])
    y = torch.tensor([0, 1, 0, 1])
    assert knn(features, y, torch.tensor([0, 1]), torch.tensor([2, 3]), neighbours=200) == 100


def test_every_evaluation_is_tested_here():
    assert set(variants(AnyEvaluation)) == {*EVALUATIONS, "drift"}
