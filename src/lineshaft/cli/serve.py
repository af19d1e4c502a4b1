"""`serve recommend`: a site for guests on a model of one's own, or on the embedded sample."""

from pathlib import Path
from typing import Annotated

import typer

from lineshaft.cli.output import RUNS_HELP, runs_folder, say
from lineshaft.engine.errors import RequestError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def serve() -> None:
    """Serve a system to its users."""


@app.command(short_help="A site for guests, on a model of your own or on a sample.")
def recommend(
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help="a run of recommend.site or recommend.train, or its folder (default: a sample)"
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="port; 0: any free one")] = 8000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="processes that answer")] = 1,
    rate: Annotated[
        float, typer.Option("--rate", min=0, help="requests a second and client; 0: no limit")
    ] = 20.0,
    block: Annotated[
        Path | None, typer.Option("--block", help="file of ids or titles that are never shown")
    ] = None,
    proxies: Annotated[
        str, typer.Option("--proxies", help="addresses of proxies whose X-Forwarded-For counts")
    ] = "",
    runs: Annotated[Path | None, typer.Option("--runs", help=RUNS_HELP)] = None,
) -> int:
    """A site where guests name a few titles and get recommendations with reasons; nothing of them is kept.

    SIGHUP loads a new model without a failed request, SIGTERM ends it when all are answered.
    """
    import tempfile

    try:
        from lineshaft.recommend.site import app as _  # noqa: F401  what every worker needs, before any is started
        from lineshaft.recommend.site.server import Server
        from lineshaft.recommend.site.shelf import Shelf
        from lineshaft.recommend.site.source import found
    except ModuleNotFoundError as error:
        raise RequestError(f"{error.name} is missing: pip install 'lineshaft[recommend,web]'") from None

    folder = runs_folder(runs)
    with tempfile.TemporaryDirectory(prefix="lineshaft-site-") as scratch:
        place = found(model, folder, Path(scratch))
        server = Server(
            lambda: Shelf(lambda: place if model is None else found(model, folder, Path(scratch)), block),
            host,
            port,
            workers,
            rate,
            proxies,
            lambda address: say(f"serving {address}  (Ctrl-C ends it)"),
        )
        return server.run()
