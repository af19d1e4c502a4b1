"""`sync`: runs mirrored to a tracker from their files, whenever and however often."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lineshaft.cli import DONE, FAILED
from lineshaft.cli.output import plain, runs_folder, say
from lineshaft.cli.summary import Runs

if TYPE_CHECKING:
    from lineshaft.engine.run.store import Folder
    from lineshaft.engine.track.mirror import Tracker


def sync(
    to: Annotated[str, typer.Option("--to", help="wandb or tensorboard")],
    chosen: Annotated[
        list[str] | None,
        typer.Argument(metavar="[EXPERIMENT|RUN]...", help="experiments, ids or folders (default: all runs)"),
    ] = None,
    runs: Runs = None,
) -> int:
    """Mirror runs to a tracker, also those computed offline or long ago. Doing it again changes nothing."""
    from lineshaft.engine.track.mirror import tracker

    opens = tracker(to)
    outcomes = Counter(mirrored(folder, to, opens) for folder in selected(runs_folder(runs), chosen or ()))
    say(", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()) or "no runs")
    return FAILED if outcomes["failed"] else DONE


def mirrored(folder: "Folder", to: str, opens: Callable[["Folder"], "Tracker"]) -> str:
    """What became of one run; a running one is left alone, since its own sink writes to the same place."""
    from lineshaft.engine.track.mirror import mirror

    if folder.state() == "running":
        say(f"{plain(folder.id)} is running: mirror it when it has ended, or start it with --track {to}")
        return "running"
    try:
        mirror(folder, opens)
    except Exception as error:
        say(f"{plain(folder.id)}: {type(error).__name__}: {plain(str(error))[:300]}")
        return "failed"
    return "mirrored"


def selected(runs: Path, chosen: Sequence[str]) -> list["Folder"]:
    """Every run, or those of the experiments and the runs named, each once."""
    from lineshaft.engine.run.store import folders
    from lineshaft.engine.table.pick import pick
    from lineshaft.engine.table.read import experiments

    if not chosen:
        return [folder for folder in folders(runs) if (folder.dir / "config.json").exists()]
    known = experiments(runs)
    lists = [folders(runs, text) if text in known else [pick(runs, text)] for text in chosen]
    return list(dict.fromkeys(folder for found in lists for folder in found))
