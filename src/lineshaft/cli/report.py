"""`report`: a page about runs."""

from pathlib import Path
from typing import Annotated

import typer

from lineshaft.cli.output import RUNS_HELP, runs_folder


def report(
    experiments: Annotated[
        list[str] | None, typer.Argument(help="SYSTEM.EXPERIMENT ... (default: all)")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="the page (default: report.html in the runs folder)")
    ] = None,
    runs: Annotated[Path | None, typer.Option("--runs", help=RUNS_HELP)] = None,
) -> None:
    """One self-contained HTML page: tables, learning curves, pictures, provenance, claims."""
    from lineshaft.engine.report.page import write_report

    home = runs_folder(runs)
    print(write_report(home, experiments or [], out or home / "report.html"))
