"""DropoutNet (Volkovs, Yu and Poutanen, NIPS 2017), written from the paper: the rival that DeepNaniNet names.

Two towers [factor; content] -> 500 -> batch norm -> tanh -> 200, trained so that their dot product gives back
that of WMF's factors; factors are dropped as whole vectors on either side. A user's factor is replaced with
probability `user_drop` by the transform that serves people who are not in the matrix: the mean of the factors
of what they like. An unrated item has its content alone. Here every basket goes by the transform (`fold_in`:
by WMF's own fold-in instead), since no user's factor may be kept.
"""

from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.deepnaninet import schedule
from lineshaft.recommend.models.fitted import fitted
from lineshaft.recommend.models.l3ae import BOTH, AnyEncoder
from lineshaft.recommend.models.model import Model, Scorer, State, counts
from lineshaft.recommend.models.wmf import FoldIn, Wmf
from lineshaft.recommend.nets.denoising import Draws
from lineshaft.recommend.nets.device import device
from lineshaft.recommend.text.columns import columns


class DropoutNet(Model):
    """Two towers on WMF's factors and content, with whole factors dropped."""

    name: Literal["dropoutnet"] = "dropoutnet"
    needs: ClassVar[str] = "text"

    epochs: int = Field(300, ge=1, description="passes over the users")
    batch: int = Field(512, ge=2, description="users a step")
    lr: float = Field(1e-3, gt=0, description="largest step size of Adam")
    user_drop: float = Field(0.3, ge=0, le=1, description="probability that a user's factor is transformed")
    item_drop: float = Field(0.5, ge=0, le=1, description="probability that an item's factor is dropped")
    fold_in: bool = Field(True, description="serve baskets by WMF's fold-in, else by the mean of factors")
    hops: int = Field(0, ge=0, description="how far texts spread over the item graph")
    wmf: Wmf = Field(Wmf(factors=200), description="the teacher")
    encoders: tuple[AnyEncoder, ...] = Field(BOTH, min_length=1, description="what texts are turned into")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        taught = fitted(self.wmf, likes, catalogue, seed=seed, threads=threads)
        assert isinstance(taught, FoldIn)
        content = columns(catalogue, self.encoders, self.hops)
        content = (content / content.std()).astype(np.float32)
        return Towers.trained(self, likes, catalogue, taught, content, seed)


def tower(inside: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inside, 500), nn.BatchNorm1d(500), nn.Tanh(), nn.Linear(500, 200))


