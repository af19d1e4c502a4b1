"""Figures: printed for a person or a program, and kept with command, commit, machine and date beside them."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lineshaft.cli.output import print_json, print_table, say
from lineshaft.engine.run.options import cores
from lineshaft.engine.run.provenance import now, processor, revision, versions
from lineshaft.engine.run.store import write

Measure = Callable[[Callable[[str], None]], dict[str, Any]]
"""Takes what is called with each step of the measurement, returns names and figures."""


def main(measure: Measure, words: list[str] | None = None) -> None:
    """Measure, print, and write a file where one is asked for."""
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", type=Path, help="also write the figures to this file")
    asked = parser.parse_args(words)
    revision(Path(__file__).parent)  # kept from here on: others may commit while this measures
    figures = measure(say)
    if asked.out is not None:
        save(asked.out, stamped(figures))
    if asked.json:
        print_json(figures)
    else:
        print_table(flat(figures), ["figure", "value"])


def stamped(values: dict[str, Any], seeds: list[int] | None = None) -> dict[str, Any]:
    """The values under what a reader needs to judge them."""
    source = revision(Path(__file__).parent)
    return {
        "command": " ".join(["python -m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
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


def flat(values: dict[str, Any], prefix: str = "") -> list[list[str]]:
    """Nested figures as rows: `peers: hydra basic`, its value."""
    rows = []
    for key, value in values.items():
        rows += flat(value, f"{prefix}{key}: ") if isinstance(value, dict) else [[prefix + key, str(value)]]
    return rows
