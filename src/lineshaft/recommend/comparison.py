"""The comparison of docs/results/recommend-protocol.md: `lineshaft sweep recommend.comparison:tests`.

Every function gives configurations of `recommend.compare`. On a machine with a GPU the networks train on it.
"""

from dataclasses import dataclass

from lineshaft.recommend.catalogue.aldi import Aldi
from lineshaft.recommend.catalogue.animeulike import Animeulike
from lineshaft.recommend.catalogue.anything import AnySource
from lineshaft.recommend.catalogue.citeulike import Citeulike
from lineshaft.recommend.evaluate.tasks import AnyTask, GuestTask, Mixed, Unseen, Warm
from lineshaft.recommend.experiments.compare import Config
from lineshaft.recommend.models.anything import AnyModel
from lineshaft.recommend.models.blend import AnyPart, Blend, Slot
from lineshaft.recommend.models.content import Content
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.dropoutnet import DropoutNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.graph import Graph
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.marec import Marec
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.prior import Prior
from lineshaft.recommend.models.trial import AnyTrial, Guests, Members
from lineshaft.recommend.models.wmf import Bridge, Wmf
from lineshaft.recommend.nets.losses import Entmax
from lineshaft.recommend.text.encoders import Words

SEEDS = (0, 1, 2)
TASKS: tuple[AnyTask, ...] = (Unseen(), Warm(), GuestTask())
EPOCHS = 50


@dataclass(frozen=True)
class Settings:
    """What the validation of a data set took; closed forms by the pilot's, networks by `tuning`."""

    data: AnySource
    ease: Ease
    l3ae: L3ae
    wmf: Wmf
    alpha: dict[str, float]
    """WMF's by task, where it is not the one of `wmf`."""
    power: float
    """Of the cosine between texts, item by item."""
    prior: bool
    start: Wmf
    distil: float
    hops: int
    """Of DropoutNet's content over the graph."""
    members: Members
    net: dict[str, int]
    """Task -> which of the three settings of `net_tries` validation took."""
    rival: dict[str, int]

    def wmf_for(self, task: AnyTask) -> Wmf:
        return self.wmf.model_copy(update={"alpha": self.alpha.get(task.name, self.wmf.alpha)})

    def net_tries(self) -> tuple[DeepNaniNet, ...]:
        full = DeepNaniNet(epochs=EPOCHS, distil=self.distil, start=self.start, teacher=self.l3ae)
        return (
            full,
            full.model_copy(update={"epochs": 2 * EPOCHS}),
            full.model_copy(update={"id_drop": 0.6}),
        )

    def rival_tries(self, task: AnyTask) -> tuple[DropoutNet, ...]:
        wmf = self.wmf_for(task).model_copy(update={"bridge": None})
        base = DropoutNet(epochs=480, hops=self.hops, wmf=wmf)
        return base, base.model_copy(update={"item_drop": 0.7}), base.model_copy(update={"fold_in": False})

    def blend(self, task: AnyTask) -> Blend:
        """Every part of the product, at these settings; the gate found on people like those of the task."""
        parts: list[tuple[AnyPart, bool]] = [
            (self.ease, False),
            (self.l3ae, False),
            (self.wmf_for(task), True),
            (Content(), False),
            (Content(power=self.power), True),
            (Content(encoder=Words()), True),
            (Graph(), True),
            (Popularity(), False),
        ]
        if self.prior:
            parts.append((Prior(), False))
        trial: AnyTrial = Guests() if isinstance(task, GuestTask) else self.members
        return Blend(slots=tuple(Slot(any_of=(part,), rare=rare) for part, rare in parts), trial=trial)


CITEULIKE = Settings(
    data=Citeulike(),
    ease=Ease(lam=140),
    l3ae=L3ae(lam=40, pull=100),
    wmf=Wmf(factors=200, alpha=20, bridge=Bridge(lam=3)),
    alpha={"unseen": 10},
    power=6,
    prior=False,
    start=Wmf(factors=200, alpha=10),
    distil=0.5,
    hops=0,
    members=Members(hold="item", most=2000),
    net={"warm": 0, "guests": 1, "unseen": 1},
    rival={"warm": 0, "guests": 0, "unseen": 1},
)
ANIMEULIKE = Settings(
    data=Animeulike(),
    ease=Ease(lam=400),
    l3ae=L3ae(lam=150, pull=500, fewest=3),
    wmf=Wmf(factors=32, reg=20, alpha=5, bridge=Bridge(lam=10)),
    alpha={"warm": 10},
    power=4,
    prior=True,
    start=Wmf(factors=96, reg=20, alpha=5),
    distil=1.5,
    hops=2,
    members=Members(hold="user", most=2000),
    net={"warm": 1, "guests": 1, "unseen": 1},
    rival={"warm": 2, "guests": 2, "unseen": 2},
)
SETS = (CITEULIKE, ANIMEULIKE)


