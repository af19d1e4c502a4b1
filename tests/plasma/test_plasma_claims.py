"""The ledger's rows and the tables: what counts as evidence, and that its verdict follows the numbers."""

from pathlib import Path

import numpy as np
import pytest

from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import finished
from lineshaft.plasma import tables
from lineshaft.plasma.claims import CLAIMS
from lineshaft.plasma.experiments import ablation
from lineshaft.plasma.hybrid import score
from lineshaft.plasma.lhpc import figures

RARE = next(claim for claim in CLAIMS if claim.id == "plasma.rare")


def pretended(root: Path, share: float, seed: int, fraction: float = 0.002, **changes) -> None:
    """A done run of the benchmark with these shares."""
    config = tables.benchmark()[0].model_copy(update={"seed": seed, **changes})
    shares = {
        f"nonthermal/{one}_{what}": v
        for one in ("ion", "electron")
        for what, v in (("fraction", fraction), ("energy_share", share))
    }
    finished(root, config, shares)


def rare(root: Path):
    return RARE.evidence(Table.read(root))


def test_every_row_is_there():
    speed = [f"plasma.speed.{what}" for what in ("learned", "zones", "rival")]
    rows = [*speed, "plasma.fluid", "plasma.coupling", "plasma.rare", "plasma.rollout"]
    assert [claim.id for claim in CLAIMS] == rows
    assert all(claim.evidence(Table()) is None for claim in CLAIMS)


@pytest.mark.parametrize(
    ("shares", "fraction", "verdict"),
    [
        ((0.24, 0.25, 0.26), 0.002, "reproduced"),
        ((0.10, 0.25, 0.50), 0.002, "partly"),
        ((0.04, 0.05, 0.06), 0.002, "not reproduced"),
        ((0.24, 0.25, 0.26), 0.2, "not reproduced"),
    ],
)
def test_verdict_follows_the_shares(tmp_path, shares, fraction, verdict):
    for seed, share in enumerate(shares):
        pretended(tmp_path, share, seed, fraction)
    found = rare(tmp_path)
    assert found is not None and RARE.judged(found) == verdict
    assert found.interval.low < found.interval.value < found.interval.high
    assert len(found.runs) == 3


def test_small_runs_and_few_seeds_are_no_evidence(tmp_path):
    for seed in range(2):
        pretended(tmp_path / "few", 0.25, seed)
    for seed in range(3):
        pretended(tmp_path / "coarse", 0.25, seed, ppc=30)
    assert rare(tmp_path / "few") is None and rare(tmp_path / "coarse") is None


def test_only_runs_that_differ_in_the_seed_are_averaged(tmp_path):
    """The same seed sampled more often, in the other precision or finer is no further seed."""
    for seed, share in enumerate((0.2, 0.25, 0.3)):
        pretended(tmp_path, share, seed)
    before = rare(tmp_path)
    for change in ({"rows": 240}, {"precision": "float64"}, {"ppc": 240}):
        pretended(tmp_path, 0.25, 0, **change)
    after = rare(tmp_path)
    assert (after.interval, after.reason, after.runs.ids) == (before.interval, before.reason, before.runs.ids)


def test_tables_hold_what_they_say():
    assert [config.case.a0 for config in tables.scan_a0()] == [2.0 * k for k in range(1, 11)]
    assert len({config.seed for config in tables.benchmark()}) >= 3
    assert len(tables.validation()) == 6


def trained(root: Path, method: str, field: float, spread: float = 0.0, **changes) -> None:
    """A done full-size training: 3 members and 12 restarts, errors growing with the horizon."""
    config = next(
        c
        for c in tables.lhpc()
        if as_words(c) == method and not c.target.window and not c.pushforward and not c.noise
    )
    folder = finished(root, config.model_copy(update=changes), {"stage": 1.0})
    random = np.random.default_rng(1)
    table = field * np.array([0.1, 0.5, 1, 3]) * (1 + spread * random.normal(size=(3, 3, 12, 1)))
    (folder.dir / "arrays").mkdir(exist_ok=True)
    for name in ("field", "moments", "fast", "tail_electrons", "tail_ions"):
        np.save(folder.dir / "arrays" / f"errors_{name}.npy", table)
        np.save(folder.dir / "arrays" / f"errors_uncoupled_{name}.npy", 2 * table)
    np.save(folder.dir / "arrays" / "valid_single_field.npy", 3 * table[:1])
    np.save(folder.dir / "arrays" / "valid_chosen_field.npy", table[:1])


def as_words(config) -> str:
    method = config.method
    what = [method.name, method.net, getattr(method, "fields", ""), "" if method.core else "pure"]
    return " ".join(
        [*filter(None, what), "uncoupled" if not getattr(method, "coupling", True) else ""]
    ).strip()


def measured(root: Path, name: str):
    claim = next(claim for claim in CLAIMS if claim.id == name)
    found = claim.evidence(Table.read(root))
    return found, found and claim.judged(found)


@pytest.mark.parametrize(
    ("learned", "solved", "verdict"),
    [(0.8, 0.3, "reproduced"), (0.8, 0.1, "partly"), (0.3, 0.3, "partly"), (0.1, 0.1, "not reproduced")],
)
def test_the_fluid_row_needs_the_rival_that_solves_maxwell(tmp_path, learned, solved, verdict):
    trained(tmp_path, "lhpc cnn", 0.1, 0.05)
    trained(tmp_path, "fluid cnn learned pure", learned, 0.05)
    trained(tmp_path, "fluid cnn maxwell", solved, 0.05)
    found, judged = measured(tmp_path, "plasma.fluid")
    assert judged == verdict
    assert found.interval.value == pytest.approx(learned / 0.1, rel=1e-6)
    assert "Maxwell solved" in found.reason and "a0 = 20" in found.reason


