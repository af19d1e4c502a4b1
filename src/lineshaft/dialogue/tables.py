"""Runs on real corpora, as lists of configurations: `lineshaft sweep dialogue.tables:xrisawoz`."""

from __future__ import annotations

from lineshaft.dialogue.annotators.tracker import Scorer, Vectors
from lineshaft.dialogue.corpora.public import Crosswoz, Multiwoz
from lineshaft.dialogue.corpora.woz2 import Woz2
from lineshaft.dialogue.corpora.xrisawoz import Xrisawoz
from lineshaft.dialogue.experiments import analyse
from lineshaft.dialogue.experiments.loop import Config

SEEDS = range(3)


def xrisawoz() -> list[Config]:
    """Chinese to English, 12 domains; the seed deals the 450 test dialogues into three folds."""
    return [Config(data=Xrisawoz(), annotator=Vectors(), seed=seed) for seed in SEEDS]


def hindsight() -> list[Config]:
    """The same with an annotator that reads what the agent does later."""
    return [Config(data=Xrisawoz(), annotator=Vectors(), hindsight=True, seed=seed) for seed in SEEDS]


def weak() -> list[Config]:
    """Without hindsight, by the weakest annotator, whose annotations do harm; a filter keeps 70 %."""
    systems = ("confidence", "classifier", "stacked", "random", "oracle", "random_oracle", "gold")
    return [
        Config(data=Xrisawoz(), annotator=Scorer(), share=0.7, masks=3, systems=systems, seed=seed)
        for seed in SEEDS
    ]


def fewshot() -> list[Config]:
    """Hindsight with half of the labelled target dialogues as training data of all systems."""
    part, systems = Vectors(), ("gold",)
    return [
        Config(data=Xrisawoz(), annotator=part, hindsight=True, shots=50, systems=systems, seed=seed)
        for seed in SEEDS
    ]


def woz2() -> list[Config]:
    """Italian to English, restaurants; the published splits, the seed draws the random masks."""
    return [Config(data=Woz2(), seed=seed) for seed in SEEDS]


def crosswoz() -> list[Config]:
    """The negative control: machine-translated and corrected English, where gold gains nothing."""
    return [Config(data=Crosswoz(), seed=seed) for seed in SEEDS]


def multiwoz() -> list[Config]:
    """English to Chinese, 7 domains."""
    return [Config(data=Multiwoz(), seed=seed) for seed in SEEDS]


def detection() -> list[analyse.Config]:
    """Who finds wrong annotations of X-RiSAWOZ: the annotator's own, and a language model's."""
    return [analyse.Config(data=Xrisawoz(), annotator=Vectors(), seed=seed) for seed in SEEDS]
