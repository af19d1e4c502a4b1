"""What kept runs of `plasma.train` and `plasma.step` say: ratios of errors with their intervals."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineshaft.engine.claims.claim import Measured
from lineshaft.engine.claims.verdict import Verdict
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.table import Interval, Table
from lineshaft.plasma.lhpc.trajectory import HORIZONS

HEADLINE = 10.0  # the held-out amplitude of the publication
DRAWS = 2000
EXACT = 1e-5  # an error of rounding: no ratio is taken over it
Errors = NDArray[np.float64]  # [members, restarts]
FULL = {"target.ppc": 120, "target.thickness": 60.0, "target.box": 100.0}


@dataclass(frozen=True)
class Course:
    """The words that tell one training from another, by name of the method."""

    name: str
    values: dict[str, object]

    def fits(self, row: Row) -> bool:
        usual = {"pushforward": False, "noise": 0.0, "target.window": 0.0, "method.net": "cnn"}
        wanted = {"method": self.name, "method.core": True, **usual, **self.values}
        if self.name != "lhpc":
            wanted = {"method.fields": "maxwell", **wanted}
        return all(row.values.get(key) == value for key, value in (FULL | wanted).items())

    def among(self, runs: Iterable[Row]) -> Row | None:
        """The training of most members, and of those the longest unrolled.

        Where two are equal in both, the one with fewer single steps: its rivals had few as well.
        """
        found = [row for row in runs if self.fits(row)]
        return max(found, key=length, default=None)


def length(row: Row) -> tuple[int, int, float]:
    first = float(row.result.get("iterations/single", 0))
    return int(row.values["members"]), int(row.values["unroll_iterations"]), -first


LHPC = Course("lhpc", {"method.coupling": True})
UNCOUPLED = Course("lhpc", {"method.coupling": False})
CORE = Course("lhpc", {"method.net": "none"})
PUSHED = Course("lhpc", {"method.coupling": True, "pushforward": True})
NOISY = Course("lhpc", {"method.coupling": True, "noise": 0.1})
LEARNED = {"method.core": False, "method.fields": "learned"}
FLUID, FLUID_LEARNED = Course("fluid", {}), Course("fluid", LEARNED)
BI, BI_LEARNED = Course("bigaussian", {}), Course("bigaussian", LEARNED)


def errors(row: Row, quantity: str, horizon: int, a0: float, variant: str = "") -> Errors | None:
    """Errors of a quantity on one held-out amplitude, None where the run has not kept them."""
    name = f"errors_{variant}_{quantity}" if variant else f"errors_{quantity}"
    if name not in row.folder.arrays() or a0 not in row.config["target"]["test"]:
        return None
    found = row.array(name)[list(row.config["target"]["test"]).index(a0), :, :, HORIZONS.index(horizon)]
    return np.asarray(found, np.float64)


def ratio(rival: Errors, ours: Errors) -> Interval:
    """Mean error of a rival over ours; 95 % bootstrap, restarts drawn for both, members for each."""
    if not np.isfinite(ours).all() or not np.isfinite(rival).all():
        bad = float("inf") if np.isfinite(ours).all() else float("nan")
        return Interval(bad, bad, bad)
    random = np.random.default_rng(0)
    restarts = random.integers(ours.shape[1], size=(DRAWS, ours.shape[1]))
    drawn = [
        means(each, random.integers(len(each), size=(DRAWS, len(each))), restarts) for each in (rival, ours)
    ]
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    return Interval(float(rival.mean() / ours.mean()), float(low), float(high))


def means(found: Errors, members: NDArray[np.int64], restarts: NDArray[np.int64]) -> Errors:
    """The mean error of each draw."""
    return np.asarray(found[members[:, :, None], restarts[:, None, :]].mean((1, 2)))


def against(
    rival: Row, ours: Row, quantity: str, horizon: int, a0: float, variant: str = ""
) -> Interval | None:
    """The ratio of two runs, None where ours is still exact; `variant` is of the rival."""
    one, two = errors(rival, quantity, horizon, a0, variant), errors(ours, quantity, horizon, a0)
    return None if one is None or two is None or two.mean() < EXACT else ratio(one, two)


def words(rival: Row, ours: Row, quantity: str, a0: float, variant: str = "") -> str:
    """`field 1.1x / 2.0x / 1.6x [1.4, 1.8] / 1.2x`: the ratio at every horizon, with the interval at 50."""
    found = [against(rival, ours, quantity, h, a0, variant) for h in HORIZONS]
    parts = [
        "-" if f is None else f"{f.value:.3g}x" + (f" [{f.low:.3g}, {f.high:.3g}]" if h == 50 else "")
        for h, f in zip(HORIZONS, found)
    ]
    return f"{quantity} " + " / ".join(parts)


def absolute(row: Row, quantity: str, a0: float) -> str:
    """`.007 / .05 / .08 / .21`: mean errors at every horizon."""
    found = [errors(row, quantity, h, a0) for h in HORIZONS]
    return " / ".join("-" if f is None else f"{f.mean():.2g}" for f in found)


def fluid(runs: Table) -> Measured | None:
    """All-fluid with learned fields over LHPC; the rivals that solve Maxwell's equations in the reason."""
    ours, rival = LHPC.among(runs), FLUID_LEARNED.among(runs)
    found = ours and rival and against(rival, ours, "field", 50, HEADLINE)
    if not found or ours is None or rival is None:
        return None
    others = {"all-fluid, learned fields": rival, "all-fluid, Maxwell solved": FLUID.among(runs)}
    others |= {"bi-Gaussian, learned fields": BI_LEARNED.among(runs), "bi-Gaussian, Maxwell": BI.among(runs)}
    named = {name: row for name, row in others.items() if row is not None}
    texts = [f"{name}: {compared(row, ours)}" for name, row in named.items()]
    fair = FLUID.among(runs)
    solved = fair and against(fair, ours, "field", 50, HEADLINE)
    own = f"{absolute(ours, 'field', HEADLINE)}, moments {absolute(ours, 'moments', HEADLINE)}"
    reason = (
        f"error over LHPC's (field {own}) at 1/20/50/200 steps, a0 = 10: {'; '.join(texts)}; "
        f"{apart(ours, named)}; where a rival's moments are wrong by more than 1 it has hardly learnt, and "
        "the ratio flatters LHPC"
    )
    at_most: Verdict = "exceeded" if solved and solved.low > 1 else "partly"
    return Measured(found, Table([ours, *named.values()]), reason, at_most=at_most)