def test_coupling_and_rollout_follow_their_arrays(tmp_path):
    trained(tmp_path, "lhpc cnn", 0.1, 0.05)
    assert measured(tmp_path, "plasma.coupling")[0] is None
    trained(tmp_path, "lhpc cnn uncoupled", 0.15, 0.05)
    found, judged = measured(tmp_path, "plasma.coupling")
    assert judged == "partly" and found.interval.value == pytest.approx(1.5)
    assert "2x" in found.reason
    found, judged = measured(tmp_path, "plasma.rollout")
    assert judged == "partly" and found.interval.value == pytest.approx(3)
    assert "pushforward is not measured" in found.reason and "slab of 12" not in found.reason
    for push, field in ((False, 0.1), (True, 0.12)):
        other = tables.Target(thickness=12.0)
        trained(tmp_path, "lhpc cnn", field, 0.05, target=other, pushforward=push)
    assert (
        "slab of 12 pushforward over plain, a0 = 5: field 1.2x"
        in measured(tmp_path, "plasma.rollout")[0].reason
    )
    trained(tmp_path, "lhpc cnn", 0.1, 0.05, pushforward=True)
    assert measured(tmp_path, "plasma.rollout")[1] == "reproduced"


def test_a_training_of_another_slab_is_no_evidence(tmp_path):
    for method, field in (("lhpc cnn", 0.1), ("fluid cnn learned pure", 0.8)):
        trained(tmp_path, method, field, target=tables.Target(thickness=30.0))
    assert measured(tmp_path, "plasma.fluid")[0] is None


def test_a_rival_that_diverges_is_infinitely_worse_and_ours_is_never_better():
    good, bad = np.ones((3, 12)), np.full((3, 12), np.inf)
    assert figures.ratio(bad, good).low == np.inf
    assert np.isnan(figures.ratio(good, bad).value)


def test_the_ratio_pairs_restarts():
    """Restarts that are hard for both widen no interval."""
    hard = np.exp(np.random.default_rng(0).normal(size=12)) * np.ones((3, 1))
    found = figures.ratio(2 * hard, hard)
    assert found.low == pytest.approx(2) and found.high == pytest.approx(2)


@pytest.mark.parametrize(("best", "verdict"), [(9.0, "reproduced"), (3.0, "partly"), (0.8, "not reproduced")])
def test_the_speed_row_is_of_the_published_size(tmp_path, best, verdict):
    """Whatever larger slabs gain."""
    for config, particles, value in zip(tables.step(), (1.44e6, 2.3e7), (best, 30.0)):
        finished(tmp_path, config, {"particles": particles, "cells": 10_000, "ratio/lhpc": value})
    found, judged = measured(tmp_path, "plasma.speed.learned")
    assert judged == verdict and "30.00x" in found.reason


def climbed(root: Path, seed: int, tail: dict[str, float], seconds: dict[str, float]) -> None:
    """A done ladder on the benchmark slab, with tails and times by rung."""
    rungs = tuple(rung for rung in ablation.LADDER if rung.label in tail)
    if "reference" in tail:
        rungs = (ablation.Rung(label="reference", ppc=480),)
    config = ablation.Config(case=tables.TARGET, rungs=rungs, seed=seed)
    noise = 1 + 0.02 * np.sin(7 * seed)
    numbers = {
        f"{label}/{name}@{look}": value * noise
        for label, value in tail.items()
        for name in score.TAIL
        for look in score.LOOKS
    }
    finished(root, config, numbers | {f"{label}/seconds": value for label, value in seconds.items()})


@pytest.mark.parametrize(
    ("a30", "cheap15", "zones", "rival"),
    [
        (1.0, 1.0, 9.0, 1.5),  # both as good as anything: the fastest hybrid against the fastest rival
        (1.5, 1.0, 6.0, 1.0),  # a30's tail is off: a60 counts, against the same rival
        (1.0, 1.5, 9.0, 4.5),  # the cheap rival's tail is off: the next one counts
    ],
)
def test_the_speed_of_a_hybrid_counts_at_no_worse_tail_only(tmp_path, a30, cheap15, zones, rival):
    tail = {"plain120": 1.0, "cheap15": cheap15, "cheap60": 1.0, "a60": 1.0, "a30": a30, "b60": 2.0}
    seconds = {"plain120": 9.0, "cheap15": 1.5, "cheap60": 4.5, "a60": 1.5, "a30": 1.0, "b60": 0.5}
    hybrids = {key: value for key, value in tail.items() if key not in ("cheap30", "b30")}
    for seed in range(10):
        climbed(tmp_path, seed, hybrids, seconds)
        climbed(tmp_path, 100 + seed, {"reference": 1.0}, {"reference": 40.0})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(score, "HYBRIDS", ("a60", "a30", "b60"))
        patched.setattr(score, "RIVALS", ("cheap15", "cheap60"))
        runs = Table.read(tmp_path)
        assert score.plain(runs).interval.value == pytest.approx(zones)
        assert score.rival(runs).interval.value == pytest.approx(rival)
        assert score.plain(runs).at_most == "exceeded"
