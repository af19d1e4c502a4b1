"""`bench`: side-by-side speed, measured in one go with named peers."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lineshaft.cli.output import print_json, print_table, say
from lineshaft.engine.errors import RequestError, nearest

BENCHES = {"engine": "lineshaft.engine.bench.bench:engine", "pic": "lineshaft.plasma.bench:pic"}


def bench(
    name: Annotated[str, typer.Argument(help=f"what to measure: {', '.join(BENCHES)}")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    out: Annotated[Path | None, typer.Option(help="also write the figures to this file")] = None,
) -> None:
    """Measure speed beside named peers. Peers come with the extra `bench`: make .venv/bench-ready."""
    if name not in BENCHES:
        raise RequestError(f"no bench {name}{nearest(name, BENCHES)}")
    figures = measure(name)
    if out is not None:
        from lineshaft.engine.bench.results import save, stamped

        save(out, stamped(figures))
    if as_json:
        print_json(figures)
    else:
        print_table(flat(figures), ["figure", "value"])


def measure(name: str) -> dict[str, Any]:
    module, _, function = BENCHES[name].partition(":")
    found: Callable[[Callable[[str], None]], dict[str, Any]] = getattr(
        importlib.import_module(module), function
    )
    return found(say)


def flat(values: dict[str, Any], prefix: str = "") -> list[list[str]]:
    rows = []
    for key, value in values.items():
        rows += flat(value, f"{prefix}{key}: ") if isinstance(value, dict) else [[prefix + key, str(value)]]
    return rows
