"""The pages: one form that works without JavaScript; htmx only exchanges its parts faster.

Every page is an answer to a POST whose body holds the whole visit. Nothing of it is in an address.
"""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser

from lineshaft.recommend.site import visit as visits
from lineshaft.recommend.site.api import STORED
from lineshaft.recommend.site.artefact import Artefact, Item
from lineshaft.recommend.site.guard import LIST_BODY
from lineshaft.recommend.site.lists import MOST_BYTES, Refused
from lineshaft.recommend.site.visit import Visit, acted
from lineshaft.recommend.site.wish import MOST_SHOWN, Found, recommend

# Parts of a form stay in memory: by default an upload of more than a megabyte is written to a temporary file.
MultiPartParser.spool_max_size = LIST_BODY + 1
MOST_TAGS = 24
QUOTED = 320
"""Characters of a written recommendation that are shown at once."""
MOST_FIELDS = 2 * sum(visits.MOST.values())
HERE = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def front(request: Request) -> HTMLResponse:
    return _page(request, Visit())


@router.post("/")
async def changed(request: Request) -> HTMLResponse:
    """The page after one button or one changed filter."""
    artefact = request.app.state.shelf.artefact
    fields = await _fields(request)
    state = visits.read(fields, artefact)
    action = next(iter(fields.get("do", ())), "")
    return _page(request, acted(state, action, artefact), looked="find" in action)


@router.post("/find")
async def find(request: Request) -> HTMLResponse:
    """Titles that may be meant, while they are typed."""
    state = visits.read(await _fields(request), request.app.state.shelf.artefact)
    return _html("suggestions.html", suggestions=_suggestions(request, state), visit=state, looked=True)


@router.post("/import")
async def import_list(request: Request) -> HTMLResponse:
    """The page with a list's titles in the basket, and the number of those that were not found."""
    artefact: Artefact = request.app.state.shelf.artefact
    fields = await _fields(request)
    state = visits.read(fields, artefact)
    told: dict[str, object]
    raw = next((text.encode() for text in reversed(fields.get("list", ())) if text.strip()), b"")
    try:
        found = await request.app.state.desk.read(fields.get("file") or raw, artefact)
    except Refused as error:
        told = {"refused": str(error)}
    else:
        ids = artefact.scorer.catalogue.ids
        for kind, where in (("seen", "seen"), ("dropped", "unwanted"), ("liked", "basket")):
            state = state.put(where, [ids[row] for row in found.rows[kind]])
        count = sum(map(len, found.rows.values()))
        told = {"taken": count, "planned": found.planned, "unmatched": found.unmatched}
    return _page(request, state, imported=told)


@router.api_route("/how-it-works", methods=["GET", "HEAD", "POST"])
async def how_it_works(request: Request) -> HTMLResponse:
    """By POST with the visit, so that the way back leads to it."""
    artefact = request.app.state.shelf.artefact
    state = visits.read(await _fields(request), artefact)
    return _html("how.html", about=artefact.about, stored=STORED, visit=state)


async def _fields(request: Request) -> dict[str, Any]:
    """All fields of a form by name, the file's bytes as `file`; nothing where the body is not a form."""
    fields: dict[str, Any] = {}
    try:
        async with request.form(
            max_files=1, max_fields=MOST_FIELDS, max_part_size=MOST_BYTES + 1
        ) as form:  # left, it lets go of the uploaded file
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    fields["file"] = await value.read()
                else:
                    fields.setdefault(name, []).append(value)
    except HTTPException:
        pass
    return fields


def _page(
    request: Request, state: Visit, looked: bool = False, imported: dict[str, Any] | None = None
) -> HTMLResponse:
    shelf = request.app.state.shelf
    artefact = shelf.artefact
    wish = state.wish(artefact)
    found = recommend(artefact, wish, shelf.blocked)
    shown = artefact.items([one.row for one in found])
    return _html(
        "page.html",
        about=artefact.about,
        stored=STORED,
        visit=state,
        looked=looked or bool(state.query),
        suggestions=_suggestions(request, state) if state.query else [],
        basket=artefact.items(wish.basket),
        seen=artefact.items(wish.seen),
        unwanted=artefact.items(wish.unwanted),
        results=[_result(artefact, item, one) for item, one in zip(shown, found)],
        tags=artefact.tags[:MOST_TAGS],
        more=len(found) == wish.count < min(MOST_SHOWN, len(artefact)),
        imported=imported,
    )


def _suggestions(request: Request, state: Visit) -> list[Item]:
    shelf = request.app.state.shelf
    row = shelf.artefact.scorer.catalogue.row
    taken = {row[item] for item in state.basket if item in row} | shelf.blocked_rows
    found = [
        number
        for number in shelf.artefact.index.find(state.query, 8 + min(len(taken), 40))
        if number not in taken
    ]
    items: list[Item] = shelf.artefact.items(found[:8])
    return items


def _result(artefact: Artefact, item: Item, found: Found) -> dict[str, Any]:
    """An item with its reason in the words of the page."""
    reason, row = found.reason, artefact.scorer.catalogue.row
    names = [name for name in (reason.because, reason.through) if name]
    titles = dict(zip(names, (i.title for i in artefact.items([row[name] for name in names]))))
    text = reason.text.split("\n")[0].strip()
    return {
        "item": item,
        "kind": reason.kind,
        "because": titles.get(reason.because or "", ""),
        "through": titles.get(reason.through or "", ""),
        "shared": reason.shared[:4],
        "quote": _cut(text),
        "rest": text if len(text) > QUOTED else "",
    }


def _cut(text: str) -> str:
    """The beginning of a text, at a word's end."""
    return text if len(text) <= QUOTED else text[:QUOTED].rsplit(" ", 1)[0] + " …"


def _html(template: str, **values: Any) -> HTMLResponse:
    return HTMLResponse(TEMPLATES.get_template(template).render(**values))
