"""The embedded catalogue as a web site: a page a book, lists of readers, and the usual faults.

Its crawl is the pipeline's embedded job: duplicate pages under a second address, a page whose markup has
moved, one in another encoding than it says, one that is asked for too early, one that robots.txt forbids.
"""

from collections import defaultdict
from html import escape

from lineshaft.recommend.books import Book, books, notes, readers, sequels
from lineshaft.recommend.pipeline.recorded import RecordedSite, Reply

READERS = 120
ROBOTS = b"User-agent: *\nDisallow: /item/moby-dick/private\n"


def recorded_books() -> RecordedSite:
    """The site, its faults included."""
    pages = {f"/item/{book.id}": _page(_item(book)) for book in books()}
    lists = _lists()
    pages |= {f"/user/{name}": _page(entries) for name, entries in lists.items()}
    pages["/items"] = _page(_links([f"/item/{book.id}" for book in books()]))
    pages["/users"] = _page(_links([f"/user/{name}" for name in lists]))
    pages["/"] = _page(
        _links(["/items", "/users", "/item/dracula/", "/item/moby-dick/private", "/item/walden?tab=1"])
    )
    replies = {path: [Reply(body, headers={"ETag": f'"{len(body)}"'})] for path, body in pages.items()}
    replies["/robots.txt"] = [Reply(ROBOTS, headers={"Content-Type": "text/plain"})]
    replies["/item/dracula/"] = replies["/item/dracula"]
    replies["/item/walden?tab=1"] = [Reply(_page("<h2>Walden</h2>"))]
    replies["/item/emma"] = [Reply(status=429, headers={"Retry-After": "0"}), *replies["/item/emma"]]
    accents = _item(next(b for b in books() if b.id == "therese-raquin"))
    replies["/item/therese-raquin"] = [Reply(_page(accents).decode().encode("cp1252"))]
    return RecordedSite(replies)


def _item(book: Book) -> str:
    tags = "".join(f"<a href='/tag'>{escape(tag)}</a> " for tag in book.tags)
    relations = [("sequel", b) for a, b in sequels() if a == book.id]
    relations += [("prequel", a) for a, b in sequels() if b == book.id]
    related = "".join(
        f"<li data-kind='{kind}'><a href='/item/{other}'>{kind}</a></li>" for kind, other in relations
    )
    written = "".join(
        f"<div class='recommendation' data-count='1'><a href='/item/{b}'>{b}</a>"
        f"<p class='words'>{escape(text)}</p></div>"
        for a, b, text in notes()
        if a == book.id
    )
    return (
        f"<h1>{escape(book.title)}</h1><p class='text'>{escape(book.text)}</p><p class='tags'>{tags}</p>"
        f"<span class='year'>{book.year}</span><ul class='relations'>{related}</ul>{written}"
    )


def _lists() -> dict[str, str]:
    """Reader's name -> the entries of a page; every ninth entry is only planned, every eleventh given up."""
    entries: dict[int, list[str]] = defaultdict(list)
    users, rows = readers()
    for number, (user, row) in enumerate(zip(users.tolist(), rows.tolist())):
        if user < READERS:
            status = "planned" if number % 9 == 0 else "dropped" if number % 11 == 0 else "completed"
            entries[user].append(
                f"<li class='entry'><a href='/item/{books()[row].id}'>book</a>"
                f" <b class='rating'>{6 + number % 5}</b> <i class='status'>{status}</i></li>"
            )
    return {f"reader {user}".replace(" ", "-"): "".join(found) for user, found in entries.items()}


def _links(paths: list[str]) -> str:
    return "".join(f"<a href='{path}'>{path}</a> " for path in paths)


def _page(body: str) -> bytes:
    return f"<!doctype html><meta charset=utf-8><title>Books</title>{body}".encode()
