"""What the runs of an experiment were computed with, told once where it is the same for many."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineshaft.engine.progress import clock
from lineshaft.engine.runs.table import executions
from lineshaft.engine.store import Folder

MOST = 6
NEEDED = {"commit", "diff", "versions", "processor", "device", "threads", "host", "data", "command"}
Entry = dict[str, Any]


@dataclass(frozen=True)
class Fact:
    """One line of provenance: a name and its values, each with the number of runs it holds for."""

    name: str
    values: list[tuple[str, int]]
    more: int = 0


def facts(runs: Sequence[Folder]) -> list[Fact]:
    """Commit, versions, processor and threads, data and commands, from the last execution of each run."""
    last = [entries[-1] for folder in runs if (entries := executions(folder))]
    entries = [entry for entry in last if entry.keys() >= NEEDED]
    lines: list[tuple[str, Callable[[Entry], Iterable[str]]]] = [
        ("commit", lambda e: [commit(e)]),
        ("versions", lambda e: [", ".join(f"{k} {v}" for k, v in e["versions"].items())]),
        ("processor", lambda e: [machine(e)]),
        ("data", data),
        ("command", lambda e: [e["command"]]),
    ]
    found = [fact(name, Counter(v for e in entries for v in values(e))) for name, values in lines]
    return [f for f in found if f.values]


def fact(name: str, counts: Counter[str]) -> Fact:
    return Fact(name, counts.most_common(MOST), max(0, len(counts) - MOST))


def commit(entry: Entry) -> str:
    """The commit, and whether tracked files differed from it."""
    if not entry["commit"]:
        return "not in a git checkout"
    return str(entry["commit"])[:12] + (" with uncommitted changes" if entry["diff"] else "")


def machine(entry: Entry) -> str:
    """`Intel(R) Xeon(R) Processor, cpu, 1 thread, host n01`."""
    threads = f"{entry['threads']} thread{'s' if entry['threads'] != 1 else ''}"
    return f"{entry['processor']}, {entry['device']}, {threads}, host {entry['host']}"


def data(entry: Entry) -> list[str]:
    """`citeulike-a: users.dat 0123456789ab` for each file a run read."""
    return [
        f"{name}: {file} {sum_[:12]}" for name, sums in entry["data"].items() for file, sum_ in sums.items()
    ]


def computing_time(runs: Iterable[Folder]) -> str:
    """The time all executions took together."""
    spans = [
        (e["start"], e["end"])
        for folder in runs
        for e in executions(folder)
        if e.get("start") and e.get("end")
    ]
    return clock(sum((moment(end) - moment(start)).total_seconds() for start, end in spans))


def moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
