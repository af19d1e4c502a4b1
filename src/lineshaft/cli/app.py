"""The verbs, in the order in which a person meets them."""

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
    show,
    summary,
    sync,
    tidy,
)

app = typer.Typer(
    name="lineshaft",
    help="One experiment engine that drives four research systems. Start with `lineshaft demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command(add_help_option=False)(run.run)
app.command()(run.sweep)
app.command()(ls.ls)
app.command()(show.show)
app.command()(show.logs)
app.command()(show.stop)
app.command()(summary.summary)
app.command()(relaunch.relaunch)
app.command()(tidy.rename)
app.command()(tidy.rm)
app.command()(tidy.du)
app.command()(sync.sync)
app.command()(export.export)
app.command()(report.report)
app.command()(claims.claims)
app.command()(demo.demo)
app.add_typer(data.app, name="data")
