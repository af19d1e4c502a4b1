"""`export`: finished runs as one small file an experiment."""

from pathlib import Path
from typing import Annotated

import typer

from lineshaft.cli.output import runs_folder, say
from lineshaft.cli.summary import Experiment, Runs, Where


def export(
    experiment: Experiment = None,
    out: Annotated[Path, typer.Option(help="folder for the files")] = Path("docs/results"),
    where: Where = None,
    arrays: Annotated[
        list[str] | None,
        typer.Option(help="arrays to keep too, by pattern: 'accuracy/*', '*'; may be given again"),
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="beside the runs that are kept there already")] = False,
    runs: Runs = None,
) -> None:
    """Keep finished runs as one small file an experiment, which every verb reads as if it were folders.

    `lineshaft claims --runs docs/results` then measures the claims on what was kept there.
    """
    from lineshaft.engine.keep.export import export as keep

    for each in keep(runs_folder(runs), out, experiment, where or (), arrays or (), add):
        say(f"{each.file}: {each.runs} runs, {each.file.stat().st_size / 1000:.0f} kB")
        if each.left_out:
            say(f"  {each.left_out} runs that are not done are left out")
        if each.arrays_left_out:
            names = ", ".join(each.arrays_left_out[:6])
            more = ", ..." if len(each.arrays_left_out) > 6 else ""
            say(f"  arrays left out: {names}{more}; --arrays keeps them")