def compared(rival: Row, ours: Row) -> str:
    """Field, moments and (where a rival has them) those of the non-thermal group, then its own errors."""
    has_fast = errors(rival, "fast", HORIZONS[0], HEADLINE) is not None
    quantities = ("field", "moments", "fast") if has_fast else ("field", "moments")
    ratios = ", ".join(words(rival, ours, quantity, HEADLINE) for quantity in quantities)
    own = " and ".join(absolute(rival, quantity, HEADLINE) for quantity in quantities[:2])
    return f"{ratios}, its own errors {own}"


def apart(ours: Row, named: dict[str, Row]) -> str:
    """The other held-out amplitudes, field at 50 steps."""
    texts = []
    for a0 in ours.config["target"]["test"]:
        if a0 == HEADLINE:
            continue
        found = {name: against(row, ours, "field", 50, a0) for name, row in named.items()}
        texts.append(f"a0 = {a0:g}: " + ", ".join(f"{n} {f}" for n, f in found.items() if f))
    return "field at 50 elsewhere, " + "; ".join(texts)


def coupling(runs: Table) -> Measured | None:
    """LHPC trained without coupling over LHPC; the same nets with the injection off in the reason."""
    ours, rival = LHPC.among(runs), UNCOUPLED.among(runs)
    found = ours and rival and against(rival, ours, "field", 50, HEADLINE)
    if not found or ours is None or rival is None:
        return None
    quantities = ("field", "moments", "fast", "tail_electrons", "tail_ions")
    trained = ", ".join(words(rival, ours, q, HEADLINE) for q in quantities)
    off = ", ".join(words(ours, ours, q, HEADLINE, "uncoupled") for q in quantities[:1] + quantities[3:4])
    reason = (
        f"error without over with coupling at 1/20/50/200 steps, a0 = 10, trained without: {trained}; LHPC's "
        f"own nets with the injection off: {off}; {apart(ours, {'without': rival})}"
    )
    return Measured(found, Table([ours, rival]), reason)


