"""The ledger: each headline claim, how it is measured here, and what the finished runs say of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lineshaft.engine.run.store import Folder

Verdict = Literal["reproduced", "exceeded", "partly", "not reproduced", "not yet measured"]


@dataclass(frozen=True)
class Evidence:
    """What runs show: a value, its 95 % interval, the runs it came from, the reason of the verdict."""

    value: float
    low: float
    high: float
    verdict: Verdict
    runs: list[str] = field(default_factory=list)
    reason: str = ""


@dataclass(frozen=True)
class Claim:
    """One row. `measure` gets the done runs of `experiment`; None means not yet measured."""

    id: str
    text: str
    how: str
    experiment: str
    measure: Callable[[Sequence[Folder]], Evidence | None]
