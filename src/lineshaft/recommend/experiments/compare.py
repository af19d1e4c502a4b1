"""Recommenders side by side: on the same people, folds, parts and search, every difference paired."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lineshaft import engine
from lineshaft.engine import Run
from lineshaft.recommend.bench import Bench, Ranked
from lineshaft.recommend.catalogue.anything import AnySource
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Sample
from lineshaft.recommend.evaluate.paired import FIGURES, Outcome
from lineshaft.recommend.evaluate.ranks import refuse_leak
from lineshaft.recommend.evaluate.tasks import AnyTask, Groups, Warm
from lineshaft.recommend.models.anything import AnyModel
from lineshaft.recommend.models.blend import Blend
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.fitted import shared
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.model import Model
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Wmf
from lineshaft.recommend.text.encoders import Words

WORDS = (Words(),)
SHORT = DeepNaniNet(epochs=3, encoders=WORDS, teacher=L3ae(encoders=WORDS), start=Wmf(factors=32))


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
            bench = Bench(data.catalogue, group, config.blend, config.net, config.seed, run.threads)
            for label, compute in steps(config, bench):
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


def steps(config: Config, bench: Bench) -> Iterator[tuple[str, Callable[[], Ranked]]]:
    """Labels and what computes them, the most important first."""
    for name, model in labelled(config.rivals):
        yield name, partial(bench.alone, name, model, (config.seed,))
    if config.blend is not None:
        yield "blend", bench.blended
    if config.net is not None:
        name = config.net.name
        yield f"blend+{name}", partial(bench.joined, name, config.net, config.seeds)
    for name, model in labelled(config.others):
        yield name, partial(bench.alone, name, model, config.seeds)
    for model in config.variants:
        assert config.net is not None
        name = changed(model, config.net)
        yield f"blend+{name}", partial(bench.joined, name, model, config.seeds)


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
