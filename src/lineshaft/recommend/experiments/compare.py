"""Recommenders side by side: on the same people, folds, parts and search, every difference paired."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from lineshaft import engine
from lineshaft.engine import Run
from lineshaft.recommend.catalogue.anything import AnySource
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Sample
from lineshaft.recommend.evaluate.folds import Fold, sizes
from lineshaft.recommend.evaluate.paired import FIGURES, Outcome
from lineshaft.recommend.evaluate.ranks import Ranks, rank, refuse_leak
from lineshaft.recommend.evaluate.tasks import AnyTask, Groups, Warm
from lineshaft.recommend.models import gate
from lineshaft.recommend.models.anything import AnyModel
from lineshaft.recommend.models.blend import Blend
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.fitted import fitted, shared
from lineshaft.recommend.models.inner import Inner
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.model import Model, Scorer, counts
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.weights import Weights
from lineshaft.recommend.models.wmf import Wmf
from lineshaft.recommend.nets.device import device
from lineshaft.recommend.text.encoders import Words

WORDS = (Words(),)
SHORT = DeepNaniNet(epochs=3, encoders=WORDS, teacher=L3ae(encoders=WORDS), start=Wmf(factors=32))
CHUNK = 2048
Ranked = dict[str, dict[str, list[Ranks]]]
"""Label -> stage -> ranks of every seed."""


class Config(engine.Config):
    """Judge rivals, the blend, a network alone and the blend with it (gates searched in the same way on the
    same baskets), the network's variants in its place, and other networks alone. STAGE/MODEL/recall@100 are
    means over seeds; STAGE/MODEL-RIVAL/... differences paired over people, with 95 % _low and _high."""

    objective: ClassVar = None

    data: AnySource = Field(Sample(), description="the likes and the catalogue")
    task: AnyTask = Field(Warm(), description="what is asked")
    fold: Literal["test", "validation"] = Field("test", description="validation: to tune by, stage val")
    rivals: tuple[AnyModel, ...] = Field((Popularity(), Ease(), Wmf()), description="to be beaten")
    blend: Blend | None = Field(Blend(), description="the parts behind the gate; none: models alone")
    net: AnyModel | None = Field(SHORT, description="the network that joins the blend")
    variants: tuple[AnyModel, ...] = Field((), description="the network otherwise, in the full one's place")
    others: tuple[AnyModel, ...] = Field((), description="other networks, alone")
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="seeds of the networks")


def run(config: Config, run: Run) -> dict[str, float]:
    """One step a model; a finished step is not repeated after a stop."""
    data = config.data.open(run)
    found = restored({} if run.state is None or run.relaunched else run.state)
    for number, group in enumerate(groups(config, data)):
        for fold in group.values():
            refuse_leak(fold)
        with shared():
            bench = Bench(config, data, group, run.threads)
            for label, compute in bench.steps():
                if all(label in found.get(stage, {}) for stage in group):
                    continue
                for name, outcomes in compute().items():
                    for stage, ranks in outcomes.items():
                        found.setdefault(stage, {})[name] = Outcome.of(ranks)
                run.log(number, flat(found, config.net))
                save(run, found)
                run.checkpoint(number, partial(stored, found))
    return flat(found, config.net)


Found = dict[str, dict[str, Outcome]]
"""Stage -> label -> what came out."""


def stored(found: Found) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """As plain arrays."""
    return {s: {name: one.values for name, one in outcomes.items()} for s, outcomes in found.items()}


def restored(state: Mapping[str, Mapping[str, dict[str, np.ndarray]]]) -> Found:
    """What `stored` gave."""
    return {s: {name: Outcome(values) for name, values in rows.items()} for s, rows in state.items()}


def groups(config: Config, data: Data) -> Groups:
    if config.fold == "validation":
        return [{"val": config.task.validation(data, config.seed)}]
    return config.task.groups(data, config.seed)


class Bench:
    """The models of one group of folds, which share a training part."""

    def __init__(self, config: Config, data: Data, group: Mapping[str, Fold], threads: int) -> None:
        self.config, self.catalogue, self.group, self.threads = config, data.catalogue, group, threads
        self.train = next(iter(group.values())).train
        self.likes = counts(self.train)

    def steps(self) -> Iterator[tuple[str, Callable[[], Ranked]]]:
        """Labels and what computes them, the most important first."""
        config = self.config
        for name, model in labelled(config.rivals):
            yield name, partial(self._alone, name, model, (config.seed,))
        if config.blend is not None:
            yield "blend", self._blend
        if config.net is not None:
            yield f"blend+{config.net.name}", partial(self._net, config.net.name, config.net)
        for name, model in labelled(config.others):
            yield name, partial(self._alone, name, model, config.seeds)
        for model in config.variants:
            assert config.net is not None
            name = changed(model, config.net)
            yield f"blend+{name}", partial(self._net, name, model)

    def _fit(self, model: Model, seed: int = 0) -> Scorer:
        return fitted(model, self.train, self.catalogue, seed=seed, threads=self.threads)

    def _alone(self, name: str, model: Model, seeds: tuple[int, ...]) -> Ranked:
        found: Ranked = {name: {stage: [] for stage in self.group}}
        for seed in seeds:
            scored = Scored(self._fit(model, seed), self.group)
            for stage, fold in self.group.items():
                found[name][stage].append(scored.ranks(fold))
        return found

    def _blend(self) -> Ranked:
        return {
            "blend": {
                stage: [self._joined(fold, self.parts[stage], self.gates[0])]
                for stage, fold in self.group.items()
            }
        }

    def _net(self, name: str, model: Model) -> Ranked:
        """Alone, and in the blend with the gate that was found with the full network."""
        found: Ranked = {name: {s: [] for s in self.group}, f"blend+{name}": {s: [] for s in self.group}}
        for seed in self.config.seeds:
            scored = Scored(self._fit(model, seed), self.group)
            for stage, fold in self.group.items():
                found[name][stage].append(scored.ranks(fold))
                z = [*self.parts[stage], scored.normalised(fold)]
                found[f"blend+{name}"][stage].append(self._joined(fold, z, self.gates[1]))
        return found

    @cached_property
    def chosen(self) -> tuple[list[tuple[Model, bool]], Weights, Weights]:
        """The parts with whether they have a rare twin, the gate without the network and the gate with it."""
        config, seed = self.config, self.config.seed
        assert config.blend is not None
        drawn = config.blend.trial.draw(self.train, self.catalogue, seed)
        inner = Inner(self.catalogue, drawn, config.blend.trial.most)
        parts: list[tuple[Model, bool]] = []
        features: list[np.ndarray] = []
        for slot in (slot for slot in config.blend.slots if slot.any_of[0].usable(self.catalogue)):
            judged = [inner.judge(part, seed, self.threads) for part in slot.any_of]
            best = max(judged, key=lambda one: one.value)
            parts.append((best.part, slot.rare))
            features.append(best.z)
        rare = [flag for _, flag in parts]
        plain = inner.gate(features, rare, seed)
        if config.net is None:
            return parts, plain, plain
        features.append(inner.judge(config.net, seed, self.threads).z)
        return parts, plain, inner.gate(features, [*rare, False], seed)

    @property
    def gates(self) -> tuple[Weights, Weights]:
        return self.chosen[1:]

    @cached_property
    def parts(self) -> dict[str, list[Tensor]]:
        """Stage -> normalised scores, a tensor a part."""
        found: dict[str, list[Tensor]] = {stage: [] for stage in self.group}
        for model, _ in self.chosen[0]:
            scored = Scored(self._fit(model), self.group)
            for stage, fold in self.group.items():
                found[stage].append(scored.normalised(fold))
        return found

    def _joined(self, fold: Fold, z: list[Tensor], weights: Weights) -> Ranks:
        people, items = asked(fold), candidates(fold)
        classes = gate.size_class(fold.baskets)

        def score(rows: np.ndarray) -> Tensor:
            place = slice(*np.searchsorted(people, [rows[0], rows[-1] + 1]))
            mixed = weights.mixed([part[place] for part in z], classes[rows], self.likes[items])
            found = torch.zeros(len(rows), len(self.catalogue), device=mixed.device)
            found[:, torch.from_numpy(items).to(mixed.device)] = mixed
            return found

        return rank(score, fold, CHUNK)


class Scored:
    """What a scorer says to everybody whom the folds of a group ask; folds that share their baskets share it.

    Scored on the CPU, kept where networks are trained.
    """

    def __init__(self, scorer: Scorer, group: Mapping[str, Fold]) -> None:
        self.top = gate.lengths(len(scorer.catalogue))[1]
        self.tables: dict[int, tuple[np.ndarray, Tensor]] = {}
        for fold in group.values():
            folds = [other for other in group.values() if other.baskets is fold.baskets]
            if id(fold.baskets) not in self.tables:
                people = np.unique(np.concatenate([asked(other) for other in folds]))
                scores = torch.empty(len(people), fold.baskets.shape[1], device=device())
                for start in range(0, len(people), CHUNK):
                    rows = fold.baskets[people[start : start + CHUNK]]
                    scores[start : start + CHUNK] = torch.from_numpy(scorer.score(rows))
                self.tables[id(fold.baskets)] = (people, scores)

    def of(self, fold: Fold, rows: np.ndarray) -> Tensor:
        """(rows, items) scores of these people."""
        people, scores = self.tables[id(fold.baskets)]
        return scores[torch.from_numpy(np.searchsorted(people, rows)).to(scores.device)]

    def ranks(self, fold: Fold) -> Ranks:
        return rank(partial(self.of, fold), fold)

    def normalised(self, fold: Fold) -> Tensor:
        """(asked people, candidates) float16 as the gate takes them."""
        people, items = asked(fold), torch.from_numpy(candidates(fold)).to(device())
        found = torch.empty(len(people), len(items), dtype=torch.float16, device=device())
        for start in range(0, len(people), CHUNK):
            rows = people[start : start + CHUNK]
            found[start : start + CHUNK] = gate.normalised(self.of(fold, rows), fold.baskets[rows], self.top)[
                :, items
            ]
        return found


def asked(fold: Fold) -> np.ndarray:
    """(people,) rows of those who are asked for something."""
    return np.flatnonzero(sizes(fold.held_out))


def candidates(fold: Fold) -> np.ndarray:
    """(candidates,) rows of the items that are ranked."""
    return np.arange(fold.train.shape[1]) if fold.candidates is None else np.asarray(fold.candidates)


def changed(model: Model, beside: Model) -> str:
    """What tells a variant from the full model: `edges=none`, `bridge.hops=0`."""
    return ",".join(_changes(model.model_dump(), beside.model_dump(), "")) or model.name


def _changes(own: Mapping[str, Any], other: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in own.items():
        theirs = other.get(key)
        if value == theirs:
            continue
        if isinstance(value, dict) and isinstance(theirs, dict) and value.get("name") == theirs.get("name"):
            yield from _changes(value, theirs, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={value['name'] if isinstance(value, dict) and 'name' in value else value}"


def labelled(models: Sequence[Model]) -> list[tuple[str, Model]]:
    """By name; a second one of a name by what differs from the first."""
    first: dict[str, Model] = {}
    for model in models:
        first.setdefault(model.name, model)
    return [
        (model.name if model is first[model.name] else changed(model, first[model.name]), model)
        for model in models
    ]


def flat(found: Found, net: Model | None) -> dict[str, float]:
    """STAGE/LABEL/FIGURE of models and pairs; inside-outside/LABEL/FIGURE where people were asked twice."""
    metrics: dict[str, float] = {}
    for stage, outcomes in found.items():
        for label, outcome in outcomes.items():
            metrics |= {f"{stage}/{label}/{name}": value for name, value in outcome.summary().items()}
        for one, other in pairs(list(outcomes), net.name if net else ""):
            gain = outcomes[one].over(outcomes[other])
            metrics |= {f"{stage}/{one}-{other}/{name}": value for name, value in gain.items()}
    for label in found.get("outside", {}):
        gain = found["inside"][label].over(found["outside"][label])
        metrics |= {f"inside-outside/{label}/{name}": value for name, value in gain.items()}
    return metrics


def pairs(labels: list[str], net: str) -> Iterator[tuple[str, str]]:
    """Blends over all others, the network over its rivals; a variant over the full network in its place.

    Without a network, a variant over the first model.
    """
    order = [f"blend+{net}", "blend", net]
    whole = [label for label in labels if "=" not in label]
    for one in (label for label in order if label in whole):
        rivals = [label for label in whole if label not in order[: order.index(one) + 1]]
        yield from ((one, other) for other in rivals)
    for one in (label for label in labels if "=" in label):
        full = f"blend+{net}" if one.startswith("blend+") else net or labels[0]
        if full in whole:
            yield one, full


def save(run: Run, found: Found) -> None:
    """STAGE_FIGURE (models, people or items), means over seeds; labels.json names the rows."""
    labels = {stage: list(outcomes) for stage, outcomes in found.items()}
    (run.dir / "labels.json").write_text(json.dumps(labels, indent=1))
    for stage, outcomes in found.items():
        for figure in FIGURES[:3]:
            rows = np.stack([outcome.mean(figure) for outcome in outcomes.values()])
            run.array(f"{stage}_{figure}", rows.astype(np.float16))
