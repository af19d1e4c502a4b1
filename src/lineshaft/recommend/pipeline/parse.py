"""Parsers: a page in, rows out. `Selectors` describes a site's pages by CSS selectors, without code.

An own parser is a subclass of `Parser` in a file of its own: `links` says where to go on, `records` what a
page states. A page whose markup has moved gives no title: it is dropped and counted, and where that happens
to many pages the whole stage fails instead of handing on half a table.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable
from typing import Literal

from pydantic import Field
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node

from lineshaft.engine import Part
from lineshaft.recommend.pipeline.decode import decode
from lineshaft.recommend.pipeline.records import Records

NUMBER = re.compile(r"-?\d[\d,.\s\u00a0]*")


class Parser(Part):
    """Reads the pages of one site."""

    @abstractmethod
    def links(self, url: str, body: bytes, content_type: str) -> Iterable[str]:
        """Addresses to follow from a page, absolute or relative."""

    @abstractmethod
    def records(self, url: str, body: bytes, content_type: str) -> Records:
        """The rows that a page states, and what of it was dropped."""


class Selectors(Parser):
    """Pages of items and of users' lists, described by regular expressions and CSS selectors.

    An item page has a title, and may have a text, tags, a year, a number of members, relations to other items
    and written recommendations. A user's page is a list of items with ratings and statuses.
    """

    name: Literal["selectors"] = "selectors"
    item: str = Field(
        r"/item/(?P<id>[^/?#]+)", description="matches an item's address; its group id is the item"
    )
    user: str = Field(
        r"/user/(?P<id>[^/?#]+)", description="matches the address of a user's list; its group id is the user"
    )
    follow: str = Field(
        r"/(item|user|items|users)(/|\?|$)", description="addresses to follow match this (path and query)"
    )
    title: str = Field("h1", description="an item's title")
    text: str = Field(".text", description="its description")
    tags: str = Field(".tags a", description="one element a tag")
    year: str = Field(".year", description="an element that holds the year")
    members: str = Field(".members", description="an element that holds how many people have it")
    relation: str = Field(".relations li", description="one element a relation: data-kind and a link")
    recommendation: str = Field(".recommendation", description="one element a written recommendation")
    recommendation_text: str = Field(".words", description="its words; data-count: how many recommend")
    entry: str = Field(".entry", description="one element an entry of a user's list")
    rating: str = Field(".rating", description="the rating of an entry")
    status: str = Field(".status", description="the status of an entry, as: completed, planned, dropped")

    def links(self, url: str, body: bytes, content_type: str) -> Iterable[str]:
        tree = HTMLParser(decode(body, content_type)[0])
        found = (node.attributes.get("href") for node in tree.css("a[href]"))
        return [link for link in found if link and re.search(self.follow, link)]

    def records(self, url: str, body: bytes, content_type: str) -> Records:
        text, guessed = decode(body, content_type)
        tree, records = HTMLParser(text), Records()
        if found := re.search(self.item, url):
            self._item(found["id"], url, tree, records)
        elif found := re.search(self.user, url):
            self._list(found["id"], url, tree, records)
        if guessed:
            records.drop("encodings", "guessed: the page or its server names another", url)
        return records

    def _item(self, item: str, url: str, tree: HTMLParser, records: Records) -> None:
        title = words(tree.css_first(self.title))
        if not title:
            records.drop("pages", f"no title at {self.title}: has the markup moved?", url)
            return
        tags = sorted({words(node).lower() for node in tree.css(self.tags)} - {""})
        records.items.append(
            {
                "item": item,
                "title": title,
                "text": words(tree.css_first(self.text)),
                "tags": "|".join(tag.replace("|", "/") for tag in tags),
                "year": number(words(tree.css_first(self.year))),
                "members": number(words(tree.css_first(self.members))),
                "origin": url,
            }
        )
        for node in tree.css(self.relation):
            kind = (node.attributes.get("data-kind") or "related").strip().lower()
            self._edge(item, node, kind, None, "", url, records)
        for node in tree.css(self.recommendation):
            said = words(node.css_first(self.recommendation_text))
            self._edge(
                item, node, "recommendation", number(node.attributes.get("data-count")), said, url, records
            )

    def _edge(
        self, item: str, node: Node, kind: str, weight: float | None, said: str, url: str, records: Records
    ) -> None:
        target = self._linked(node)
        if target is None:
            records.drop("edges", "no link to an item", url)
            return
        records.edges.append(
            {"source": item, "target": target, "kind": kind, "weight": weight, "text": said, "origin": url}
        )

    def _list(self, user: str, url: str, tree: HTMLParser, records: Records) -> None:
        for node in tree.css(self.entry):
            item = self._linked(node)
            if item is None:
                records.drop("interactions", "no link to an item", url)
                continue
            rating, status = words(node.css_first(self.rating)), words(node.css_first(self.status))
            records.interactions.append(
                {
                    "user": user,
                    "item": item,
                    "rating": number(rating),
                    "status": status.lower() or None,
                    "origin": url,
                }
            )

    def _linked(self, node: Node) -> str | None:
        """The item that the first fitting link in an element points to."""
        for link in node.css("a[href]"):
            if found := re.search(self.item, link.attributes.get("href") or ""):
                return found["id"]
        return None


def words(node: Node | None) -> str:
    """The text of an element with single spaces; "" without one."""
    return " ".join(node.text(separator=" ").split()) if node is not None else ""


def number(text: str | None) -> float | None:
    """The first number in a text, thousands separated by commas or spaces; None without one."""
    found = NUMBER.search(text or "")
    if not found:
        return None
    digits = re.sub(r"[\s\u00a0]", "", found.group()).strip(".,")
    digits = digits.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", digits) else digits
    try:
        return float(digits.replace(",", "."))
    except ValueError:
        return None
