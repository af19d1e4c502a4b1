"""`claims`: the ledger of headline claims."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lineshaft.cli.output import RUNS_HELP, print_json, print_table, runs_folder

if TYPE_CHECKING:
    from lineshaft.engine.claims.ledger import Row


def claims(
    runs: Annotated[Path | None, typer.Option("--runs", help=RUNS_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="a list of rows, and nothing else")] = False,
) -> None:
    """Each headline claim: its value with a 95 % interval from finished runs, a verdict, the reason."""
    from lineshaft.engine.claims.ledger import rows

    found = rows(runs_folder(runs))
    if json:
        print_json([row.as_json() for row in found])
        return
    print_table([[r.id, value(r), r.verdict, r.claim] for r in found], ["id", "value", "verdict", "claim"])
    print()
    for row in found:
        print(textwrap.fill(f"{row.id}: {row.reason}", 100, subsequent_indent="  "))


def value(row: "Row") -> str:
    """`0.59 [0.58, 0.60]`, the interval where there is one."""
    if row.value is None:
        return ""
    if row.low is None or row.high is None:
        return f"{row.value:.3g}"
    return f"{row.value:.3g} [{row.low:.3g}, {row.high:.3g}]"
