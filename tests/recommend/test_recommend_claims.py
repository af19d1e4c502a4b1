"""The ledger's rows of this system, from planted runs of the comparison."""

from pathlib import Path

import pytest

from lineshaft.engine.claims import ledger
from lineshaft.engine.claims.ledger import Row
from lineshaft.engine.table.table import Table
from lineshaft.engine.testing import finished
from lineshaft.recommend import claims, comparison
from lineshaft.recommend.evaluate.tasks import Unseen, Warm
from lineshaft.recommend.experiments.compare import Config

LABELS = ("wmf", "blend", "deepnaninet", "blend+deepnaninet", "dropoutnet")


def planted(runs: Path, config: Config, **values: float) -> None:
    """A finished run: every figure .5 and every difference 0 unless named; intervals of +- .01."""
    stages = ("unseen", "warm", "inside-outside")
    variants = [f"{k}={v}" for k, v in (("edges", "none"), ("edges", "shuffled"), ("edges", "plain"))]
    variants += ["tuned=1", "tuned=2"]
    names = {f"{stage}/{label}/recall@100": 0.5 for stage in stages for label in LABELS}
    names |= {f"warm/{label}/recall@100_item": 0.25 for label in LABELS}
    names |= {f"{s}/deepnaninet-{r}/recall@100": 0.0 for s in stages for r in ("wmf", "dropoutnet")}
    names |= {f"unseen/{one}-deepnaninet/recall@100": 0.0 for one in variants}
    names |= {f"unseen/blend+{one}-blend+deepnaninet/recall@100": 0.0 for one in variants}
    names |= {name.replace("__", "/").replace("_at_", "@"): value for name, value in values.items()}
    ends = {
        f"{name}{end}": v + d for name, v in names.items() for end, d in (("_low", -0.01), ("_high", 0.01))
    }
    finished(runs, config, names | ends)


def row(runs: Path, name: str) -> Row:
    return ledger.row(next(c for c in claims.CLAIMS if c.id == f"recommend.{name}"), Table.read(runs))


def test_every_claim_has_its_row_and_none_speaks_without_runs() -> None:
    rows = {claim.id: claim for claim in claims.CLAIMS}
    assert rows.keys() == {f"recommend.{n}" for n in ("cold", "guest", "warm", "graph", "encoder", "private")}
    assert all(claim.evidence(Table()) is None for claim in rows.values())


def test_cold_is_the_network_alone_against_the_published_figure(tmp_path: Path) -> None:
    config = comparison.of(comparison.CITEULIKE, Unseen())
    planted(tmp_path / "above", config, **{"unseen/deepnaninet/recall@100": 0.65})
    assert row(tmp_path / "above", "cold").verdict == "reproduced"
    planted(tmp_path / "near", config, **{"unseen/deepnaninet/recall@100": 0.64})
    assert row(tmp_path / "near", "cold").verdict == "not reproduced"
    planted(tmp_path / "other", comparison.of(comparison.ANIMEULIKE, Unseen()))
    assert row(tmp_path / "other", "cold").verdict == "not yet measured"
    finished(
        tmp_path / "blend",
        config.model_copy(update={"net": None}),
        {f"unseen/blend/recall@100{end}": 0.7 for end in ("", "_low", "_high")},
    )
    only = row(tmp_path / "blend", "cold")
    assert only.verdict == "partly" and only.value == 0.7 and "no kept run of DeepNaniNet" in only.reason


def test_guest_needs_both_sets_and_takes_the_larger_loss(tmp_path: Path) -> None:
    first, second = (comparison.of(settings, Unseen()) for settings in comparison.SETS)
    planted(tmp_path, first, **{"inside-outside/deepnaninet/recall@100": 0.004})
    assert row(tmp_path, "guest").verdict == "not yet measured"
    planted(tmp_path, second, **{"inside-outside/deepnaninet/recall@100": -0.001})
    found = row(tmp_path, "guest")
    assert found.verdict == "not reproduced" and found.value == 0.004
    assert "DropoutNet +0.500" in found.reason


def test_warm_is_a_ratio_and_says_why_seven_cannot_hold(tmp_path: Path) -> None:
    config = comparison.of(comparison.ANIMEULIKE, Warm())
    values = {
        "warm/wmf/recall@100": 0.2,
        "warm/deepnaninet/recall@100": 0.3,
        "warm/dropoutnet/recall@100": 0.2,
        "warm/deepnaninet-wmf/recall@100": 0.1,
    }
    planted(tmp_path, config, **values)
    found = row(tmp_path, "warm")
    assert (found.low, found.value, found.high) == pytest.approx((1.45, 1.5, 1.55))
    assert found.verdict == "not reproduced" and "cannot hold" in found.reason
    assert "no model can exceed 4.0x" in found.reason
    planted(tmp_path / "poor", config, **(values | {"warm/wmf/recall@100": 0.1}))
    assert "not excluded" in row(tmp_path / "poor", "warm").reason


@pytest.mark.parametrize(
    ("name", "variant", "sign"), [("graph", "edges=none", -1), ("encoder", "tuned=2", 1)]
)
def test_an_ablation_takes_the_smaller_effect_of_both_sets(
    name: str, variant: str, sign: int, tmp_path: Path
) -> None:
    made = comparison.ablations()[:2]
    configs = {"graph": made, "encoder": comparison.encoder()}[name]
    for config, effect in zip(configs, (0.1, 0.02)):
        planted(tmp_path, config, **{f"unseen/{variant}-deepnaninet/recall@100": sign * effect})
    found = row(tmp_path, name)
    assert (found.low, found.value) == pytest.approx((0.01, 0.02)) and found.verdict == "reproduced"


def test_the_graph_of_a_bridge_counts_in_part(tmp_path: Path) -> None:
    for config in comparison.closed():
        names = [f"unseen/bridge.{k}-wmf/recall@100{end}" for k in KINDS for end in ("", "_low", "_high")]
        finished(tmp_path, config, dict.fromkeys(names, -0.02))
    found = row(tmp_path, "graph")
    assert found.verdict == "partly" and found.value == 0.02 and "wmf without a graph" in found.reason


KINDS = ("hops=0", "shuffled=True")
