"""What the dialogue system claims, and how far its runs bear it out."""

from __future__ import annotations

import numpy as np

from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import AtLeast
from lineshaft.engine.table.table import Interval, Table


def xrisawoz(runs: Table) -> Table:
    """Runs on X-RiSAWOZ with all other parameters at their defaults, whatever the seed."""
    from lineshaft.dialogue.experiments.loop import Config

    return runs.like(Config(data="xrisawoz"))


def gain(runs: Table) -> Measured:
    """How far filtering could raise JGA on X-RiSAWOZ (oracle), and how far confidence does.

    The oracle reads gold, so it bounds the claim and cannot bear it out: a filter that anyone could use has
    to gain, and more than a random drop of its size.
    """
    oracle = difference(runs, "oracle", "lower")
    confident, drop = difference(runs, "confidence", "lower"), difference(runs, "confidence", "random")
    reason = (
        f"value: oracle filter above the lower bound, JGA; {lower(runs):.1f} is the lower bound; "
        f"no filter {text(difference(runs, 'unfiltered', 'lower'))}; confidence filter {text(confident)}, "
        f"above a random drop of its size {text(drop)}: the only filter without gold so far, the error "
        "classifier is not built yet"
    )
    is_usable = min(confident.low, drop.low) > 0
    return Measured(oracle, runs, reason, at_most="partly" if is_usable else "not reproduced")


def settings(runs: Table) -> Measured:
    """Full-shot above zero-shot on the same test dialogues; few-shot training is not run yet."""
    reason = (
        f"value: full-shot above zero-shot ({lower(runs):.1f} JGA), same dialogues; few-shot is not run yet"
    )
    return Measured(difference(runs, "gold", "lower"), runs, reason, at_most="partly")


def difference(runs: Table, system: str, other: str) -> Interval:
    """Paired difference in canonical JGA, mean over seeds, its interval over dialogues and seeds."""
    found = np.array([run.array(system)[0] - run.array(other)[0] for run in runs])
    return Interval(*bootstrap(found, runs[0].array("dialogue")))


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
        query=xrisawoz,
        measure=gain,
        verdict=AtLeast(0),
    ),
    Claim(
        id="dialogue.errors",
        text="the error classifier trained on synthesised negatives finds wrong annotations",
        how="AUROC and average precision against confidence and cleanlab; accuracy of the student",
        experiment="dialogue.loop",
    ),
    Claim(
        id="dialogue.distribution",
        text="negatives drawn from the measured error distribution beat uniform ones",
        how="the same classifier trained on either, AUROC and accuracy of the student",
        experiment="dialogue.loop",
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
