"""DeepNaniNet: an inductive network over items, texts and a graph (after Sun, Vu and Wang, arXiv 2508.14905).

    item:   text MLP + gated messages over the whole item graph + id factor dropped as a whole vector
    basket: mean and attention over its items, nothing of any user   (known user = guest, by construction)
    score:  basket . item + bias

Trained as a denoising autoencoder: part of a user's items in, the rest out, over the full catalogue;
distilled from an item-item teacher (L3AE) fitted to the same likes, its id factors started from WMF. Differs
from the authors' code, which regresses on dot products of WMF factors, keeps about three graph edges a batch,
and scores its own training fold. Often confused with DropoutNet, which needs a user's factor or a transform
in its place.
"""

from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix
from torch import Tensor

from lineshaft.engine import RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.fitted import fitted
from lineshaft.recommend.models.itemitem import Pruned, Whole
from lineshaft.recommend.models.l3ae import BOTH, AnyEncoder, L3ae
from lineshaft.recommend.models.model import Model, Scorer, State, counts
from lineshaft.recommend.models.wmf import FoldIn, Wmf
from lineshaft.recommend.nets.denoising import Batch, Draws, Pairs
from lineshaft.recommend.nets.descent import descend
from lineshaft.recommend.nets.device import device
from lineshaft.recommend.nets.losses import Entmax, Multinomial, distilled
from lineshaft.recommend.nets.propagation import Graph, graph
from lineshaft.recommend.nets.reader import Reader
from lineshaft.recommend.nets.towers import BasketTower, ItemTower, starting
from lineshaft.recommend.text.encoders import Minilm
from lineshaft.recommend.text.minilm import LAYERS

HIDDEN = -1e4
"""Score of what cannot be an answer."""
READ = 1024
"""Texts that go through the encoder together."""
AnyLoss = Annotated[Multinomial | Entmax, Field(discriminator="name")]


class DeepNaniNet(Model):
    """Text, graph and id factors of items; a basket for a user."""

    name: Literal["deepnaninet"] = "deepnaninet"
    needs: ClassVar[str] = "text"

    epochs: int = Field(50, ge=1, description="passes over the users")
    batch: int = Field(512, ge=2, description="users a step")
    lr: float = Field(2e-3, gt=0, description="largest step size of AdamW; 5 % warm-up, then a cosine")
    id_drop: float = Field(0.4, ge=0, le=1, description="probability that an item's id factor is dropped")
    drop: float = Field(0.3, ge=0, lt=1, description="dropout in the basket tower")
    small: float = Field(0.5, ge=0, le=1, description="share of draws that show few items")
    distil: float = Field(1.0, ge=0, description="weight of the teacher; 0: none is fitted")
    edges: Literal["written", "plain", "shuffled", "none"] = Field(
        "written",
        description="written: gated by their texts too; plain: without texts; shuffled: a false graph",
    )
    facts: bool = Field(True, description="tell how well an item is linked, and its prior if it has one")
    loss: AnyLoss = Field(Multinomial(), description="loss over the catalogue")
    start: Wmf | None = Field(Wmf(factors=96, reg=5, alpha=10), description="whose factors ids start from")
    teacher: L3ae = Field(L3ae(), description="the item-item model that is distilled")
    encoders: tuple[AnyEncoder, ...] = Field(BOTH, min_length=1, description="what texts are turned into")
    tuned: int = Field(
        0, ge=0, le=LAYERS, description="last layers of MiniLM, the first encoder, that learn; 0: frozen"
    )
    tuned_lr: float = Field(3e-5, gt=0, description="largest step size of those layers")
    tuned_items: int = Field(512, ge=1, description="items whose texts a step reads anew")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        return Training(self, likes, catalogue, seed, threads).run()

    def memory(self, users: int, items: int) -> int:
        return self.teacher.memory(users, items) + 4 * items * (10 * self.batch + 4000)


