"""`show`, `logs`, `stop`: one run at a time."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineshaft.cli.output import plain, print_json, runs_folder, say
from lineshaft.cli.summary import Runs

if TYPE_CHECKING:
    from lineshaft.engine.run.store import Folder

Run = Annotated[str, typer.Argument(help="a run's id, a part of it that no other run has, or its folder")]
PROVENANCE = ("commit", "command", "host", "processor", "device", "threads", "job", "start", "end", "outcome")
LOOK_EVERY = 0.3


def show(
    run: Run,
    json: Annotated[bool, typer.Option("--json", help="one object, and nothing else")] = False,
    runs: Runs = None,
) -> None:
    """One run: configuration (* where it is not the default), state, result, provenance, family, error."""
    from lineshaft.engine.table.pick import pick
    from lineshaft.engine.table.portrait import portrait

    found = portrait(pick(runs_folder(runs), run))
    if json:
        print_json(found)
        return
    print(plain(found["folder"]))
    print(headline(found))
    marked = found["non_default"]
    block("config", {k + ("*" if k in marked else ""): v for k, v in found["config"].items()})
    block("result" if found["result"] else "last logged", found["result"] or found["logged"])
    block("last execution", execution(found["provenance"]))
    for relation in ("parents", "children"):
        block(relation, dict.fromkeys(found[relation], ""))
    if found["error"]:
        print(f"\nerror\n{plain(found['error'].rstrip(), keep=chr(10))}")


def headline(found: Mapping[str, Any]) -> str:
    words = [found["state"], *(mark for mark in ("diverged", "stale") if found[mark])]
    note = f": {found['note']}" if found["note"] and not found["error"] else ""
    return plain(f"{' '.join(words)}, tries: {found['attempts']}{note}")


def block(title: str, values: Mapping[str, Any]) -> None:
    """Print a titled list of names and values; nothing where it is empty."""
    from lineshaft.engine.table.row import text_of

    if values:
        print(f"\n{title}")
        width = max(len(plain(key)) for key in values)
        for key, value in values.items():
            print(f"  {plain(key).ljust(width)}  {plain(text_of(value))}".rstrip())


def execution(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of provenance that fit on a screen; `show --json` has them all."""
    facts = {key: entry[key] for key in PROVENANCE if entry.get(key)}
    if entry.get("diff"):
        facts["commit"] = f"{facts.get('commit', '')} with changes"
    versions = entry.get("versions")
    return facts | (
        {"versions": ", ".join(f"{k} {v}" for k, v in versions.items())} if isinstance(versions, dict) else {}
    )


def logs(
    run: Run,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="go on until the run ends")] = False,
    runs: Runs = None,
) -> None:
    """What a run printed."""
    from lineshaft.engine.table.archive import Kept
    from lineshaft.engine.table.pick import pick
    from lineshaft.engine.table.portrait import log_file

    folder = pick(runs_folder(runs), run)
    if isinstance(folder, Kept):
        print(plain(folder.texts.get("log.txt", b"").decode(), keep="\n"), end="")
        return
    seen: dict[Path, int] = {}
    while True:
        more = follow and active(folder)
        file = log_file(folder.dir.parents[1], folder)
        seen[file] = copy(file, seen.get(file, 0))
        if not more:
            break
        time.sleep(LOOK_EVERY)
    if not any(seen.values()):
        say(f"{plain(folder.id)} has printed nothing; it is {folder.state()}")


def copy(file: Path, start: int) -> int:
    """Print what a file holds beyond `start`; its length now."""
    try:
        with file.open("rb") as log:
            log.seek(start)
            while data := log.read(1 << 20):
                sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return log.tell()
    except OSError:
        return start


def active(folder: "Folder") -> bool:
    """Whether more may be printed: it runs, or waits in Slurm's queue."""
    from lineshaft.engine.table.read import read, with_queue

    row = read(folder)
    return row is not None and with_queue([row])[0].state in ("running", "queued")


def stop(
    chosen: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="ids, unique parts of ids, or folders")
    ],
    runs: Runs = None,
) -> None:
    """Ask running runs to save at their next checkpoint and end as paused; the same command resumes them."""
    from lineshaft.engine.table.pick import pick

    for folder in [pick(runs_folder(runs), text) for text in chosen]:
        say(f"{plain(folder.id)}: {asked(folder)}")


def asked(folder: "Folder") -> str:
    """Leave the word in the folder of a running run; what happens then."""
    from lineshaft.engine.run.queue import ticket
    from lineshaft.engine.run.store import write
    from lineshaft.engine.table.read import read, with_queue

    row = read(folder)
    state = with_queue([row])[0].state if row else "new"
    if state == "running":
        write(folder.dir / "stop", "")
        return "asked to stop; it saves and pauses at its next checkpoint"
    if state == "queued":
        return f"waits in Slurm's queue; take it out with: scancel {ticket(folder)['job']}"
    return f"is {state}, not running: nothing to stop"
