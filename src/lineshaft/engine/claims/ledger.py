"""The claims ledger: every system's claims, each with what the finished runs say of it."""

import importlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lineshaft.engine.claims.claim import Claim, Evidence, Verdict
from lineshaft.engine.run.store import Folder, folders

ORDER = ("plasma", "recommend", "continual", "dialogue")
"""Systems in the order of the ledger; any other follows by name, the engine's own row comes last."""


@dataclass(frozen=True)
class Row:
    """One claim and its state; value and interval are computed from the files of `runs`, never stored."""

    id: str
    claim: str
    how: str
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
    done = [folder for folder in folders(runs) if (folder.dir / "result.json").exists()]
    return [row(claim, done) for claim in claims()]


def claims() -> list[Claim]:
    """The claims of every system, found by folder, then the engine's own."""
    homes = [path.parent for path in Path(__file__).parents[2].glob("*/experiments")]
    systems = sorted((home.name for home in homes if (home / "claims.py").exists()), key=place)
    modules = [*(f"lineshaft.{system}.claims" for system in systems), "lineshaft.engine.claims.overhead"]
    return [claim for module in modules for claim in importlib.import_module(module).CLAIMS]


def place(system: str) -> tuple[int, str]:
    """Where a system stands in the ledger and the report."""
    return (ORDER.index(system) if system in ORDER else len(ORDER)), system


def row(claim: Claim, done: Sequence[Folder]) -> Row:
    """Measure one claim on the runs of its experiment (of all where it names none)."""
    fitting = [folder for folder in done if claim.experiment in ("", folder.experiment)]
    try:
        evidence, reason = claim.measure(fitting), waiting(claim, fitting)
    except ModuleNotFoundError as error:
        extra = claim.id.partition(".")[0]
        evidence, reason = None, f"measuring it needs {error.name}: pip install 'lineshaft[{extra}]'"
    except Exception as error:
        evidence, reason = None, f"measuring it failed: {type(error).__name__}: {error}"
    if evidence is None:
        return Row(claim.id, claim.text, claim.how, None, None, None, "not yet measured", [], reason)
    return measured(claim, evidence)


def waiting(claim: Claim, fitting: Sequence[Folder]) -> str:
    """Why a claim has no value yet."""
    what = claim.experiment or "any experiment"
    return (
        f"no run of {what} yet" if not fitting else f"the {len(fitting)} done runs of {what} do not decide it"
    )


def measured(claim: Claim, evidence: Evidence) -> Row:
    value, low, high = (finite(x) for x in (evidence.value, evidence.low, evidence.high))
    return Row(
        claim.id,
        claim.text,
        claim.how,
        value,
        low,
        high,
        evidence.verdict,
        list(evidence.runs),
        evidence.reason,
    )


def finite(value: float) -> float | None:
    """None stands for what has no value: an interval over a single seed."""
    return value if math.isfinite(value) else None