def rollout(runs: Table) -> Measured | None:
    """The same nets after single steps over those after unrolled training, on the validation amplitude."""
    ours = LHPC.among(runs)
    if ours is None or "valid_single_field" not in ours.folder.arrays():
        return None
    single, last = (np.asarray(ours.array(f"valid_{s}_field")[0], np.float64) for s in ("single", "chosen"))
    found = [ratio(single[..., k], last[..., k]) for k in range(len(HORIZONS))]
    text = " / ".join(f"{f.value:.3g}x" for f in found)
    reason = (
        f"field error after single-step over after unrolled training ({ours.config['unroll']} macro steps), "
        f"validation, at 1/20/50/200 steps: {text}"
    )
    options = {"pushforward": PUSHED.among(runs), "noise .1": NOISY.among(runs)}
    named = {name: row for name, row in options.items() if row is not None}
    texts = [
        f"{name} over plain, a0 = 10: {words(row, twin(row, runs) or ours, 'field', HEADLINE)}"
        for name, row in named.items()
    ]
    pushed = PUSHED.among(runs)
    helps = pushed and against(pushed, twin(pushed, runs) or ours, "field", 50, HEADLINE)
    whole: Verdict = "exceeded" if helps and helps.low <= 1 else "partly"
    if pushed is None:
        texts.append("pushforward is not measured on this slab")
    texts += elsewhere(runs)
    table = Table([ours, *named.values()])
    return Measured(found[HORIZONS.index(50)], table, "; ".join([reason, *texts]), at_most=whole)


def elsewhere(runs: Iterable[Row]) -> list[str]:
    """Pushforward over plain unrolling, in pairs of runs on other slabs that differ in nothing else."""
    rows = [row for row in runs if any(row.values.get(key) != value for key, value in FULL.items())]
    found = []
    for row in rows:
        plain = twin(row, rows)
        if plain is not None:
            a0, thickness = row.config["target"]["test"][0], row.values["target.thickness"]
            ratios = words(row, plain, "field", a0)
            found.append(f"on a slab of {thickness:g} pushforward over plain, a0 = {a0:g}: {ratios}")
    return found


def twin(row: Row, runs: Iterable[Row]) -> Row | None:
    """The run that differs from one with pushforward in nothing else."""
    wanted = row.values | {"pushforward": False}
    return next((r for r in runs if row.values.get("pushforward") and r.values == wanted), None)


def step(runs: Table) -> Measured | None:
    """The ratio of a step's time, all particles over LHPC, at the publication's particles and cells.

    One timing a size, so its interval is itself; larger sizes stand in the reason.
    """
    found = [row for row in runs if row.result["particles"] >= 1e5]
    published = [row for row in found if row.result["cells"] == 10_000 and row.result["particles"] < 2e6]
    if not published:
        return None
    value = max(row.result["ratio/lhpc"] for row in published)
    ordered = sorted(found, key=lambda row: (row.result["particles"], row.values["share"]))
    reason = "all-particle step over LHPC's, one torch solver, one device: " + "; ".join(map(size, ordered))
    return Measured(Interval(value, value, value), Table(found), reason)


def size(row: Row) -> str:
    """`1.4 million particles, 3% kinetic: 2.1x`."""
    million, share = row.result["particles"] / 1e6, row.values["share"]
    fused = ", fused" if row.values["compile"] else ""
    return f"{million:.2g} million particles, {share:.0%} kinetic{fused}: {row.result['ratio/lhpc']:.2f}x"
