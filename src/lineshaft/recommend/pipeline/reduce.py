"""Map and reduce as Ibis expressions: raw rows in, one row a fact out, and a reason for every row that goes.

Nothing is filtered silently: each function labels every raw row with `reason`, "" where it stays. So the rows
kept and the rows dropped always add up to the raw ones, whatever computes it.

Traps that the two back ends have laid: they order nulls differently (so none is ordered: they are filled
first), and an aggregate without an order picks any row (so every pick has a complete order).
"""

import ibis
from ibis.expr.types import StringValue, Table

PLANNED = ("planned", "plan to watch", "plan to read", "plan_to_watch", "plan_to_read", "planning")
GIVEN_UP = ("dropped", "given up")
SAME_TEXT = 40
"""Two ids with one title and one text of at least so many characters are one item."""


def trimmed(column: StringValue) -> StringValue:
    """Without spaces around; "" for null."""
    return column.fill_null("").strip()


def first_in_order(*order: object, by: tuple[str, ...]) -> ibis.Value:
    """0 for the first row of each group."""
    return ibis.row_number().over(group_by=list(by), order_by=list(order))


def items(raw: Table) -> Table:
    """Raw items -> item, title, text, tags, year, members, canonical, reason.

    Of several rows of one id the one with the longest text stays. `canonical` is the id to use instead of
    `item`: its own, or the smallest id of those with the same title and text.
    """
    rows = raw.select(
        *(trimmed(raw[name]).name(name) for name in ("item", "title", "text", "tags", "origin")),
        year=raw.year.fill_null(-1.0),
        members=raw.members.fill_null(-1.0),
    )
    order = [rows.text.length().desc(), *(rows[n].desc() for n in ("members", "year"))]
    order += [rows[n].asc() for n in ("title", "text", "tags", "origin")]
    rows = rows.mutate(again=first_in_order(*order, by=("item",)))
    rows = rows.mutate(
        reason=ibis.cases(
            (rows.item == "", "no id"),
            (rows.title == "", "no title"),
            (rows.again > 0, "the same id again"),
            else_="",
        )
    )
    one_text = ibis.ifelse(
        (rows.reason == "") & (rows.text.length() >= SAME_TEXT), rows.text, "id " + rows.item + rows.reason
    )
    rows = rows.mutate(one_text=one_text)
    rows = rows.mutate(
        canonical=ibis.ifelse(
            rows.reason == "", rows.item.min().over(group_by=[rows.title, rows.one_text]), rows.item
        )
    )
    merged = (rows.reason == "") & (rows.canonical != rows.item)
    rows = rows.mutate(reason=ibis.ifelse(merged, "the title and text of another id", rows.reason))
    return rows.drop("again", "one_text")


def aliases(labelled_items: Table) -> Table:
    """id, canonical: every id that pages may mean, with the item it stands for."""
    known = labelled_items.filter(labelled_items.reason.isin(["", "the title and text of another id"]))
    return known.select(id=known.item, canonical=known.canonical)


def edges(raw: Table, ids: Table) -> Table:
    """Raw edges -> source, target, kind, weight, text, reason; a prequel is a sequel the other way round.

    Of several rows of one edge the one with the most recommenders and a text stays; its weight is the largest
    one stated, or the number of rows where that is more.
    """
    rows = raw.select(
        *(trimmed(raw[name]).name(name) for name in ("kind", "text", "origin")),
        source=ibis.ifelse(raw.kind == "prequel", trimmed(raw.target), trimmed(raw.source)),
        target=ibis.ifelse(raw.kind == "prequel", trimmed(raw.source), trimmed(raw.target)),
        weight=raw.weight.fill_null(1.0),
    )
    rows = rows.mutate(kind=ibis.ifelse(rows.kind == "prequel", "sequel", rows.kind))
    rows = canonical(canonical(rows, ids, "source"), ids, "target")
    usable = (rows.source != "") & (rows.target != "") & (rows.source != rows.target) & (rows.weight > 0)
    rows = rows.mutate(usable=usable)
    key = ("source", "target", "kind", "usable")
    order = [rows.weight.desc(), (rows.text == "").asc(), rows.text.asc(), rows.origin.asc()]
    rows = rows.mutate(
        again=first_in_order(*order, by=key),
        most=rows.weight.max().over(group_by=list(key)),
        stated=ibis.ifelse(rows.usable, 1.0, 0.0).sum().over(group_by=list(key)),
    )
    rows = rows.mutate(
        weight=ibis.greatest(rows.most, rows.stated),
        reason=ibis.cases(
            ((rows.source == "") | (rows.target == ""), "an end that is not in the catalogue"),
            (rows.source == rows.target, "an item with itself"),
            (~rows.usable, "a weight of 0 or below"),
            (rows.again > 0, "the same edge again"),
            else_="",
        ),
    )
    return rows.drop("again", "most", "stated", "usable")


def interactions(raw: Table, ids: Table, liked_from: float) -> Table:
    """Raw interactions -> user, item, rating, reason. What is planned or given up is not a like.

    A rating of 0 means unrated, as in exported lists; null ratings come back as 0.
    """
    rows = raw.select(
        *(trimmed(raw[name]).name(name) for name in ("user", "item", "origin")),
        status=trimmed(raw.status).lower(),
        rating=raw.rating.fill_null(0.0),
    )
    rows = canonical(rows.mutate(named=rows.item != ""), ids, "item")
    before = ibis.cases(
        ((rows.user == "") | ~rows.named, "no user or no item"),
        (rows.item == "", "an item that is not in the catalogue"),
        (rows.status.isin(PLANNED), "planned, not liked"),
        (rows.status.isin(GIVEN_UP), "given up by the user"),
        (rows.rating < 0, "a rating below 0"),
        ((rows.rating > 0) & (rows.rating < liked_from), "rated too low to be a like"),
        else_="",
    )
    rows = rows.mutate(reason=before)
    order = (rows.rating.desc(), rows.status.asc(), rows.origin.asc())
    again = first_in_order(*order, by=("user", "item", "reason"))
    rows = rows.mutate(again=again)
    return rows.mutate(
        reason=ibis.ifelse((rows.reason == "") & (rows.again > 0), "the same pair again", rows.reason)
    ).drop("again", "named", "status")


def canonical(rows: Table, ids: Table, column: str) -> Table:
    """The column's ids replaced by their canonical ones; "" where the id is unknown."""
    found = ids.select(alias_id=ids.id, alias_canonical=ids.canonical)
    joined = rows.left_join(found, rows[column] == found.alias_id)
    return joined.mutate(**{column: joined.alias_canonical.fill_null("")}).drop("alias_id", "alias_canonical")


def kept(labelled: Table, *order: str) -> Table:
    """The rows that stay, without what only the labels needed, in a complete order."""
    rows = labelled.filter(labelled.reason == "").drop("reason", "origin")
    return rows.order_by([rows[name].asc() for name in order])


def dropped(labelled: Table, table: str) -> Table:
    """table, reason, rows, example: how many rows went, and the first page that one of them is from."""
    gone = labelled.filter(labelled.reason != "")
    counted = gone.group_by("reason").aggregate(rows=gone.count().cast("float64"), example=gone.origin.min())
    return counted.select(
        table=ibis.literal(table), reason=counted.reason, rows=counted.rows, example=counted.example
    ).order_by("reason")