def tests() -> list[Config]:
    """Rivals, blend, both networks at three seeds, on every task."""
    return [of(settings, task) for settings in SETS for task in TASKS]


def of(settings: Settings, task: AnyTask) -> Config:
    wmf = settings.wmf_for(task)
    rivals: tuple[AnyModel, ...] = (Popularity(), settings.ease, wmf, settings.l3ae)
    return Config(
        data=settings.data,
        task=task,
        rivals=rivals,
        blend=settings.blend(task),
        net=settings.net_tries()[settings.net[task.name]],
        others=(settings.rival_tries(task)[settings.rival[task.name]],),
        seeds=SEEDS,
    )


def citeulike() -> list[Config]:
    """All runs of CiteULike-a, the most important first."""
    return by_importance(CITEULIKE)


def animeulike() -> list[Config]:
    """All runs of AnimeULike, the most important first."""
    return by_importance(ANIMEULIKE)


def by_importance(settings: Settings) -> list[Config]:
    """All runs of a data set in the order in which a short time should be spent."""
    return [
        ablated(settings, Unseen(outside=False), GRAPH),
        tuned(settings),
        of(settings, GuestTask()),
        of(settings, Unseen()),
        ablated(settings, Unseen(outside=False), LEARNING),
        of(settings, Warm()),
        ablated(settings, Warm(), GRAPH),
        marec(settings),
    ]


def encoder() -> list[Config]:
    """MiniLM frozen (the full network) against its last one and two layers tuned, on unseen items."""
    return [tuned(settings) for settings in SETS]


def tuned(settings: Settings) -> Config:
    return ablated(settings, Unseen(outside=False), ({"tuned": 2}, {"tuned": 1}))


def ablations() -> list[Config]:
    """The network without each of its pieces, on unseen items, and without its graph on known users."""
    unseen: AnyTask = Unseen(outside=False)
    rows = [(unseen, GRAPH), (unseen, LEARNING), (Warm(), GRAPH)]
    return [ablated(settings, task, changes) for task, changes in rows for settings in SETS]


Changes = tuple[dict[str, object], ...]
GRAPH: Changes = ({"edges": "none"}, {"edges": "shuffled"}, {"edges": "plain"})
LEARNING: Changes = (
    {"distil": 0.0},
    {"facts": False},
    {"id_drop": 0.1},
    {"id_drop": 0.8},
    {"loss": Entmax()},
)


def ablated(settings: Settings, task: AnyTask, changes: Changes) -> Config:
    """The full network and its variants, alone and in its place in the blend."""
    full = settings.net_tries()[settings.net[task.name]]
    return of_net(settings, task, full, tuple(full.model_copy(update=change) for change in changes))


def of_net(settings: Settings, task: AnyTask, full: DeepNaniNet, variants: tuple[DeepNaniNet, ...]) -> Config:
    """The network and its variants, alone and in the blend."""
    return Config(
        data=settings.data,
        task=task,
        rivals=(),
        blend=settings.blend(task),
        net=full,
        variants=variants,
        seeds=SEEDS,
    )


def aldi() -> list[Config]:
    """ALDI's split, reported beside what its authors publish: EASE, WMF with a bridge, L3AE."""
    rivals = (Popularity(), CITEULIKE.ease, CITEULIKE.wmf_for(Unseen()), CITEULIKE.l3ae)
    return [Config(data=Aldi(), task=Mixed(), rivals=rivals, blend=None, net=None)]


def tuning() -> list[Config]:
    """Three settings of either network on the validation fold of every task: equal budgets."""
    return [
        Config(
            data=settings.data,
            task=task,
            fold="validation",
            rivals=(),
            blend=None,
            net=None,
            others=(*settings.net_tries(), *settings.rival_tries(task)),
        )
        for settings in SETS
        for task in TASKS
    ]


def marec(settings: Settings) -> Config:
    """Nine settings of MARec on the validation fold of unseen items, among which beta changes nothing."""
    tries = tuple(Marec(lam=lam) for lam in (0.3, 1, 3, 10, 30, 100, 300, 1000, 3000))
    task = Unseen(outside=False)
    return Config(data=settings.data, task=task, fold="validation", rivals=tries, blend=None, net=None)


def closed() -> list[Config]:
    """Rivals and blend alone, what the item graph adds to a bridge from texts, and its shuffled likeness."""
    return [bridged(settings) for settings in SETS]


def bridged(settings: Settings) -> Config:
    """WMF whose unseen items get factors from texts with the graph, without it, and with a false one."""
    wmf = settings.wmf_for(Unseen())
    assert wmf.bridge is not None
    bridges = (wmf.bridge, *(wmf.bridge.model_copy(update=change) for change in BRIDGES))
    return Config(
        data=settings.data,
        task=Unseen(outside=False),
        rivals=tuple(wmf.model_copy(update={"bridge": bridge}) for bridge in bridges),
        blend=None,
        net=None,
    )


BRIDGES: tuple[dict[str, object], ...] = ({"hops": 0}, {"shuffled": True})
