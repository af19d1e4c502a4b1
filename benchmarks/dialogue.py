"""Speed of the dialogue system: annotating, a pasted page, the loop on WOZ 2.0 as a whole process.

python -m benchmarks.dialogue --json [--out FILE]    (needs LINESHAFT_DATA)
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.engine import COMMAND, spent
from benchmarks.figures import main
from lineshaft.dialogue import data
from lineshaft.dialogue.annotators.model import Model
from lineshaft.dialogue.annotators.tracker import Scorer, Stacker
from lineshaft.dialogue.corpora import xrisawoz
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.engine.data.dataset import locate
from lineshaft.engine.run.options import set_threads

REPEATS = 3
LONG = 20_000
ANNOTATORS = {"scorer": Scorer(), "stacker": Stacker()}
LOOP = (*COMMAND, "run", "dialogue.loop", "data=woz2", "--threads", "2")


def dialogue(say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Wall seconds and turns a second on this machine; medians of three where a repeat is cheap."""
    set_threads(1)
    material, ontology = xrisawoz.load(locate(data.XRISAWOZ), 0)
    found: dict[str, Any] = {"bars": {"scorer_turns_per_s": 2000, "long_turn_s": 1, "woz2_loop_s": 90}}
    for name, part in ANNOTATORS.items():
        say(f"{name}: training, annotating {len(material.target)} dialogues, a turn of {LONG} words")
        learner = part.learner(ontology, material.source)
        start = time.perf_counter()
        rows = learner.prepare(learner.examples(material.source))
        model = learner.fit([rows], [learner.ones(rows)], seed=0)
        found[name] = {
            "training_s": round(time.perf_counter() - start, 3),
            "turns_per_s": round(annotating(model, material.target)),
            "long_turn_s": round(min(pasted(model, material.target[0]) for _ in range(REPEATS)), 3),
        }
    with tempfile.TemporaryDirectory() as scratch:
        say("dialogue.loop data=woz2 as a process of two threads")
        found["woz2_loop_s"] = round(spent((*LOOP, "--runs", str(Path(scratch) / "runs")), Path(scratch)), 1)
    return found


def annotating(model: Model, dialogues: list[Dialogue]) -> float:
    """Turns a second, the median of three, with nothing kept of an earlier time."""
    rates = []
    for _ in range(REPEATS):
        model.forget()
        raw = [each.unlabelled() for each in dialogues]
        start = time.perf_counter()
        model.roll_out(raw, [0.5] * len(raw))
        rates.append(sum(len(each.turns) for each in raw) / (time.perf_counter() - start))
    return sorted(rates)[REPEATS // 2]


def pasted(model: Model, example: Dialogue) -> float:
    """Seconds for one turn of LONG words, most of which name values."""
    said = " ".join(turn.user for turn in example.turns).split()
    text = " ".join((said * (LONG // len(said) + 1))[:LONG])
    long = replace(example, turns=(replace(example.turns[0], user=text, state=None),))
    model.forget()
    start = time.perf_counter()
    model.roll_out([long], [0.5])
    return time.perf_counter() - start


if __name__ == "__main__":
    main(dialogue)
