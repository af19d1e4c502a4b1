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
from lineshaft.recommend.models.fitted import fitted
from lineshaft.recommend.models.l3ae import BOTH, AnyEncoder
from lineshaft.recommend.models.model import Model, Scorer, State, counts
from lineshaft.recommend.models.wmf import FoldIn, Wmf
from lineshaft.recommend.nets.denoising import Batch, Draws
from lineshaft.recommend.nets.descent import descend
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
        return Training(self, likes, taught, content, seed).run(catalogue, counts(likes))


def tower(inside: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inside, 500), nn.BatchNorm1d(500), nn.Tanh(), nn.Linear(500, 200))


class Training:
    """One training from its start to a scorer."""

    def __init__(
        self, how: DropoutNet, likes: csr_matrix, taught: FoldIn, content: np.ndarray, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.how, self.taught, where = how, taught, device()
        likes = likes[np.diff(likes.indptr) >= 2]
        users = taught.users(likes)
        rated = np.flatnonzero(counts(likes) > 0)
        self.user_scale, self.item_scale = float(users.std()), float(taught.factors[rated].std())
        self.stretch = _stretch(likes, users, taught.factors)
        tensors = (torch.from_numpy(part).to(where) for part in (taught.factors, content, users, rated))
        self.factors, self.content, self.users, self.rated = tensors
        self.user_net = tower(users.shape[1]).to(where)
        self.item_net = tower(users.shape[1] + content.shape[1]).to(where)
        self.draws = Draws(likes, where, small=0.0, seed=seed)

    def run(self, catalogue: Catalogue, likes: np.ndarray) -> "Towers":
        parameters = [*self.user_net.parameters(), *self.item_net.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=self.how.lr, fused=self.factors.is_cuda)
        descend(optimiser, self.draws, self.loss, self.how.epochs, self.how.batch)
        return self.scorer(catalogue, likes)

    def loss(self, batch: Batch) -> Tensor:
        place, liked = (
            torch.cat([getattr(part, name) for part in (batch.shown, batch.late)])
            for name in ("rows", "items")
        )
        chosen, here = self._items(liked), self.users[batch.users]
        wanted = here @ self.factors[chosen].T
        dropped = self.draws.random(len(here), 1) < self.how.user_drop
        shown = self.stretch * self._part_mean(place, liked, len(here))
        user = self.user_net(torch.where(dropped, shown, here) / self.user_scale)
        kept = self.draws.random(len(chosen), 1) >= self.how.item_drop
        item = self.item_net(self._item_input(chosen, kept))
        found: Tensor = ((user @ item.T - wanted) ** 2).mean() / wanted.var()
        return found

    def _item_input(self, items: Tensor, kept: Tensor) -> Tensor:
        return torch.cat([self.factors[items] * kept / self.item_scale, self.content[items]], dim=1)

    def _items(self, liked: Tensor, count: int = 1024) -> Tensor:
        """(2 count,) items of a step: half of them liked in the batch, the others at random."""
        lots = self.draws.random(len(self.factors))
        lots = lots + torch.zeros_like(lots).index_fill(0, liked, 1)
        own = torch.topk(lots[self.rated], min(count, len(self.rated)), sorted=False).indices
        others = (self.draws.random(count) * len(self.rated)).long()
        return self.rated[torch.cat([own, others])]

    def _part_mean(self, place: Tensor, liked: Tensor, rows: int) -> Tensor:
        """(rows, factors) mean factor of a random part of every basket: the transform meets small ones too.

        Pairs (place, liked): row of the batch and item.
        """
        share = self.draws.random(rows).clamp(min=0.1)
        kept = (self.draws.random(len(place)) < share[place]).float()
        total = torch.zeros(rows, self.factors.shape[1], device=self.factors.device)
        total.index_add_(0, place, self.factors[liked] * kept[:, None])
        size = torch.zeros(rows, device=self.factors.device).index_add_(0, place, kept)
        return total / size.clamp(min=1)[:, None]

    @torch.no_grad()
    def scorer(self, catalogue: Catalogue, likes: np.ndarray) -> "Towers":
        self.item_net.eval()
        every = torch.arange(len(self.factors), device=self.factors.device)
        vectors = self.item_net(self._item_input(every, torch.ones(len(every), 1, device=every.device)))
        user = {name: value.cpu().numpy() for name, value in self.user_net.state_dict().items()}
        scale = (self.user_scale, self.stretch)
        return Towers(catalogue, likes, vectors.cpu().numpy(), user, self.taught, self.how.fold_in, scale)


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


def _transform(baskets: csr_matrix, factors: np.ndarray, stretch: float) -> np.ndarray:
    """(baskets, factors) mean of the items' factors, times the stretch."""
    size = np.maximum(np.asarray(baskets.sum(1)), 1)
    return np.asarray(stretch * np.asarray(baskets @ factors) / size, np.float32)


def _stretch(rows: csr_matrix, users: np.ndarray, factors: np.ndarray) -> float:
    """By what means of factors are multiplied to be as long as users' factors, on average."""
    means = np.linalg.norm(_transform(rows, factors, 1.0), axis=1).mean()
    return float(np.linalg.norm(users, axis=1).mean() / max(float(means), 1e-9))
