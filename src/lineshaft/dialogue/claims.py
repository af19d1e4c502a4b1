"""What the dialogue system claims, and how far its runs bear it out."""

from __future__ import annotations

import numpy as np

from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import AtLeast
from lineshaft.engine.table.table import Interval, Table

FILTER = "stacked"
"""The filter whose gain decides the claim, chosen in the protocol before the test was looked at."""


def hindsight(runs: Table) -> Table:
    """The table's runs with an annotator that looks ahead, whatever the seed."""
    from lineshaft.dialogue import tables

    return runs.like(tables.hindsight()[0])


def weak(runs: Table) -> Table:
    """The table's runs of the weakest annotator, whatever the seed."""
    from lineshaft.dialogue import tables

    return runs.like(tables.weak()[0])


def filtered(runs: Table) -> Table:
    """The runs that `gain` reads: those with hindsight, and those of the weakest annotator."""
    return Table([*hindsight(runs), *weak(runs)])


def xrisawoz(runs: Table) -> Table:
    """The table's zero-shot and few-shot runs, whatever the seed."""
    from lineshaft.dialogue import tables

    return runs.like(tables.hindsight()[0], free=("seed", "shots", "systems"))


def gain(every: Table) -> Measured | None:
    """What a filter that anyone could use gains over a random drop of its size and kind, in JGA.

    The oracle reads gold, so it bounds the claim and cannot bear it out. A filter has to gain on the lower
    bound as well: else not to annotate at all would do. The runs with hindsight decide; what the filter does
    for the weakest annotator stands beside.
    """
    runs, beside = hindsight(every), weak(every)
    if not len(runs):
        return None
    over, room = difference(runs, FILTER, "random"), difference(runs, "oracle", "random_oracle")
    above = difference(runs, FILTER, "lower")
    share = f", {100 * over.value / room.value:.0f} % of the oracle's room" if room.low > 0 else ""
    reason = (
        f"value: the filter that stacks classifier and confidence above a random drop of its size and kind"
        f"{share}; the oracle above its own {text(room)}; lower bound {lower(runs):.1f} JGA, all annotations "
        f"{text(difference(runs, 'all', 'lower'))}, the filter {text(above)}, the oracle "
        f"{text(difference(runs, 'oracle', 'lower'))} above it; the annotator reads later agent acts"
    )
    if len(beside):
        control, bound, unfiltered = (
            text(difference(beside, *pair))
            for pair in ((FILTER, "random"), (FILTER, "lower"), ("all", "lower"))
        )
        reason += (
            f"; the weakest annotator, without hindsight: the filter {control} above its control and {bound} "
            f"above the lower bound, all annotations {unfiltered}"
        )
    gains = min(over.low, above.low) > 0
    return Measured(over, every, reason, at_most="reproduced" if gains else "not reproduced")


def detection(runs: Table) -> Table:
    """The table's runs of the detection study, whatever the seed."""
    from lineshaft.dialogue import tables

    return runs.like(tables.detection()[0])


def errors(runs: Table) -> Measured:
    """AUROC of the classifier trained on measured negatives above the best rule without a model.

    The rule is chosen on validation. Partly where confidence, which costs nothing more, finds them better.
    """
    rule = best_rule(runs)
    parts = [f"the best rule is {rule.removeprefix('rule_')}"]
    for name, where in (("annotator", "the annotator's errors"), ("outside", "a language model's")):
        scores = ", ".join(
            f"{method} {mean(runs, f'{name}/{key}/auroc'):.3f}"
            for method, key in (
                ("measured", "measured_dense"),
                ("out-of-fold", "real_dense"),
                ("confidence", "confidence"),
                ("cleanlab", "cleanlab"),
                ("rule", rule),
            )
        )
        parts.append(f"AUROC on {where}: {scores}")
    confident = auroc_gain(runs, "annotator", "measured_dense", "confidence")
    parts.append(f"above confidence {confident.value:+.3f} [{confident.low:+.3f}, {confident.high:+.3f}]")
    gained = auroc_gain(runs, "annotator", "measured_dense", rule)
    return Measured(gained, runs, "; ".join(parts), at_most="reproduced" if confident.high >= 0 else "partly")


def distribution(runs: Table) -> Measured:
    """AUROC of the classifier trained on measured negatives above that on uniform ones; partly where this
    does not hold on the errors of a model that the negatives were not measured on."""
    outside = auroc_gain(runs, "outside", "measured_dense", "uniform_dense")
    reason = (
        f"value: AUROC on the annotator's errors, {mean(runs, 'annotator/measured_dense/auroc'):.3f} against "
        f"{mean(runs, 'annotator/uniform_dense/auroc'):.3f}; on a language model's errors "
        f"{outside.value:+.3f} [{outside.low:+.3f}, {outside.high:+.3f}]"
    )
    gained = auroc_gain(runs, "annotator", "measured_dense", "uniform_dense")
    return Measured(gained, runs, reason, at_most="reproduced" if outside.low > 0 else "partly")


