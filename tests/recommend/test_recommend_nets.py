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
from lineshaft.recommend.nets.losses import entmax
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
