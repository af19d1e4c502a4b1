"""The answer to a request that cannot be met: JSON for programs, a page for people, a line for the rest.

It repeats nothing of the request. The page needs no model and no template engine: it is also what a guest
sees when either has failed.
"""

import json
from collections.abc import Iterable

WORDS = {
    400: "The request cannot be read.",
    404: "There is no such page.",
    405: "The page cannot be asked in this way.",
    413: "The request is too long.",
    422: "The request is not valid.",
    429: "Too many requests: wait a moment.",
    431: "The header of the request is too long.",
    500: "Something went wrong here. Nothing of your request was kept.",
    503: "Too much is going on here: try again in a moment.",
}
OTHER = "The request is refused."
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{text}</title>
<link rel="stylesheet" href="/static/site.css">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
</head>
<body>
<main id="main" class="prose fault">
<h1>{text}</h1>
<p>{way}</p>
<p><a class="button" href="/">To the first page</a></p>
</main>
</body>
</html>
"""
WAY = "If you came from a form, go back with your browser: your list is still there."


def answer(
    path: str, accepted: str, status: int, fields: Iterable[str] = (), text: str = ""
) -> tuple[str, bytes]:
    """Content type and body; `accepted`: the request's Accept header; `text` in place of the usual one."""
    text = text or WORDS.get(status, OTHER)
    if path.startswith("/api/"):
        return "application/json", json.dumps({"error": text, "fields": list(fields)}).encode()
    if "text/html" in accepted:
        return "text/html; charset=utf-8", PAGE.format(
            text=text, way="" if status in (404, 405) else WAY
        ).encode()
    return "text/plain; charset=utf-8", f"{text}\n".encode()
