"""The application of one worker: pages, API, static files, health and metrics, inside the guard."""

from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from lineshaft.recommend.site import api, fault, pages
from lineshaft.recommend.site.counters import Counters
from lineshaft.recommend.site.desk import Desk
from lineshaft.recommend.site.guard import Guard, Rates
from lineshaft.recommend.site.shelf import Shelf

KNOWN = {"body", *(name for model in (api.Search, api.Ask, api.ListIn) for name in model.model_fields)}


def application(shelf: Shelf, counters: Counters, rate: float = 20.0) -> Guard:
    """The site over a shelf; `rate`: requests a second and client in the long run, 0: any number."""
    app = FastAPI(
        title="lineshaft recommend",
        version=version("lineshaft"),
        description=f"Recommendations for guests. What is kept of a guest? {api.STORED}",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name whatever host the request names
    )
    app.state.shelf = shelf
    app.state.desk = Desk()
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=pages.HERE / "static"))
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _refused)

    @app.api_route("/health", methods=["GET", "HEAD"], include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(counters.exposed(), media_type="text/plain; version=0.0.4")

    return Guard(app, counters, Rates(rate))


async def _not_valid(request: Request, error: Exception) -> Response:
    """Which fields are wrong and how, by their known names and the kind of the fault: never the input."""
    assert isinstance(error, RequestValidationError)
    faults = []
    for wrong in error.errors()[:20]:
        place = ".".join(str(p) for p in wrong["loc"] if isinstance(p, int) or p in KNOWN)
        faults.append(f"{place}: {wrong['type']}")
    return JSONResponse({"error": fault.WORDS[422], "fields": faults}, 422)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind, body = fault.answer(request.url.path, request.headers.get("accept", ""), error.status_code)
    return Response(body, error.status_code, headers=error.headers, media_type=kind)
