"""kNN and probe on features whose answer is known."""

import math

import torch

from lineshaft.continual.data import Images
from lineshaft.continual.evaluate import knn, probe, scores, vote
from lineshaft.continual.streams import Stream, class_incremental


def clustered(noise: float = 0.05) -> tuple[Stream, torch.Tensor]:
    """A stream of 3 tasks, and features in which every class is a direction of its own."""
    y = torch.arange(6).repeat(60)
    stream = class_incremental(Images("rows", y[:, None].float(), y, 240, tuple("abcdef")), 2, seed=0)
    generator = torch.Generator().manual_seed(0)
    return stream, torch.eye(6)[stream.store.y] + noise * torch.randn(360, 6, generator=generator)


def test_separate_clusters_are_told_apart() -> None:
    stream, features = clustered()
    for found in scores(features, stream, seen=3, neighbours=20, shots=10).values():
        assert found.knn == [100] * 3 and found.probe == [100] * 3 and found.knn_class == 100


def test_classes_that_share_a_direction_are_confused_across_tasks_only() -> None:
    stream, _ = clustered()
    generator = torch.Generator().manual_seed(1)
    features = torch.eye(2)[stream.store.y % 2] + 0.05 * torch.randn(360, 2, generator=generator)
    one, all_three = (scores(features, stream, seen, 20, 10)["test"] for seen in (1, 3))
    assert one.knn == [100] * 3 and one.knn_class == 100
    assert all_three.knn_class < 60


def test_features_without_information_are_at_chance() -> None:
    stream, features = clustered()
    shuffled = features[torch.randperm(360, generator=torch.Generator().manual_seed(2))]
    found = scores(shuffled, stream, seen=3, neighbours=20, shots=10)["test"]
    assert 30 < sum(found.knn) / 3 < 70 and found.knn_class < 40


def test_a_diverged_network_has_no_accuracy() -> None:
    stream, features = clustered()
    features[5, 1] = torch.nan
    found = scores(features, stream, seen=1, neighbours=20, shots=10)["val"]
    assert math.isnan(found.knn_class) and all(map(math.isnan, found.knn + found.probe))


def test_one_close_neighbour_outweighs_two_distant_ones() -> None:
    similarity = torch.tensor([[0.9, 0.7, 0.7], [0.9, 0.86, 0.86]])
    labels = torch.tensor([[2, 0, 0], [2, 0, 0]])
    assert vote(similarity, labels, 3).tolist() == [2, 0]  # e^9 > 2 e^7, e^9 < 2 e^8.6


def test_neighbours_are_found_by_angle_and_no_more_than_there_are() -> None:
    features = torch.tensor([[1.0, 0.1], [0.1, 1.0], [50.0, 0.0], [0.0, 0.01]])
    y = torch.tensor([0, 1, 0, 1])
    assert knn(features, y, torch.tensor([0, 1]), torch.tensor([2, 3]), neighbours=200) == 100


def test_only_the_shots_are_learned_from() -> None:
    stream, features = clustered()
    task = stream.tasks[1]
    spoiled = features.clone()
    for label in task.classes:
        spoiled[task.train[stream.store.y[task.train] == label][7:]] = 1e3
    clean, same = (probe(f, stream.store.y, task, shots=7)(features[task.test]) for f in (features, spoiled))
    assert torch.equal(clean, same) and set(clean.tolist()) == set(task.classes)
