"""What a table of groups shows: a label, a mean with its uncertainty, the metrics worth a column."""

import math
import re
from collections.abc import Sequence

from lineshaft.engine.table.grouping import Group

SEED = re.compile(r",?seed=\d+(~[0-9a-f]{8})?$")


def label(group: Group) -> str:
    """The non-default words without the seed, as the folders spell them."""
    return SEED.sub("", group.runs[0].folder.name) or "defaults"


def cell(group: Group, metric: str) -> str:
    """`88.1 ± 1.2`; diverged seeds are counted beside it, never left out silently."""
    found = group.measure(metric)
    if not found.n or found.diverged:
        return f"{found.diverged} of {found.n} diverged" if found.n else ""
    return spelled(found.mean, (found.high - found.low) / 2)


def spelled(mean: float, half: float = math.nan) -> str:
    """The uncertainty with two digits and the mean to the same place; four digits where there is none.

    >>> spelled(88.1234, 1.234), spelled(0.5), spelled(123456.0)
    ('88.1 ± 1.2', '0.5', '1.235e+05')
    """
    if not math.isfinite(half) or half == 0:
        return f"{mean:.4g}" + (" ± 0" if half == 0 else "")
    places = 1 - math.floor(math.log10(half))
    if -3 < places < 7:
        return f"{mean:.{max(places, 0)}f} ± {half:.{max(places, 0)}f}"
    return f"{mean:.4g} ± {half:.2g}"


def headline(metrics: Sequence[str], objective: tuple[str, str] | None, most: int) -> list[str]:
    """The metrics to show first: the objective, those that measure the same elsewhere, then the others.

    >>> headline(["a", "test/knn", "val/knn", "val/x"], ("val/knn", "max"), 3)
    ['val/knn', 'test/knn', 'a']
    """
    if objective is None:
        return list(metrics[:most])
    last = objective[0].rpartition("/")[2]
    bounds = ("_low", "_high")
    return sorted(
        metrics, key=lambda m: (m != objective[0], m.rpartition("/")[2] != last, m.endswith(bounds))
    )[:most]
