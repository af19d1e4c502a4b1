"""The product: several recommenders behind one gate, found on guests that fitting holds back for itself.

Fitting does three things. It sets aside some users as guests and, where the catalogue holds items that nobody
has rated, the likes of some rated items; fits every part to the rest; and finds the gate's weights (see
`gate`) on what the guests held back. Of the alternatives of a slot it keeps the one that ranks best alone.
Then it fits the parts that are left to everything. Slots whose data the catalogue lacks are left out.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.engine import Part, RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.content import Content
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.folded import folded
from lineshaft.recommend.models.gated import Gated
from lineshaft.recommend.models.graph import Graph
from lineshaft.recommend.models.inner import Inner, worth
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.model import Model, Scorer, counts
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.prior import Prior
from lineshaft.recommend.models.trial import AnyTrial, Guests
from lineshaft.recommend.models.wmf import Bridge, Wmf
from lineshaft.recommend.text.encoders import Words

AnyPart = Annotated[
    Popularity | Prior | Knn | Wmf | Ease | L3ae | Content | Graph | DeepNaniNet, Field(discriminator="name")
]


class Slot(Part):
    """Alternatives, of which validation keeps one."""

    any_of: tuple[AnyPart, ...] = Field(min_length=1, description="recommenders of one kind")
    rare: bool = Field(False, description="count once more by itself for items that few have rated")


ROWS = 400
DEFAULT = (
    Slot(any_of=(Ease(lam=50, rows=ROWS), Ease(lam=200, rows=ROWS), Ease(lam=800, rows=ROWS))),
    Slot(any_of=(L3ae(lam=40, pull=100, rows=ROWS), L3ae(lam=150, pull=500, rows=ROWS))),
    Slot(any_of=(Wmf(factors=32, reg=20, bridge=Bridge()), Wmf(factors=128, bridge=Bridge())), rare=True),
    Slot(any_of=(Content(),)),
    Slot(any_of=(Content(power=5),), rare=True),
    Slot(any_of=(Content(encoder=Words(width=512)),), rare=True),
    Slot(any_of=(Graph(),), rare=True),
    Slot(any_of=(Popularity(),)),
    Slot(any_of=(Prior(),)),
)


class Blend(Model):
    """Closed forms, content, graph and popularity behind a gate."""

    name: Literal["blend"] = "blend"
    smaller: ClassVar[str] = "model.trial.most=100 (a gate found on fewer people) or model=wmf"
    slots: tuple[Slot, ...] = Field(DEFAULT, min_length=1, description="the parts")
    net: DeepNaniNet | None = Field(None, description="a network among the parts; a GPU helps")
    fold: int | None = Field(
        None, ge=1, description="entries a row of the one matrix a basket size to serve from; none: all parts"
    )
    trial: AnyTrial = Field(Guests(), description="the baskets on which the gate is found")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        usable = [slot for slot in self.whole if slot.any_of[0].usable(catalogue)]
        if not usable:
            raise RequestError("no part of the blend can be fitted to a catalogue without texts and edges")
        inner = Inner(catalogue, self.trial.draws(likes, catalogue, seed), self.trial.most)
        chosen, features = [], []
        for slot in usable:
            best = max((inner.judge(part, seed, threads) for part in slot.any_of), key=worth)
            chosen.append((best.part, slot.rare))
            features.append(best.z)
        found = inner.gate(features, [rare for _, rare in chosen], seed)
        parts = {
            f"{number}_{part.name}": part.fit(likes, catalogue, seed=seed, threads=threads)
            for number, (part, _) in enumerate(chosen)
            if found.used(number)
        }
        gated = Gated(catalogue, counts(likes), parts, found.narrowed())
        return gated if self.fold is None else folded(gated, inner.draws[0].baskets, self.fold)

    @property
    def whole(self) -> tuple[Slot, ...]:
        """The slots and, if there is one, the network's."""
        return self.slots if self.net is None else (*self.slots, Slot(any_of=(self.net,)))

    def memory(self, users: int, items: int) -> int:
        """All parts, and what the gate is found on: a float16 a basket, item, part and rare twin."""
        features = sum(1 + slot.rare for slot in self.whole)
        parts = sum(max(part.memory(users, items) for part in slot.any_of) for slot in self.whole)
        return parts + 2 * features * self.trial.baskets(users) * items
