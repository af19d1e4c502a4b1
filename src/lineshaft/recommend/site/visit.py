"""The state of a visit: it lives in the form of the page, goes up with every request, and comes back in it.

Items are named by their ids, which stay the same when a new model is loaded; an id that the catalogue does
not know is dropped. Fields that make no sense count as not given: a page always answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lineshaft.recommend.site.artefact import Artefact
from lineshaft.recommend.site.wish import MOST_ASIDE, MOST_BASKET, MOST_SHOWN, Wish

Fields = Mapping[str, Sequence[str]]
LISTS = ("basket", "seen", "unwanted")
MOST = {"basket": MOST_BASKET, "seen": MOST_ASIDE, "unwanted": MOST_ASIDE}


@dataclass(frozen=True)
class Visit:
    """What the guest has put together so far."""

    basket: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    sequels: bool = False
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    members: int = 0
    popularity: int = 0
    """-2 to 2; half of it is the wish's."""
    count: int = 10
    query: str = ""
    done: str = field(default="", compare=False)
    """What has just happened, for the line that is read aloud."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing that a guest would miss."""
        return not (self.basket or self.seen or self.unwanted or self.only or self.without)

    def wish(self, artefact: Artefact) -> Wish:
        row = artefact.scorer.catalogue.row
        basket, seen, unwanted = ([row[i] for i in getattr(self, name) if i in row] for name in LISTS)
        return Wish(
            basket,
            seen,
            unwanted,
            self.sequels,
            self.only,
            self.without,
            float(self.members),
            float("inf"),
            self.popularity / 2,
            self.count,
        )

    def put(self, where: str, items: Sequence[str]) -> "Visit":
        """The items in one of the lists and in no other; `where` is "remove": in none.

        What a full basket has no room for is known at least, so that it is not recommended.
        """
        moved = dict.fromkeys(items)
        lists = {name: tuple(i for i in getattr(self, name) if i not in moved) for name in LISTS}
        if where in lists:
            lists[where] += tuple(moved)
        basket = lists["basket"]
        lists["basket"], lists["seen"] = basket[:MOST_BASKET], lists["seen"] + basket[MOST_BASKET:]
        return replace(self, **{name: lists[name][:most] for name, most in MOST.items()})  # type: ignore[arg-type]


def read(fields: Fields, artefact: Artefact) -> Visit:
    """The visit that a form holds; unknown ids and values without sense are left out."""
    row = artefact.scorer.catalogue.row
    lists = {
        name: tuple(dict.fromkeys(i for i in fields.get(name, ()) if i in row))[:most]
        for name, most in MOST.items()
    }
    tags = {
        name: tuple(t for t in dict.fromkeys(fields.get(name, ())) if t in artefact.tagged)
        for name in ("only", "without")
    }
    return Visit(
        **(lists | tags),  # type: ignore[arg-type]
        sequels=bool(fields.get("sequels")),
        members=_number(fields, "members", 0, 10**9, 0),
        popularity=_number(fields, "popularity", -2, 2, 0),
        count=_number(fields, "count", 1, MOST_SHOWN, 10),
        query=next(iter(fields.get("q", ())), "")[:200],
    )


def acted(visit: Visit, action: str, artefact: Artefact) -> Visit:
    """The visit after one button: `add:ID`, `seen:ID`, `unwanted:ID`, `remove:ID`, `more`, `clear`."""
    name, _, item = action.partition(":")
    if name in ITEM_ACTIONS and item in artefact.scorer.catalogue.row:
        where, words = ITEM_ACTIONS[name]
        (shown,) = artefact.items([artefact.scorer.catalogue.row[item]])
        query = "" if name == "add" else visit.query
        return replace(visit.put(where, [item]), query=query, done=words.format(shown.title))
    actions: Mapping[str, Callable[[], Visit]] = {
        "more": lambda: replace(visit, count=min(visit.count + 10, MOST_SHOWN), done="More titles below."),
        "clear": lambda: Visit(done="Everything is cleared."),
    }
    return actions[name]() if name in actions else visit


ITEM_ACTIONS = {
    "add": ("basket", "{} is in your list."),
    "remove": ("remove", "{} is taken out."),
    "seen": ("seen", "{} is marked as known."),
    "unwanted": ("unwanted", "{} will not be shown."),
}


def _number(fields: Fields, name: str, least: int, most: int, default: int) -> int:
    text = next(iter(fields.get(name, ())), "").strip()
    try:
        return min(max(int(text[:12]), least), most)
    except ValueError:
        return default