class Training:
    """One training from its start to a scorer."""

    def __init__(
        self, how: DeepNaniNet, likes: csr_matrix, catalogue: Catalogue, seed: int, threads: int
    ) -> None:
        torch.manual_seed(seed)
        self.how, self.likes, self.catalogue, self.device = how, likes, catalogue, device()
        self.rated = torch.from_numpy(counts(likes) > 0).to(self.device)
        texts = catalogue.sentences()
        blocks = [encoder.encode(texts) for encoder in how.encoders]
        along = self._graph(blocks[0], seed)
        if how.facts:
            blocks += facts(catalogue, along)
        columns = np.concatenate([block / (block.std() or 1) for block in blocks], axis=1)
        self.text = torch.from_numpy(columns.astype(np.float32)).to(self.device)
        self.reading = Reading(how, texts, blocks[0], self.device) if how.tuned else None
        factors = None if how.start is None else self._factors(how.start, seed, threads)
        width = 96 if factors is None else factors.shape[1]
        first = starting(factors, len(catalogue), width, torch.Generator().manual_seed(seed))
        self.items = ItemTower(columns.shape[1], width, first, along).to(self.device)
        self.baskets = BasketTower(width, how.drop).to(self.device)
        self.draws = Draws(likes, self.device, how.small, seed)
        self.teacher = None
        if how.distil:
            taught = fitted(how.teacher, likes, catalogue, seed=seed, threads=threads)
            assert isinstance(taught, Whole | Pruned)
            self.teacher = torch.from_numpy(taught.dense()).to(self.device)

    def _factors(self, start: Wmf, seed: int, threads: int) -> np.ndarray:
        found = fitted(start, self.likes, self.catalogue, seed=seed, threads=threads)
        assert isinstance(found, FoldIn)
        return found.factors

    def _graph(self, texts: np.ndarray, seed: int) -> Graph | None:
        if self.how.edges == "none" or not len(self.catalogue.edges):
            return None
        false = 5 if self.how.edges == "shuffled" else None
        written = self.how.edges != "plain"
        return graph(self.catalogue, texts, self.how.encoders[0], written, false, self.device)

    def run(self) -> Scorer:
        how, parameters = self.how, [*self.items.parameters(), *self.baskets.parameters()]
        groups = [{"params": parameters, "lr": how.lr}]
        if self.reading is not None:
            groups.append({"params": list(self.reading.reader.parameters()), "lr": how.tuned_lr})
        fused = self.device.type == "cuda"
        optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=0.0, fused=fused)
        descend(optimiser, self.draws, self.loss, how.epochs, how.batch)
        return self.scorer()

    def loss(self, batch: Batch) -> Tensor:
        kept = self.rated & (self.draws.random(len(self.rated)) >= self.how.id_drop)
        if self.reading is not None:
            chosen = torch.randperm(len(self.rated), generator=self.draws.generator, device=self.device)
            self.text = self.reading.renewed(self.text.detach(), chosen[: self.how.tuned_items])
        within, out, bias = self.items(self.text, kept.float())
        bias = bias.masked_fill(~self.rated, HIDDEN)  # what nobody has rated is no wrong answer
        scores = torch.addmm(bias, self.baskets(batch.shown, within), out.T)
        scores.view(-1).index_fill_(0, batch.shown.places(len(self.rated)), HIDDEN)
        total = torch.logsumexp(scores, dim=1)
        loss = self.how.loss.of(scores, total, batch.late)
        if self.teacher is not None:
            taught = batch.shown.sums(self.teacher)
            loss = loss + self.how.distil * distilled(scores, total, taught, batch.shown, self.rated)
        return loss

    @torch.no_grad()
    def scorer(self) -> "BasketNet":
        self.items.eval()
        if self.reading is not None:
            self.text = self.reading.renewed(self.text, torch.arange(len(self.text), device=self.device))
        found = {
            name: part.float().cpu().numpy()
            for name, part in zip(("within", "out", "bias"), self.items(self.text, self.rated.float()))
        }
        tower = {name: part.cpu().numpy() for name, part in self.baskets.state_dict().items()}
        return BasketNet(self.catalogue, counts(self.likes), found, tower)


def facts(catalogue: Catalogue, along: Graph | None) -> list[np.ndarray]:
    """(items, 1) each, centred: what a catalogue says of an item in one number."""
    found = [] if along is None else [along.standing]
    if catalogue.prior is not None:
        found.append(catalogue.prior)
    return [(values - values.mean())[:, None] for values in found]


class Reading:
    """The columns that MiniLM gives, renewed while its last layers learn."""

    def __init__(self, how: DeepNaniNet, texts: list[str], frozen: np.ndarray, where: torch.device) -> None:
        first = how.encoders[0]
        if not isinstance(first, Minilm):
            raise RequestError("tuned layers are MiniLM's: model.encoders must begin with minilm")
        self.reader = Reader(texts, first.longest, how.tuned, where)
        self.filled = torch.tensor([bool(text) for text in texts], device=where)
        self.centre = self.reader.everything()[self.filled].mean(0)
        self.scale = float(frozen.std() or 1)

    def renewed(self, text: Tensor, items: Tensor) -> Tensor:
        """The columns with the vectors of these items read anew; those without a text stay at zero."""
        items = items[self.filled[items]]
        parts = [self.reader(part) for part in torch.split(items, READ)]
        fresh = (torch.cat(parts) - self.centre) / self.scale
        rest = text[items, fresh.shape[1] :]
        return text.index_copy(0, items, torch.cat([fresh, rest], dim=1))


class BasketNet(Scorer):
    """Item vectors and a basket tower; only the rows of the baskets' own items are touched."""

    def __init__(
        self,
        catalogue: Catalogue,
        likes: np.ndarray,
        items: dict[str, np.ndarray],
        tower: dict[str, np.ndarray],
    ) -> None:
        """items: within, out (items, width), bias (items,); tower: the state of a `BasketTower`."""
        super().__init__(catalogue, likes)
        self.items, self.tower = items, BasketTower(items["within"].shape[1])
        self.tower.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in tower.items()})
        self.tower.eval()

    @torch.no_grad()
    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        own, place = np.unique(baskets.indices, return_inverse=True)
        shown = Pairs.of(place, np.diff(baskets.indptr))
        users = self.tower(shown, torch.from_numpy(self.items["within"][own])).numpy()
        return np.asarray(users @ self.items["out"].T + self.items["bias"])

    def state(self) -> State:
        tower = {
            f"tower_{name.replace('.', '_')}": part.numpy() for name, part in self.tower.state_dict().items()
        }
        return State({}, self.items | tower, {})

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "BasketNet":
        items = {name: state.arrays[name] for name in ("within", "out", "bias")}
        names = BasketTower(items["within"].shape[1]).state_dict()
        tower = {name: state.arrays[f"tower_{name.replace('.', '_')}"] for name in names}
        return cls(catalogue, likes, items, tower)
