"""The claims ledger: every system's claims, each with what the finished runs say of it."""

import importlib
import math
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import Verdict
from lineshaft.engine.table.table import Table

ORDER = ("plasma", "recommend", "continual", "dialogue")
"""Systems in the order of the ledger; any other follows by name, the engine's own row comes last."""


@dataclass(frozen=True)
class Row:
    """One claim and its state; value and interval are computed from the files of `runs`, never stored."""

    id: str
    claim: str
    how: str
    bar: str
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    runs: list[str]
    reason: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def rows(runs: Path) -> list[Row]:
    """The whole ledger, measured on the done runs below `runs`."""
    table = Table.read(runs)
    return [row(claim, table) for claim in claims()]


def claims() -> list[Claim]:
    """The claims of every system, found by folder, then the engine's own."""
    homes = [path.parent for path in Path(__file__).parents[2].glob("*/experiments")]
    systems = sorted((home.name for home in homes if (home / "claims.py").exists()), key=place)
    modules = [*(f"lineshaft.{system}.claims" for system in systems), "lineshaft.engine.claims.overhead"]
    return [claim for module in modules for claim in importlib.import_module(module).CLAIMS]


def place(system: str) -> tuple[int, str]:
    """Where a system stands in the ledger and the report."""
    return (ORDER.index(system) if system in ORDER else len(ORDER)), system


def row(claim: Claim, table: Table) -> Row:
    """Measure one claim on a table of runs; whatever goes wrong is its reason, and no other row's."""
    try:
        found, reason = claim.evidence(table), waiting(claim, table)
    except ModuleNotFoundError as error:
        extra = claim.id.partition(".")[0]
        found, reason = None, f"measuring it needs {error.name}: pip install 'lineshaft[{extra}]'"
    except Exception as error:
        found, reason = None, f"measuring it failed: {type(error).__name__}: {error}"
    if found is None:
        return Row(
            claim.id, claim.text, claim.how, bar(claim), None, None, None, "not yet measured", [], reason
        )
    return measured(claim, found)


def waiting(claim: Claim, table: Table) -> str:
    """Why a claim has no value yet."""
    what, done = claim.experiment or "any experiment", table.of(claim.experiment).done
    if not done:
        return f"no run of {what} yet"
    return f"the {len(done)} done runs of {what} do not decide it"


def measured(claim: Claim, found: Measured) -> Row:
    value, low, high = map(finite, found.interval)
    verdict, runs = claim.judged(found), found.runs.ids
    return Row(claim.id, claim.text, claim.how, bar(claim), value, low, high, verdict, runs, found.reason)


def bar(claim: Claim) -> str:
    """The thresholds of a claim in words."""
    return str(claim.verdict) if is_dataclass(claim.verdict) else ""


def finite(value: float) -> float | None:
    """None stands for what has no value: an interval over a single seed."""
    return value if math.isfinite(value) else None
