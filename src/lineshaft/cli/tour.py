"""What `demo` shows: one step a system, computed side by side, then a row a system and the report."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lineshaft.cli.board import Board
from lineshaft.cli.output import last_line, plain, say
from lineshaft.engine.data.dataset import locate
from lineshaft.engine.errors import RequestError, counted
from lineshaft.engine.launch.child import DONE, FAILED
from lineshaft.engine.launch.local import Launcher, warm_up
from lineshaft.engine.launch.task import Task, task
from lineshaft.engine.report.origin import computing_time
from lineshaft.engine.report.page import write_report
from lineshaft.engine.run.options import Options, cores
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.grid import grid
from lineshaft.engine.table.cells import spelled

MOST_AT_ONCE = 4
PLAIN_WIDTH = 110


@dataclass(frozen=True)
class Step:
    """What a system shows: the words a person would type, the metrics worth a line, the parameter by which
    its rows are labelled, the data they need, whether the system's module `example` tells of its run."""

    experiment: str
    commands: tuple[str, ...] = ("",)
    metrics: tuple[str, ...] = ()
    by: str = "seed"
    data: tuple[str, ...] = ()
    example: bool = False

    @property
    def system(self) -> str:
        return self.experiment.partition(".")[0]


FAST_PARTICLES = ("nonthermal/electron_fraction", "nonthermal/electron_energy_share")
RECALL = ("test/recall@100", "guest/recall@100")
NEIGHBOURS = ("test/knn_task", "test/knn_class")
JOINT_GOALS = ("lower/jga", "all/jga", "oracle/jga")
HYBRID = ("hybrid/field", "core/field")
EMBEDDED = (
    Step("dialogue.loop", ("annotator=scorer",), JOINT_GOALS),
    Step("plasma.simulate", metrics=FAST_PARTICLES),
    Step("plasma.rollout", metrics=HYBRID),
    Step("recommend.guest", ("model=popularity,wmf,ease",), RECALL, "model"),
    Step("recommend.train", ("model=ease baskets=[3]",), ("val/recall@100", "val3/recall@100"), example=True),
    Step("continual.stream", ("schedule=finetune,lpft",), NEIGHBOURS, "schedule"),
)
REAL = (
    Step("dialogue.loop", ("data=woz2,xrisawoz",), JOINT_GOALS, "data", ("woz2", "xrisawoz")),
    Step(
        "continual.stream",
        ("data=cifar10 data.train_size=100 data.test_size=50 epochs=4 schedule=finetune,lpft",),
        NEIGHBOURS,
        "schedule",
        ("cifar10",),
    ),
    Step("plasma.simulate", ("seed=0..2",), FAST_PARTICLES),
    Step(
        "recommend.guest",
        (
            "data=citeulike-a model=popularity",
            "data=citeulike-a model=wmf model.factors=200 model.alpha=20",
            "data=citeulike-a model=ease model.lam=70",
        ),
        RECALL,
        "model",
        ("citeulike-a",),
    ),
)
"""Both with the longest first, so that none is left to run alone."""


def tour(steps: Sequence[Step], runs: Path, retry: bool = False) -> int:
    """Compute what is left of the steps, print a row for each, write the page and print where it lies."""
    check_data(steps)
    warm_up([step.experiment for step in steps], threads=1)
    plan = [(step, tasks_of(step, runs)) for step in steps]
    code = launch([each for _, tasks in plan for each in tasks], retry)
    if code in (DONE, FAILED):
        rows = [row(step, [each.folder for each in tasks]) for step, tasks in plan]
        print_rows(rows)
        for step, tasks in plan:
            print_example(step, tasks[0].folder)
        say("a site for guests, on the embedded books: lineshaft serve recommend")
        print(f"{write_report(runs, [step.experiment for step in steps], runs / 'report.html')}")
    return code


