"""The ledger's rows and the tables: what counts as evidence, and that its verdict follows the numbers."""

from pathlib import Path

import pytest

from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import finished
from lineshaft.plasma import tables
from lineshaft.plasma.claims import CLAIMS

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
    rows = ["plasma.speed", "plasma.fluid", "plasma.coupling", "plasma.rare", "plasma.rollout"]
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
