"""Result files: what a command measured, with the command, the commit, the machine and the date beside it."""

import json
import sys
from pathlib import Path
from typing import Any

from lineshaft.engine.run.options import cores
from lineshaft.engine.run.provenance import now, processor, revision, versions
from lineshaft.engine.run.store import write


def stamped(values: dict[str, Any], seeds: list[int] | None = None) -> dict[str, Any]:
    """The values under what a reader needs to judge them."""
    source = revision(Path(__file__).parent)
    return {
        "command": " ".join(["lineshaft", *sys.argv[1:]]),
        "commit": source["commit"] + ("+changes" if source["diff"] else ""),
        "date": now(),
        "processor": processor(),
        "cores": cores(),
        "versions": versions(),
        "seeds": seeds or [],
        **values,
    }


def save(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, json.dumps(values, indent=1) + "\n")
