"""What kept runs of `plasma.ablation` say of a rung: how far its mean tail is off, and what it costs.

Bias: rms over the five numbers of the tail, at both looks, of the mean over seeds against the mean of the
reference (runs of their own seeds). Sampling alone gives some .08 with eight seeds, to every rung alike.
Ratios of seconds are of one run each, in which the rungs took turns on one core.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineshaft.engine.claims.claim import Measured
from lineshaft.engine.claims.verdict import Verdict
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.table import Interval, Table
from lineshaft.plasma.numbers import TAIL

LOOKS = ("70", "100")
DRAWS = 2000
LEAST, ENOUGH = 3, 10  # seeds without which nothing is said, and with which all may be
PLAIN, REFERENCE = "plain120", "reference"
HYBRIDS = ("a60", "a30", "a15", "b60", "b30", "b15")
RIVALS = ("cheap15", "cheap30", "cheap60", "cheap120")
Sample = NDArray[np.float64]  # [seeds, numbers]


@dataclass(frozen=True)
class Ladder:
    """The runs of one case, and of its reference."""

    runs: Table

    @classmethod
    def of(cls, runs: Table, case: dict[str, object]) -> "Ladder":
        """Those of a case, named by values such as `case.a0`."""
        return cls(Table([row for row in runs if all(row.values.get(k) == v for k, v in case.items())]))

    def holding(self, label: str) -> list[Row]:
        return [row for row in self.runs if f"{label}/seconds" in row.result]

    def labels(self) -> list[str]:
        """All rungs, in the order in which runs list them."""
        found = [key[:-8] for row in self.runs for key in row.result if key.endswith("/seconds")]
        return list(dict.fromkeys(found))

    def sample(self, label: str, names: tuple[str, ...] = TAIL) -> Sample:
        """The numbers of each seed, [seeds, looks x names]."""
        keys = [f"{label}/{name}@{look}" for look in LOOKS for name in names]
        return np.array([[row.result[key] for key in keys] for row in self.holding(label)])

    def bias(self, label: str, names: tuple[str, ...] = TAIL) -> Interval:
        """Rms error of the means, with a bootstrap interval over the seeds of both."""
        mine, theirs = self.sample(label, names), self.sample(REFERENCE, names)
        draws = [off(one, other) for one, other in zip(resampled(mine, 0), resampled(theirs, 1))]
        return interval(off(mine, theirs), draws)

    def worse(self, label: str, than: str) -> Interval:
        """How much larger the bias is than another rung's, on the same draws of the reference."""
        samples = [self.sample(one) for one in (label, than, REFERENCE)]
        draws = [
            off(one, reference) - off(other, reference)
            for one, other, reference in zip(*(resampled(s, k) for k, s in enumerate(samples)))
        ]
        return interval(off(samples[0], samples[2]) - off(samples[1], samples[2]), draws)

    def single(self, label: str) -> float:
        """Rms error of one run: what a physicist with one seed gets."""
        reference = self.sample(REFERENCE).mean(0)
        return float(np.sqrt(np.square(self.sample(label) / reference - 1).mean()))

    def speed(self, label: str, than: str = PLAIN) -> Interval:
        """How many times slower another rung is, over the seeds."""
        both = [row for row in self.holding(label) if f"{than}/seconds" in row.result]
        ratios = np.array([row.result[f"{than}/seconds"] / row.result[f"{label}/seconds"] for row in both])
        return interval(float(ratios.mean()), [one.mean() for one in resampled(ratios[:, None], 0)])


def off(sample: Sample, reference: Sample) -> float:
    return float(np.sqrt(np.square(sample.mean(0) / reference.mean(0) - 1).mean()))


def resampled(sample: Sample, seed: int) -> list[Sample]:
    random = np.random.default_rng(seed)
    return [sample[random.integers(0, len(sample), len(sample))] for _ in range(DRAWS)]


def interval(value: float, draws: list[float]) -> Interval:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def no_worse(ladder: Ladder, label: str, than: str) -> bool:
    """Whether the seeds cannot tell a bias larger than the other's."""
    return ladder.worse(label, than).low <= 0


def plain(runs: Table) -> Measured | None:
    """The fastest hybrid whose tail is no worse than that of 120 particles a cell, against those."""
    ladder = Ladder.of(runs, SLAB)
    best = fastest(ladder, HYBRIDS, PLAIN)
    if best is None:
        return None
    return Measured(ladder.speed(best), ladder.runs, reason(ladder, best, PLAIN), at_most=allowed(ladder))


def rival(runs: Table) -> Measured | None:
    """The same hybrid against the fastest light-cone, quiet-start run whose tail is no worse than its own.

    Rivals get the same benefit of the doubt as hybrids: what the seeds cannot tell apart counts as equal.
    """
    ladder = Ladder.of(runs, SLAB)
    best = fastest(ladder, HYBRIDS, PLAIN)
    if best is None:
        return None
    against = fastest(ladder, RIVALS, best) or RIVALS[-1]
    said = reason(ladder, best, against)
    return Measured(ladder.speed(best, against), ladder.runs, said, at_most=allowed(ladder))


def fastest(ladder: Ladder, labels: tuple[str, ...], than: str) -> str | None:
    """Of these rungs the fastest whose bias the seeds cannot tell to be larger than another's."""
    if not ladder.holding(REFERENCE) or len(ladder.holding(PLAIN)) < LEAST:
        return None
    fair = [label for label in labels if ladder.holding(label) and no_worse(ladder, label, than)]
    return max(fair, key=lambda label: ladder.speed(label).value, default=None)


def allowed(ladder: Ladder) -> Verdict:
    """Fewer seeds than ten prove nothing here."""
    return "exceeded" if len(ladder.holding(PLAIN)) >= ENOUGH else "partly"


def reason(ladder: Ladder, best: str, against: str) -> str:
    """Biases and ratios in a sentence."""

    def tail(label: str) -> str:
        found = ladder.bias(label)
        return f"{label} {found.value:.2f} ({found.low:.2f} to {found.high:.2f})"

    held = [label for label in (PLAIN, *RIVALS, *HYBRIDS) if ladder.holding(label)]
    shown = ", ".join(tail(label) for label in held)
    ratios = ", ".join(
        f"{label} {ladder.speed(label, against).value:.1f}x" for label in held if label in HYBRIDS
    )
    return (
        f"{best} against {against}, {len(ladder.holding(best))} seeds in turn on one core each; "
        f"{ratios}; bias of the mean tail: {shown}"
    )


SLAB: dict[str, object] = {"case.a0": 10.0, "case.thickness": 200.0, "case.time": 280.0, "case.start": 40.0}
