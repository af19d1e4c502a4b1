"""What the runs of an experiment were computed with; shared facts are listed once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.progress import clock
from lineshaft.engine.run.store import Folder
from lineshaft.engine.table.listing import stamp
from lineshaft.engine.table.row import executions

MOST = 6
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
    listed = list(map(lines_of, last))
    names = dict.fromkeys(name for lines in listed for name in lines)
    found = [fact(name, Counter(v for lines in listed for v in lines.get(name, []))) for name in names]
    return [f for f in found if f.values]


def lines_of(entry: Entry) -> dict[str, list[str]]:
    """What one execution tells; nothing where it lacks something or holds it in another shape."""
    try:
        return {
            "commit": [commit(entry)],
            "versions": [", ".join(f"{k} {v}" for k, v in entry["versions"].items())],
            "processor": [machine(entry)],
            "data": data(entry),
            "command": [str(entry["command"])],
        }
    except (LookupError, AttributeError, TypeError):
        return {}


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
    return clock(sum(seconds(entry) for folder in runs for entry in executions(folder)))


def seconds(entry: Entry) -> float:
    """How long an execution took; 0 where it has not ended or a time cannot be read."""
    start, end = stamp(entry.get("start")), stamp(entry.get("end"))
    if start is None or end is None:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def faults(runs: Iterable[Folder]) -> Iterator[str]:
    """Runs of whose executions something cannot be read."""
    for folder in runs:
        try:
            entries = folder.provenance()
        except RequestError as error:
            yield str(error)
            continue
        times = [entry[key] for entry in entries for key in ("start", "end") if entry.get(key) is not None]
        if wrong := [time for time in times if stamp(time) is None]:
            yield f"{folder.dir / 'provenance.json'}: {wrong[0]!r:.60} is not a time, so it is not counted"
