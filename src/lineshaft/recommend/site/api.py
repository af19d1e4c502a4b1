"""The JSON API: a basket in, recommendations with reasons out. Described by /openapi.json."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from lineshaft.recommend.site.artefact import Artefact
from lineshaft.recommend.site.lists import MOST_BYTES, Refused
from lineshaft.recommend.site.wish import MOST_ASIDE, MOST_BASKET, MOST_SHOWN, Found, Wish, recommend

Id = Annotated[str, Field(min_length=1, max_length=200)]
Ids = Annotated[list[Id], Field(max_length=MOST_BASKET)]
Aside = Annotated[list[Id], Field(max_length=MOST_ASIDE)]
Tags = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Fault(Model):
    """What is wrong with a request; nothing of the request is repeated."""

    error: str
    fields: list[str] = Field([], description="fields that are wrong, and how")


class Search(Model):
    text: str = Field(max_length=200, description="a title, also with typing errors")
    limit: int = Field(8, ge=1, le=50)


class Title(Model):
    id: str
    title: str
    by: str
    year: int | None
    tags: list[str]


class Ask(Model):
    """The defaults filter nothing but sequels of the basket."""

    basket: Ids = Field([], description="ids of what the guest likes")
    seen: Aside = Field([], description="ids not to show")
    unwanted: Aside = Field([], description="ids not to show, and to lean away from")
    sequels: bool = Field(False, description="show further parts of a series in the basket")
    only: Tags = Field([], description="tags of which an item must have one")
    without: Tags = Field([], description="tags that an item must not have")
    least_members: float = Field(0, ge=0, le=1e12)
    most_members: float | None = Field(None, ge=0, le=1e12)
    popularity: float = Field(0, ge=-1, le=1, description="-1: little known first; 1: well known first")
    count: int = Field(10, ge=1, le=MOST_SHOWN)


class Why(Model):
    kind: str = Field(description="written, linked, path, shared, taste or popular")
    because: str | None = Field(description="id of the basket item that contributes most")
    text: str = Field(description="a written recommendation of the pair, word for word")
    through: str | None = Field(description="id of the item that both are linked to")
    shared: list[str] = Field(description="tags or words of the titles that both have")


class Recommended(Title):
    score: float
    reason: Why


class Answered(Model):
    items: list[Recommended]
    unknown: list[int] = Field(description="positions in the basket whose ids are not in the catalogue")


class ListIn(Model):
    text: str = Field(
        max_length=MOST_BYTES, description="titles, one a line; or a MyAnimeList export; or AniList's JSON"
    )


class ListOut(Model):
    liked: list[str]
    seen: list[str] = Field(description="scored low: known, but no sign of taste")
    dropped: list[str]
    planned: int = Field(description="entries that are only planned; they count for nothing")
    unmatched: list[str] = Field(description="titles that were not found")


class About(Model):
    name: str
    things: str
    note: str
    items: int
    stored: str = Field(description="what is kept of a guest")
    figures: dict[str, float]


STORED = "Nothing: no account, no cookie, no log of what you ask; your list lives in your page alone."
FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": Fault, "description": text}
    for status, text in {
        400: "not to be read",
        413: "too long",
        422: "not valid",
        429: "too many requests",
        503: "too many lists at a time",
    }.items()
}
router = APIRouter(prefix="/api/v1", responses=FAULTS)


def artefact_of(request: Request) -> Artefact:
    """The artefact that is served at this moment; a request keeps the one that it began with."""
    found: Artefact = request.app.state.shelf.artefact
    return found


@router.get("/about")
async def about(request: Request) -> About:
    """What is served here."""
    artefact = artefact_of(request)
    told = {name: artefact.about[name] for name in ("name", "things", "note", "items", "figures")}
    return About(**told, stored=STORED)


@router.post("/search")
async def search(asked: Search, request: Request) -> list[Title]:
    """Titles that the text may mean, best first."""
    shelf = request.app.state.shelf
    artefact, blocked = shelf.artefact, shelf.blocked_rows
    rows = [row for row in artefact.index.find(asked.text, asked.limit + len(blocked)) if row not in blocked]
    return _titles(artefact, rows[: asked.limit])


@router.post("/recommendations", response_model=Answered)
async def recommendations(asked: Ask, request: Request) -> Response:
    """Recommendations for a basket of ids; an empty basket gets what is popular."""
    shelf = request.app.state.shelf
    artefact = shelf.artefact
    row = artefact.scorer.catalogue.row
    known = {
        name: [row[i] for i in getattr(asked, name) if i in row] for name in ("basket", "seen", "unwanted")
    }
    most = float("inf") if asked.most_members is None else asked.most_members
    wish = Wish(
        **known,
        sequels=asked.sequels,
        only=asked.only,
        without=asked.without,
        least_members=asked.least_members,
        most_members=most,
        popularity=asked.popularity,
        count=asked.count,
    )
    found = recommend(artefact, wish, shelf.blocked)
    titles = _titles(artefact, [one.row for one in found])
    items = [_recommended(title, one) for title, one in zip(titles, found)]
    unknown = [n for n, item in enumerate(asked.basket) if item not in row]
    # Written here, once: as a returned model it would be checked and written a second time.
    return Response(Answered(items=items, unknown=unknown).model_dump_json(), media_type="application/json")


@router.post("/import", response_model=ListOut)
async def import_list(asked: ListIn, request: Request) -> Any:
    """The ids of a list's titles; what was not found is given back to the guest and to nobody else."""
    artefact = artefact_of(request)
    catalogue = artefact.scorer.catalogue
    try:
        found = await request.app.state.desk.read(asked.text.encode("utf-8", "replace"), artefact)
    except Refused as error:
        return JSONResponse({"error": str(error), "fields": []}, 422)
    ids = {kind: [catalogue.ids[row] for row in rows] for kind, rows in found.rows.items()}
    return ListOut(**ids, planned=found.planned, unmatched=found.unmatched)


def _recommended(title: Title, found: Found) -> Recommended:
    reason = found.reason
    why = Why(
        kind=reason.kind,
        because=reason.because,
        text=reason.text,
        through=reason.through,
        shared=list(reason.shared),
    )
    return Recommended(
        id=title.id,
        title=title.title,
        by=title.by,
        year=title.year,
        tags=title.tags,
        score=found.score,
        reason=why,
    )


def _titles(artefact: Artefact, rows: Sequence[int]) -> list[Title]:
    return [
        Title(id=item.id, title=item.title, by=item.by, year=item.year or None, tags=list(item.tags))
        for item in artefact.items(rows)
    ]
