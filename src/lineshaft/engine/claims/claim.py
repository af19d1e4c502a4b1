"""One claim: a sentence, the runs that bear on it, how they are measured, and when it is reproduced."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lineshaft.engine.claims.verdict import Undecided, Verdict, worse
from lineshaft.engine.table.table import Interval, Table


@dataclass(frozen=True)
class Measured:
    """What runs show: a value with its 95 % interval, the runs it came from, a reason in one sentence.

    `at_most` is the best verdict that is allowed whatever the value: "partly" where a rival is still missing.
    """

    interval: Interval
    runs: Table
    reason: str = ""
    at_most: Verdict = "exceeded"


def everything(runs: Table) -> Table:
    """The query of a claim that takes every done run of its experiment."""
    return runs


def not_measured(runs: Table) -> None:
    """The measure of a claim that no experiment measures yet."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One row of the ledger.

    `query` picks the runs that bear on it from the done runs of `experiment` (of all where that is empty);
    `measure` turns them into a value, or None where they do not decide it; `verdict` holds the thresholds.
    """

    id: str
    text: str
    how: str
    experiment: str
    query: Callable[[Table], Table] = everything
    measure: Callable[[Table], Measured | None] = not_measured
    verdict: Callable[[Interval], Verdict] = field(default_factory=Undecided)

    def evidence(self, table: Table) -> Measured | None:
        """What the done runs of a table show; None where none bears on it."""
        fitting = self.query(table.of(self.experiment).done)
        return self.measure(fitting) if len(fitting) else None

    def judged(self, found: Measured) -> Verdict:
        """The verdict of the thresholds, or the best one allowed where that is worse."""
        return worse(self.verdict(found.interval), found.at_most)
