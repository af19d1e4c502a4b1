"""Runs on real corpora, as lists of configurations: `lineshaft sweep dialogue.tables:xrisawoz`."""

from __future__ import annotations

from lineshaft.dialogue.experiments.loop import Config


def xrisawoz() -> list[Config]:
    """Chinese to English, 12 domains; the seed deals the 450 test dialogues into three folds."""
    return [Config(data="xrisawoz", seed=seed) for seed in range(3)]


def woz2() -> list[Config]:
    """Italian to English, restaurants; the published splits, the seed draws the random masks."""
    return [Config(data="woz2", seed=seed) for seed in range(3)]
