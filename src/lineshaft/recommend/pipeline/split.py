"""Frozen splits: which pair is held out is a SHA-256 of seed, user and item, and nothing else.

A cryptographic hash because a linear one (CRC32) gives correlated masks to different users: recall moved by
6 to 10 points. The rank of a pair's hash among its user's decides, so that every user of five or more pairs
gives exactly a fifth to the test and a tenth to the validation; users of fewer only train.
"""

import ibis
from ibis.expr.types import StringValue, Table

FEWEST = 5


def digest(*parts: object) -> StringValue:
    """SHA-256 of the parts joined by `|`, in hexadecimal."""
    text = ibis.literal(str(parts[0]))
    for part in parts[1:]:
        text = text + "|" + part
    return text.hexdigest("sha256")


def split(pairs: Table, seed: int) -> Table:
    """user, item, rating -> the same with `fold`: train, val or test."""
    rows = pairs.mutate(digest=digest(seed, pairs.user, pairs.item))
    rows = rows.mutate(
        rank=ibis.row_number().over(group_by=rows.user, order_by=[rows.digest.asc(), rows.item.asc()]),
        count=rows.item.count().over(group_by=rows.user),
    )
    test = (rows["count"] / 5).floor()
    val = test + ibis.greatest((rows["count"] / 10).floor(), 1)
    fold = ibis.cases(
        (rows["count"] < FEWEST, "train"),
        (rows["rank"] < test, "test"),
        (rows["rank"] < val, "val"),
        else_="train",
    )
    return rows.mutate(fold=fold).drop("digest", "rank", "count")


def pseudonymised(pairs: Table, secret: str) -> Table:
    """Users replaced by a keyed hash; nobody keeps the secret, so that no name can be tried against it."""
    name = digest(secret, pairs.user).substr(0, 16)
    return pairs.mutate(user="u" + name)


def unseen(items: Table, seed: int, share: float) -> Table:
    """The items with `unseen`: a share of them, by hash, to be held out of training whole."""
    limit = f"{int(share * 16**8):08x}"
    return items.mutate(unseen=digest(seed, items.item).substr(0, 8) < limit)