class Towers(Scorer):
    """Item vectors (items, 200), and the user tower over WMF's fold-in."""

    def __init__(
        self,
        catalogue: Catalogue,
        likes: np.ndarray,
        vectors: np.ndarray,
        user: dict[str, np.ndarray],
        taught: FoldIn,
        fold_in: bool,
        scale: tuple[float, float],
    ) -> None:
        super().__init__(catalogue, likes)
        self.vectors, self.user, self.taught, self.fold_in, self.scale = vectors, user, taught, fold_in, scale
        self.net = tower(taught.factors.shape[1])
        self.net.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in user.items()})
        self.net.eval()

    @classmethod
    def trained(
        cls,
        how: DropoutNet,
        likes: csr_matrix,
        catalogue: Catalogue,
        taught: FoldIn,
        content: np.ndarray,
        seed: int,
    ) -> "Towers":
        torch.manual_seed(seed)
        where = device()
        rows = likes[np.diff(likes.indptr) >= 2]
        users = taught.users(rows)
        rated = np.flatnonzero(counts(likes) > 0)
        scale: tuple[float, ...] = (float(users.std()), float(taught.factors[rated].std()))
        scale = (*scale, _stretch(rows, users, taught.factors))
        factors = torch.from_numpy(taught.factors).to(where)
        known, target = torch.from_numpy(content).to(where), torch.from_numpy(users).to(where)
        user_net = tower(users.shape[1]).to(where)
        item_net = tower(users.shape[1] + content.shape[1]).to(where)
        parameters = [*user_net.parameters(), *item_net.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=how.lr)
        draws = Draws(rows, where, small=0.0, seed=seed)
        steps = how.epochs * -(-len(draws.users) // how.batch)
        rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: schedule(step, steps))
        for _ in range(how.epochs):
            for batch in draws.batches(how.batch):
                if len(batch) < 2:
                    continue
                place, liked = draws.pairs(batch)
                chosen = _items(liked, torch.from_numpy(rated).to(where), draws)
                here = target[batch]
                wanted = here @ factors[chosen].T
                dropped = draws.random(len(batch), 1) < how.user_drop
                shown = scale[2] * _part_mean(place, liked, len(batch), factors, draws)
                user = user_net(torch.where(dropped, shown, here) / scale[0])
                kept = draws.random(len(chosen), 1) >= how.item_drop
                item = item_net(torch.cat([factors[chosen] * kept / scale[1], known[chosen]], dim=1))
                loss = ((user @ item.T - wanted) ** 2).mean() / wanted.var()
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                rate.step()
        item_net.eval()
        with torch.no_grad():
            vectors = item_net(torch.cat([factors / scale[1], known], dim=1)).cpu().numpy()
        user_state = {name: value.cpu().numpy() for name, value in user_net.state_dict().items()}
        return cls(catalogue, counts(likes), vectors, user_state, taught, how.fold_in, (scale[0], scale[2]))

    @torch.no_grad()
    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        if self.fold_in:
            users = self.taught.users(baskets)
        else:
            users = _transform(baskets, self.taught.factors, self.scale[1])
        return np.asarray(self.net(torch.from_numpy(users / self.scale[0])).numpy() @ self.vectors.T)

    def state(self) -> State:
        arrays = {f"user_{name.replace('.', '_')}": value for name, value in self.user.items()}
        values = {"fold_in": self.fold_in, "scale": list(self.scale), "names": list(self.user)}
        return State(values, arrays | {"vectors": self.vectors}, {"wmf": self.taught})

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Towers":
        names = state.values["names"]
        user = {name: state.arrays[f"user_{name.replace('.', '_')}"] for name in names}
        taught = state.parts["wmf"]
        assert isinstance(taught, FoldIn)
        scale = (state.values["scale"][0], state.values["scale"][1])
        return cls(catalogue, likes, state.arrays["vectors"], user, taught, state.values["fold_in"], scale)


def _items(liked: Tensor, rated: Tensor, draws: Draws, count: int = 2048) -> Tensor:
    """Items of a step: half of them liked in the batch, the others at random."""
    own = torch.unique(liked)
    own = own[torch.argsort(draws.random(len(own)))][: count // 2]
    others = (draws.random(max(1, count - len(own))) * len(rated)).long()
    return torch.cat([own, rated[others]])


def _part_mean(place: Tensor, liked: Tensor, rows: int, factors: Tensor, draws: Draws) -> Tensor:
    """(rows, factors) mean factor of a random part of every basket: the transform meets small ones as well.

    Pairs (place, liked): row of the batch and item.
    """
    share = draws.random(rows).clamp(min=0.1)
    kept = (draws.random(len(place)) < share[place]).float()
    total = torch.zeros(rows, factors.shape[1], device=factors.device)
    total.index_add_(0, place, factors[liked] * kept[:, None])
    size = torch.zeros(rows, device=factors.device).index_add_(0, place, kept)
    return total / size.clamp(min=1)[:, None]


def _transform(baskets: csr_matrix, factors: np.ndarray, stretch: float) -> np.ndarray:
    """(baskets, factors) mean of the items' factors, times the stretch."""
    size = np.maximum(np.asarray(baskets.sum(1)), 1)
    return np.asarray(stretch * np.asarray(baskets @ factors) / size, np.float32)


def _stretch(rows: csr_matrix, users: np.ndarray, factors: np.ndarray) -> float:
    """By what means of factors are multiplied to be as long as users' factors, on average."""
    means = np.linalg.norm(_transform(rows, factors, 1.0), axis=1).mean()
    return float(np.linalg.norm(users, axis=1).mean() / max(float(means), 1e-9))
