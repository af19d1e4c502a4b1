"""What the dialogue system claims, and how far its runs bear it out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.engine import Folder
from lineshaft.engine.claims.claim import Claim, Evidence


def gain(runs: Sequence[Folder]) -> Evidence | None:
    """How far filtering could raise JGA on X-RiSAWOZ (oracle), and how far confidence does.

    The oracle reads gold, so it bounds the claim and cannot bear it out: a filter that anyone could use has
    to gain, and more than a random drop of its size.
    """
    runs = _default(runs, "xrisawoz")
    if not runs:
        return None
    oracle = _difference(runs, "oracle", "lower")
    confident, drop = _difference(runs, "confidence", "lower"), _difference(runs, "confidence", "random")
    reason = (
        f"value: oracle filter above the lower bound, JGA; {_lower(runs):.1f} is the lower bound; "
        f"no filter {_text(_difference(runs, 'unfiltered', 'lower'))}; confidence filter {_text(confident)}, "
        f"above a random drop of its size {_text(drop)}: the only filter without gold so far, the error "
        "classifier is not built yet"
    )
    verdict = "partly" if min(oracle[1], confident[1], drop[1]) > 0 else "not reproduced"
    return Evidence(*oracle, verdict, [run.id for run in runs], reason)


def settings(runs: Sequence[Folder]) -> Evidence | None:
    """Full-shot above zero-shot on the same test dialogues; few-shot training is not run yet."""
    runs = _default(runs, "xrisawoz")
    if not runs:
        return None
    full = _difference(runs, "gold", "lower")
    reason = (
        f"value: full-shot above zero-shot ({_lower(runs):.1f} JGA), same dialogues; few-shot is not run yet"
    )
    return Evidence(*full, "partly" if full[1] > 0 else "not reproduced", [run.id for run in runs], reason)


def unmeasured(runs: Sequence[Folder]) -> Evidence | None:
    """Needs the error classifier."""
    return None


CLAIMS = [
    Claim(
        id="dialogue.gain",
        text="filtering auto-annotations raises accuracy from the lower bound to the oracle",
        how="joint goal accuracy, X-RiSAWOZ zh-en: none / all / filtered / oracle, paired bootstrap",
        experiment="dialogue.loop",
        measure=gain,
    ),
    Claim(
        id="dialogue.errors",
        text="the error classifier trained on synthesised negatives finds wrong annotations",
        how="AUROC and average precision against confidence and cleanlab; accuracy of the student",
        experiment="dialogue.loop",
        measure=unmeasured,
    ),
    Claim(
        id="dialogue.distribution",
        text="negatives drawn from the measured error distribution beat uniform ones",
        how="the same classifier trained on either, AUROC and accuracy of the student",
        experiment="dialogue.loop",
        measure=unmeasured,
    ),
    Claim(
        id="dialogue.settings",
        text="zero-, few- and full-shot settings",
        how="joint goal accuracy of all three on the same test dialogues of X-RiSAWOZ",
        experiment="dialogue.loop",
        measure=settings,
    ),
]


def _default(runs: Sequence[Folder], data: str) -> list[Folder]:
    """Runs on a corpus with all other parameters at their defaults, whatever the seed."""
    from lineshaft.dialogue.experiments.loop import Config

    wanted = Config(data=data)  # type: ignore[arg-type]
    return [run for run in runs if Config.model_validate({**run.config(), "seed": 0}) == wanted]


def _difference(runs: Sequence[Folder], system: str, other: str) -> tuple[float, float, float]:
    """Paired difference in canonical JGA, mean over seeds, its interval over dialogues and seeds."""
    difference = np.array([run.array(system)[0] - run.array(other)[0] for run in runs])
    return bootstrap(difference, runs[0].array("dialogue"))


def _lower(runs: Sequence[Folder]) -> float:
    return 100 * float(np.mean([run.array("lower")[0].mean() for run in runs]))


def _text(interval: tuple[float, float, float]) -> str:
    return f"{interval[0]:+.1f} [{interval[1]:+.1f}, {interval[2]:+.1f}]"
