"""The nets keep the contract of every model; entmax is what it says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from recommend_toys import described, names, sparse_likes
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.deepnaninet import DeepNaniNet, Reading
from lineshaft.recommend.models.dropoutnet import DropoutNet
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.model import load
from lineshaft.recommend.models.wmf import Wmf
from lineshaft.recommend.nets.denoising import Draws, Pairs
from lineshaft.recommend.nets.losses import Multinomial, distilled, entmax
from lineshaft.recommend.nets.reader import Reader
from lineshaft.recommend.text import minilm
from lineshaft.recommend.text.encoders import Minilm, Words

WORDS = (Words(width=4),)
NETS = [
    DeepNaniNet(
        epochs=2, encoders=WORDS, teacher=L3ae(encoders=WORDS), start=Wmf(factors=8), edges=edges, batch=16
    )
    for edges in ("written", "plain", "shuffled", "none")
] + [DropoutNet(epochs=2, encoders=WORDS, wmf=Wmf(factors=8), batch=16, fold_in=way) for way in (True, False)]


@pytest.mark.parametrize("model", NETS, ids=names)
def test_a_net_keeps_the_contract(model, tmp_path: Path) -> None:
    likes = sparse_likes(41, 60)
    scorer = model.fit(likes, described(60), seed=0, threads=1)
    scores = scorer.score(likes)
    assert scores.shape == (41, 60) and scores.dtype == np.float32 and np.isfinite(scores).all()
    np.testing.assert_allclose(scorer.score(likes[7])[0], scores[7], rtol=1e-3, atol=1e-4)
    again = load(scorer.save(tmp_path / "model.safetensors"))
    assert (again.score(likes) == scores).all()
    empty = scorer.score(csr_matrix((1, 60), dtype=np.float32))
    assert (empty == np.asarray(likes.sum(0))).all()


def test_an_epoch_shows_every_user_once_and_asks_for_the_rest() -> None:
    likes = sparse_likes(41, 60)
    likes = csr_matrix(
        np.vstack([likes.toarray(), np.eye(2, 60)])
    )  # two users of one item, who cannot be asked
    draws = Draws(likes, torch.device("cpu"), small=0.5, seed=0)
    shown, late = np.zeros((2, *likes.shape))
    for batch in draws.epoch(16):
        for found, pairs in ((shown, batch.shown), (late, batch.late)):
            assert pairs.counts.min() >= 1 and len(pairs.counts) == len(batch.users) <= 16
            np.testing.assert_array_equal(np.repeat(np.arange(len(batch.users)), pairs.counts), pairs.rows)
            found[batch.users[pairs.rows], pairs.items] += 1
    able = np.diff(likes.indptr) >= 2
    np.testing.assert_array_equal(shown + late, likes.toarray() * able[:, None])


def test_pairs_add_up_and_their_softmax_sums_to_one() -> None:
    pairs = Pairs.of(np.array([3, 1, 4, 0, 2]), np.array([2, 0, 3]))
    table, lots = torch.rand(5, 6), torch.rand(5)
    sums = pairs.sums(table, lots)
    torch.testing.assert_close(sums[2], (lots[2:, None] * table[[4, 0, 2]]).sum(0))
    torch.testing.assert_close(pairs.sums(table)[1], torch.zeros(6))
    share = pairs.softmax(torch.stack([lots, 100 * lots], 1))
    torch.testing.assert_close(share[:2], torch.softmax(torch.stack([lots, 100 * lots], 1)[:2], 0))
    torch.testing.assert_close(share[2:].sum(0), torch.ones(2))


def test_losses_are_what_their_equations_say() -> None:
    torch.manual_seed(0)
    scores, late = torch.randn(3, 7), Pairs.of(np.array([1, 2, 6]), np.array([1, 0, 2]))
    told = torch.log_softmax(scores, 1)
    expected = -(told[0, 1] + (told[2, 2] + told[2, 6]) / 2**0.5) / (1 + 2**0.5)
    torch.testing.assert_close(Multinomial().of(scores, torch.logsumexp(scores, 1), late), expected)
    taught, shown = torch.randn(3, 7), Pairs.of(np.array([0, 3, 5]), np.array([1, 1, 1]))
    rated = torch.tensor([True] * 6 + [False])
    z = (taught - taught.mean(1, keepdim=True)) / taught.std(1, keepdim=True)
    masked = ~rated.tile(3, 1)
    masked[[0, 1, 2], [0, 3, 5]] = True
    target = torch.softmax((4 * torch.log1p(z.clamp(min=0))).masked_fill(masked, -torch.inf), 1)
    found = distilled(scores, torch.logsumexp(scores, 1), taught.clone(), shown, rated)
    torch.testing.assert_close(found, -(target * told).sum(1).mean(), rtol=1e-4, atol=1e-4)


def test_entmax_sums_to_one_and_gives_low_scores_nothing() -> None:
    p = entmax(torch.tensor([[3.0, 2.5, -4.0]]), 40)
    assert float(p.sum()) == pytest.approx(1) and float(p[0, 2]) == 0 and p[0, 0] > p[0, 1] > 0


def test_tuned_layers_start_where_the_frozen_encoder_stands_and_learn() -> None:
    texts = ["the sea", "", "a harbour in the north of the country", "meadows"]
    reader = Reader(texts, 96, 1, torch.device("cpu"))
    frozen = minilm._encoded(texts, 96, 64)
    np.testing.assert_allclose(reader.everything().numpy(), frozen, atol=2e-3)  # half precision below
    reader(torch.tensor([2, 0])).sum().backward()
    assert all(
        one.grad is not None and one.grad.abs().sum() > 0 for one in reader.layers[0].query.parameters()
    )


def test_a_net_with_tuned_layers_keeps_items_without_a_text_at_zero() -> None:
    texts = Catalogue(["a", "b", "c"], ["one thing", "", "other things"])
    frozen = Minilm().encode(texts.sentences())
    reading = Reading(DeepNaniNet(tuned=1), texts.sentences(), frozen, torch.device("cpu"))
    columns = torch.from_numpy(frozen / frozen.std()).float()
    again = reading.renewed(columns, torch.arange(3))
    assert (again[1] == 0).all()
    np.testing.assert_allclose(again.detach().numpy(), columns.numpy(), atol=5e-2)