def best_rule(runs: Table) -> str:
    """The rule with the best AUROC on the validation dialogues, mean over seeds."""
    keys = [key for key in runs[0].result if key.startswith("val/rule_") and key.endswith("/auroc")]
    return max(sorted(keys), key=lambda key: mean(runs, key)).split("/")[1]


def auroc_gain(runs: Table, name: str, first: str, second: str) -> Interval:
    """AUROC of one ranking less that of another on a set of errors, over dialogues and seeds."""
    from lineshaft.dialogue.errors.detection import difference as gained

    wrong, one, two = (
        np.array([run.array(f"{name}/{key}") for run in runs]) for key in ("wrong", first, second)
    )
    return Interval(*gained(wrong.astype(bool), one, two, runs[0].array(f"{name}/dialogue")))


def mean(runs: Table, metric: str) -> float:
    return float(np.mean([run.result[metric] for run in runs]))


def settings(runs: Table) -> Measured | None:
    """Few-shot above zero-shot, full-shot above it, same test dialogues; partly if few-shot is not run."""
    zero, few = runs.where("shots=0"), runs.where("shots>0")
    if not len(zero):
        return None
    full = difference(zero, "gold", "lower")
    pairs = [(a, b) for a in zero for b in few if a.values["seed"] == b.values["seed"]]
    if not pairs:
        reason = (
            f"value: full-shot above zero-shot ({lower(zero):.1f} JGA), same dialogues; few-shot is not run"
        )
        return Measured(full, zero, reason, at_most="partly")
    found = np.array([b.array("lower")[0] - a.array("lower")[0] for a, b in pairs])
    shots = interval(found, pairs[0][0].array("dialogue"))
    reason = (
        f"value: few-shot above zero-shot ({lower(zero):.1f} JGA), no annotations, same dialogues; full-shot "
        f"{text(full)} above zero-shot; few-shot with all annotations "
        f"{text(difference(few, 'all', 'lower'))} above few-shot alone"
    )
    return Measured(shots, runs, reason, at_most="reproduced" if full.low > 0 else "partly")


def difference(runs: Table, system: str, other: str) -> Interval:
    """Paired difference in canonical JGA, mean over seeds, its interval over dialogues and seeds."""
    found = np.array([run.array(system)[0] - run.array(other)[0] for run in runs])
    return interval(found, runs[0].array("dialogue"))


def interval(found: np.ndarray, dialogue: np.ndarray) -> Interval:
    return Interval(*bootstrap(found, dialogue))


def lower(runs: Table) -> float:
    return 100 * float(np.mean([run.array("lower")[0].mean() for run in runs]))


def text(interval: Interval) -> str:
    return f"{interval.value:+.1f} [{interval.low:+.1f}, {interval.high:+.1f}]"


CLAIMS = [
    Claim(
        id="dialogue.gain",
        text="filtering auto-annotations raises accuracy from the lower bound to the oracle",
        how="joint goal accuracy, X-RiSAWOZ zh-en: none / all / filtered / oracle, paired bootstrap",
        experiment="dialogue.loop",
        query=filtered,
        measure=gain,
        verdict=AtLeast(0),
    ),
    Claim(
        id="dialogue.errors",
        text="the error classifier trained on synthesised negatives finds wrong annotations",
        how="AUROC on real errors above the best rule without a model, X-RiSAWOZ zh-en, over dialogues and "
        "seeds; beside confidence and cleanlab",
        experiment="dialogue.analyse",
        query=detection,
        measure=errors,
        verdict=AtLeast(0),
    ),
    Claim(
        id="dialogue.distribution",
        text="negatives drawn from the measured error distribution beat uniform ones",
        how="the same classifier trained on either, difference in AUROC on real errors, over dialogues and "
        "seeds",
        experiment="dialogue.analyse",
        query=detection,
        measure=distribution,
        verdict=AtLeast(0),
    ),
    Claim(
        id="dialogue.settings",
        text="zero-, few- and full-shot settings",
        how="joint goal accuracy of all three on the same test dialogues of X-RiSAWOZ",
        experiment="dialogue.loop",
        query=xrisawoz,
        measure=settings,
        verdict=AtLeast(0),
    ),
]
