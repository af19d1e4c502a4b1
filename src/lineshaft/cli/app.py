"""The verbs, in the order in which a person meets them."""

import functools

import typer

from lineshaft.cli import (
    claims,
    data,
    demo,
    export,
    ls,
    relaunch,
    report,
    run,
    serve,
    show,
    summary,
    sync,
    tidy,
)
from lineshaft.cli.output import register

app = typer.Typer(
    name="lineshaft",
    help="One experiment engine that drives four research systems. Start with `lineshaft demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

verb = functools.partial(register, app)
verb(run.run, add_help_option=False)
verb(run.sweep)
verb(ls.ls)
verb(show.show)
verb(show.logs)
verb(show.stop)
verb(summary.summary)
verb(relaunch.relaunch)
verb(tidy.rename)
verb(tidy.rm)
verb(tidy.du)
verb(sync.sync)
verb(export.export)
verb(report.report)
verb(claims.claims)
verb(demo.demo)
app.add_typer(data.app, name="data")
app.add_typer(serve.app, name="serve")
