"""Lower bounds on X-RiSAWOZ: annotators trained on translated dialogues alone, tuned on validation.

python -m benchmarks.dialogue_lower --json [--out FILE]    (needs LINESHAFT_DATA)
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.figures import main
from lineshaft.dialogue import data, metrics
from lineshaft.dialogue.annotators.tracker import Scorer, Stacker, Vectors
from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.dialogue.corpora import xrisawoz
from lineshaft.dialogue.corpus.material import Material
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.teacher import Settings, Teacher
from lineshaft.dialogue.tuning import tuned
from lineshaft.engine.data.dataset import locate
from lineshaft.engine.run.options import set_threads

SEEDS = (0, 1, 2)
ANNOTATORS = {"scorer": Scorer(), "stacker": Stacker(), "vectors": Vectors()}
SEVERAL = {"stacker": Stacker(leaves=31, folds=5, bags=3), "vectors": Vectors(leaves=31, folds=5, bags=3)}
"""The design that was best on the development corpus."""


def lower(say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Canonical JGA and turn EM in per cent on the 450 test dialogues: mean of the seeds, and the interval
    over dialogues of what the seeds have in the mean."""
    set_threads(1)
    material, ontology = xrisawoz.load(locate(data.XRISAWOZ), 0)
    dialogue = np.repeat(np.arange(len(material.target)), [len(each.turns) for each in material.target])
    return {
        "seeds": list(SEEDS),
        "dialogues": len(material.target),
        **_measured(ANNOTATORS, material, ontology, dialogue, say),
        "several": _measured(SEVERAL, material, ontology, dialogue, say),
    }


def _measured(
    annotators: Mapping[str, Any],
    material: Material,
    ontology: Ontology,
    dialogue: np.ndarray,
    say: Callable[[str], None],
) -> dict[str, Any]:
    found = {}
    for name, part in annotators.items():
        say(f"{part!r}")
        hits, thresholds = [], []
        for seed in SEEDS:
            teacher = Teacher(material, ontology, Settings(part, seed=seed))
            threshold, _ = tuned(teacher.lower, ontology, teacher.validation)
            hits.append(metrics.score(teacher.lower, ontology, material.target, threshold))
            thresholds.append(threshold)
        mean = np.mean(hits, axis=0)
        jga = bootstrap(mean[0], dialogue)
        found[name] = {
            "jga": round(jga[0], 2),
            "jga_low": round(jga[1], 2),
            "jga_high": round(jga[2], 2),
            "jga_of_seeds": [round(100 * float(one[0].mean()), 2) for one in hits],
            "turn_em": round(100 * float(mean[metrics.METRICS.index("turn_em")].mean()), 2),
            "thresholds": thresholds,
        }
    return found


if __name__ == "__main__":
    main(lower)
