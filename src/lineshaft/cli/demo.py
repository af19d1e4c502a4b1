"""`demo`: the four systems run for real, then a page that shows what they did."""

from pathlib import Path
from typing import Annotated

import typer

from lineshaft.cli.output import RUNS_HELP, runs_folder


def demo(
    real: Annotated[bool, typer.Option("--real", help="on real data below $LINESHAFT_DATA")] = False,
    runs: Annotated[Path | None, typer.Option("--runs", help=RUNS_HELP)] = None,
    retry: Annotated[bool, typer.Option("--retry", help="try failed runs again")] = False,
) -> int:
    """All four systems for real, on embedded inputs in minutes; a table and a page of what they did."""
    from lineshaft.cli.tour import EMBEDDED, REAL, tour

    return tour(REAL if real else EMBEDDED, runs_folder(runs), retry)
