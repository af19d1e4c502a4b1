"""Who is linked to whom, and what is written about a pair: edges looked up by item."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineshaft.recommend.catalogue.catalogue import Edges


class Links:
    """Neighbours and written texts by row; an edge counts in both directions."""

    def __init__(self, edges: "Edges") -> None:
        self.texts: dict[tuple[int, int], str] = {}
        self.near: dict[int, dict[int, float]] = {}
        for number, (a, b) in enumerate(zip(edges.source.tolist(), edges.target.tolist())):
            weight = float(edges.weight[number])
            for one, other in ((a, b), (b, a)):
                near = self.near.setdefault(one, {})
                near[other] = max(near.get(other, 0.0), weight)
            if edges.texts and edges.texts[number]:
                self.texts.setdefault((a, b), edges.texts[number])

    def linked(self, a: int, b: int) -> bool:
        return b in self.near.get(a, {})

    def written(self, a: int, b: int) -> str:
        """What is written about the pair, from the first to the second where both ways are; else ""."""
        return self.texts.get((a, b)) or self.texts.get((b, a), "")

    def between(self, a: int, b: int) -> int | None:
        """The item that both are linked to most strongly, judged by the weaker of its two links."""
        near, other = self.near.get(a, {}), self.near.get(b, {})
        common = near.keys() & other.keys()
        return max(common, key=lambda c: (min(near[c], other[c]), -c)) if common else None
