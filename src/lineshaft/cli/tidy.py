"""`rename`, `rm`, `du`: order among old runs. Each shows what it would do until it is given --apply."""

from typing import Annotated

import typer

from lineshaft.cli.ls import State
from lineshaft.cli.output import plain, print_json, print_table, runs_folder, say
from lineshaft.cli.summary import Experiment, Runs, Where, names
from lineshaft.engine.errors import counted

Apply = Annotated[bool, typer.Option("--apply", help="do it; without this it is only shown")]
SHOWN = 3


def rename(experiment: Experiment = None, apply: Apply = False, runs: Runs = None) -> int:
    """After a changed default: give old runs the name that their stored configuration has now."""
    from lineshaft.engine.keep import rename as renaming

    planned = renaming.moves(runs_folder(runs), experiment)
    going = [move for move in planned if not move.obstacle]
    for move in planned:
        arrow = f"stays: {move.obstacle}" if move.obstacle else f"-> {move.name}"
        print(plain(f"{move.row.id} {arrow}"))
    if apply:
        renaming.apply(runs_folder(runs), planned)
    say(done(len(going), "renamed", apply))
    return 1 if len(going) < len(planned) else 0


def done(count: int, what: str, applied: bool) -> str:
    if not count:
        return f"nothing to be {what}"
    runs = counted(count, "run")
    return f"{runs} {what}" if applied else f"{runs} would be {what}; --apply does it"


def rm(
    run: Annotated[list[str] | None, typer.Argument(help="ids, unique parts of ids, or folders")] = None,
    experiment: Annotated[str | None, typer.Option(help="only runs of this experiment")] = None,
    state: State = None,
    stale: Annotated[bool, typer.Option("--stale", help="done runs whose code changed since")] = False,
    where: Where = None,
    apply: Apply = False,
    runs: Runs = None,
) -> None:
    """Remove runs, whole folders; running and queued ones are refused."""
    from lineshaft.engine.keep.removal import carry_out, to_remove

    found = to_remove(runs_folder(runs), run or (), names(state), where or (), experiment, stale)
    for each in found:
        home = each.row.folder.dir
        print(plain(f"{each.row.state} {each.row.id}"))
        if home.is_symlink():
            say(plain(f"{each.row.id} is a link and goes alone: {home.resolve()} stays"))
        if each.orphans:
            more = f" and {len(each.orphans) - SHOWN} more" if len(each.orphans) > SHOWN else ""
            say(plain(f"warning: {', '.join(each.orphans[:SHOWN])}{more} started from {each.row.id}"))
    if apply:
        carry_out(found)
    say(done(len(found), "removed", apply))


def du(
    experiment: Experiment = None,
    prune: Annotated[
        str | None, typer.Option(help="keep of each done run's checkpoints: best, last or none")
    ] = None,
    where: Where = None,
    apply: Apply = False,
    json: Annotated[bool, typer.Option("--json", help="a list, and nothing else")] = False,
    runs: Runs = None,
) -> None:
    """Disk use of each experiment; with --prune the checkpoints of done runs that can go."""
    from dataclasses import asdict

    from lineshaft.engine.keep.usage import usage
    from lineshaft.engine.table.read import rows

    if prune is not None:
        remove_checkpoints(runs, prune, experiment, where, apply)
        return
    lines = usage(rows(runs_folder(runs), experiment, where or ()))
    if json:
        print_json([asdict(line) for line in lines])
        return
    table = [[plain(u.experiment), u.runs, size(u.total), size(u.checkpoints)] for u in lines]
    if table:
        print_table(table, ["experiment", "runs", "on disk", "checkpoints"])


def remove_checkpoints(
    runs: Runs, keep: str, experiment: str | None, where: list[str] | None, apply: bool
) -> None:
    from lineshaft.engine.keep import usage

    found = usage.prunings(runs_folder(runs), keep, experiment, where or ())
    for each in found:
        print(plain(f"{each.row.id}: {', '.join(sorted(f.name for f in each.files))}"))
    if apply:
        usage.apply(found)
    say(f"{size(sum(each.freed for each in found))}; {done(len(found), 'pruned', apply)}")


def size(count: int) -> str:
    """`812 B`, `1.4 kB`, `20.3 MB`."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} B" if units[0] == "B" else f"{value:.1f} {units[0]}"
