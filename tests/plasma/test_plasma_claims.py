"""The ledger's rows and the tables: what counts as evidence, and that its verdict follows the numbers."""

import json
from pathlib import Path

import pytest

from lineshaft.engine import Folder
from lineshaft.engine.spec.config import as_json
from lineshaft.plasma import tables
from lineshaft.plasma.claims import CLAIMS, rare


def pretended(root: Path, share: float, seed: int, fraction: float = 0.002, **changes) -> Folder:
    """A done run of the benchmark with these shares."""
    config = tables.benchmark()[0].model_copy(update={"seed": seed, **changes})
    folder = root / "plasma.simulate" / f"seed={seed}"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(as_json(config)))
    shares = {
        f"nonthermal/{one}_{what}": v
        for one in ("ion", "electron")
        for what, v in (("fraction", fraction), ("energy_share", share))
    }
    (folder / "result.json").write_text(json.dumps(shares))
    return Folder(folder)


def test_every_row_is_there():
    rows = ["plasma.speed", "plasma.fluid", "plasma.coupling", "plasma.rare", "plasma.rollout"]
    assert [claim.id for claim in CLAIMS] == rows
    assert all(claim.measure([]) is None for claim in CLAIMS)


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
    runs = [pretended(tmp_path, share, seed, fraction) for seed, share in enumerate(shares)]
    evidence = rare(runs)
    assert evidence is not None and evidence.verdict == verdict
    assert evidence.low < evidence.value < evidence.high
    assert evidence.runs == [run.id for run in runs]


def test_small_runs_and_few_seeds_are_no_evidence(tmp_path):
    few = [pretended(tmp_path / "few", 0.25, seed) for seed in range(2)]
    coarse = [pretended(tmp_path / "coarse", 0.25, seed, ppc=30) for seed in range(3)]
    assert rare(few) is None and rare(coarse) is None


def test_only_runs_that_differ_in_the_seed_are_averaged(tmp_path):
    """The same seed sampled more often, in the other precision or finer is no further seed."""
    runs = [pretended(tmp_path, share, seed) for seed, share in enumerate((0.2, 0.25, 0.3))]
    changes = ({"rows": 240}, {"precision": "float64"}, {"ppc": 240})
    again = [pretended(tmp_path / str(i), 0.25, 0, **change) for i, change in enumerate(changes)]
    assert rare([*runs, *again]) == rare(runs)
    assert rare([*runs[:1], *again]) is None


def test_tables_hold_what_they_say():
    assert [config.case.a0 for config in tables.scan_a0()] == [2.0 * k for k in range(1, 11)]
    assert len({config.seed for config in tables.benchmark()}) >= 3
    assert len(tables.validation()) == 6