def check_data(steps: Sequence[Step]) -> None:
    """Before any work starts: what is missing, for all systems at once."""
    faults = []
    for step in steps:
        for name in step.data:
            known = {d.name: d for d in importlib.import_module(f"lineshaft.{step.system}.data").DATASETS}
            try:
                locate(known[name])
            except RequestError as error:
                faults.append(str(error))
    if faults:
        raise RequestError("\n\n".join(faults))


def tasks_of(step: Step, runs: Path) -> list[Task]:
    model = find(step.experiment).config
    configs = [config for words in step.commands for config in grid(model, words.split())]
    return [task(step.experiment, config, runs) for config in configs]


def launch(tasks: Sequence[Task], retry: bool) -> int:
    """All runs side by side, whichever system they belong to; one thread each, so that results repeat."""
    options = Options(device="cpu", threads=1, retry=retry)
    ticker = Ticker(tasks)
    launcher = Launcher(tasks, options, min(cores(), MOST_AT_ONCE), changed=ticker.show)
    systems = len({each.address for each in tasks})
    of = f"{counted(launcher.total, 'run')} of {counted(systems, 'system')}"
    say(f"{launcher.count('waiting')} of {of} to do")
    code = launcher.run()
    ticker.finish(launcher)
    return code


class Ticker(Board):
    """The board of a sweep, and above it one calm line for each run that ends."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.unreported = {t.folder.id: t.folder for t in tasks if t.folder.state() != "done"}

    def show(self, launcher: Launcher) -> None:
        for run_id in [i for i in self.unreported if launcher.states[i] in ("done", "failed")]:
            self.tell(self.unreported.pop(run_id), launcher.states[run_id])
        super().show(launcher)

    def tell(self, folder: Folder, state: str) -> None:
        reason = f": {last_line(folder.dir / 'error.txt')}" if state == "failed" else ""
        erase = "\r\x1b[K" if self.live else ""
        print(f"{erase}{state}  {computing_time([folder]):>10}  {plain(folder.id + reason)}", file=sys.stderr)


def print_rows(rows: Sequence[Sequence[str]]) -> None:
    """One row a system, cells wrapped to the terminal; not wrapped where the output is not a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0), header_style="dim")
    for name in ("system", "what was run", "what came of it", "computing"):
        table.add_column(
            name, justify="right" if name == "computing" else "left", no_wrap=name in ("system", "computing")
        )
    for cells in rows:
        table.add_row(*(Text(cell) for cell in cells))
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(table)


def print_example(step: Step, folder: Folder) -> None:
    """What a finished run answers to somebody, where the system has such a thing to tell."""
    if step.example and folder.state() == "done":
        module = importlib.import_module(f"lineshaft.{step.system}.example")
        print("\n".join(map(plain, module.lines(folder.dir))) + "\n")


def row(step: Step, folders: Sequence[Folder]) -> list[str]:
    """The system, the words, the headline metrics, the time its runs took."""
    states = [folder.state() for folder in folders]
    found = [text for metric in step.metrics if (text := metric_text(step, metric, folders))]
    failed = [f"{states.count('failed')} of {len(states)} failed"] if "failed" in states else []
    commands = "\n".join(f"{step.experiment} {words}".strip() for words in step.commands)
    return [step.system, commands, "\n".join([*found, *failed]), computing_time(folders)]


def metric_text(step: Step, metric: str, folders: Sequence[Folder]) -> str:
    """`metric .25` for one run, `metric: popularity .25, wmf .85` for several."""
    done = {folder: values[metric] for folder in folders if metric in (values := folder.result())}
    if not done:
        return ""
    if len(folders) == 1:
        return f"{metric} {spelled(done[folders[0]])}"
    return f"{metric}: " + ", ".join(f"{label(each, step.by)} {spelled(done[each])}" for each in done)


def label(folder: Folder, by: str) -> str:
    """`seed 0`, or the value of another parameter; of a choice, its name."""
    value = folder.config()[by]
    return f"seed {value}" if by == "seed" else str(value["name"] if isinstance(value, dict) else value)
