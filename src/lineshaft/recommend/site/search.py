"""Titles found in spite of typing errors: shared trigrams choose some dozens, an edit distance orders them.

The index is arrays alone, so that all workers map one copy. Nothing of a query is kept.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rapidfuzz import fuzz

LOOKED_AT = 80
"""Titles whose edit distance is computed, after the trigrams have chosen them."""
ALMOST = 72.0
"""Titles less similar than that (0 to 100) are not shown."""
HAN = re.compile(r"([\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
SURE = 88.0
"""A title at least that similar is the one that an imported list means."""


def folded(text: str) -> str:
    """Lower case without accents and punctuation; letters of every script stay.

    Japanese and Chinese put no spaces between words: each Han character counts as a word, and so does what
    stands between them.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(HAN.sub(r" \1 ", re.sub(r"[^\w]+|_", " ", plain)).split())


def trigrams(text: str) -> np.ndarray:
    """Codes of the distinct trigrams of a folded text, its words padded at the front."""
    padded = "".join(f"  {word}" for word in text.split()) + " "
    codes = np.frombuffer(padded.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    return np.unique(codes[:-2] << np.uint64(42) | codes[1:-1] << np.uint64(21) | codes[2:])


@dataclass(frozen=True)
class Index:
    """Trigram -> rows of the titles that have it. Popular items win ties."""

    titles: Sequence[str]
    """Folded titles by row."""
    words: Sequence[str]
    """Folded titles with authors by row: what is searched."""
    codes: np.ndarray
    """(trigrams,) uint64, sorted."""
    starts: np.ndarray
    """(trigrams + 1,) where each trigram's rows begin."""
    rows: np.ndarray
    sizes: np.ndarray
    """(items,) number of distinct trigrams of each title."""
    likes: np.ndarray
    """(items,) how well known an item is."""

    def find(self, text: str, limit: int = 8) -> list[int]:
        """Rows of the titles that a person may mean, best first."""
        return [row for row, score in self.scored(text, limit) if score >= ALMOST]

    @cached_property
    def by_title(self) -> dict[str, int]:
        """Folded title -> row; of equal titles the best known one."""
        order = np.argsort(self.likes, kind="stable").tolist()
        return {self.titles[row]: row for row in order if self.titles[row]}

    def equal(self, text: str) -> int | None:
        """The item of that very title, but for case, accents and punctuation."""
        return self.by_title.get(folded(text))

    def nearly(self, text: str) -> int | None:
        """The item whose title hardly differs; None where unsure."""
        query, best = folded(text), self.scored(text, 1)
        sure = best and fuzz.ratio(query, self.titles[best[0][0]]) >= SURE
        return best[0][0] if sure else None

    def scored(self, text: str, limit: int) -> list[tuple[int, float]]:
        """(row, similarity 0 to 100); a title that begins with the text is as good as the text itself."""
        query = folded(text[:200])
        if not query:
            return []
        chosen = self._chosen(query)
        found = [(row, similarity(query, self.titles[row], self.words[row])) for row in chosen.tolist()]
        known = np.log1p(self.likes)
        top = float(known.max()) or 1.0
        found.sort(key=lambda pair: (-(pair[1] + 4 * float(known[pair[0]]) / top), pair[0]))
        return found[:limit]

    def _chosen(self, query: str) -> np.ndarray:
        """Rows with the largest share of the query's trigrams (and, less so, of their own)."""
        wanted = trigrams(query)
        place = np.searchsorted(self.codes, wanted)
        place = place[(place < len(self.codes))]
        place = place[np.isin(self.codes[place], wanted)]
        if not len(place):
            return np.zeros(0, np.int64)
        spans = [self.rows[a:b] for a, b in zip(self.starts[place], self.starts[place + 1])]
        shared = np.bincount(np.concatenate(spans), minlength=len(self.sizes)).astype(np.float32)
        score = shared / len(wanted) + 0.5 * shared / self.sizes
        score += 1e-3 * np.log1p(self.likes)
        best = np.argpartition(-score, min(LOOKED_AT, len(score) - 1))[:LOOKED_AT]
        return best[shared[best] > 0]


def similarity(query: str, title: str, words: str) -> float:
    """0 to 100: the best of the whole title, its beginning, and the query's words in title and author."""
    whole = fuzz.ratio(query, title)
    start = fuzz.ratio(query, title[: len(query)]) - 2
    parts = words.split()
    each = [max(_word(wanted, part) for part in parts) for wanted in query.split()] if parts else [0.0]
    return max(whole, start, 0.97 * sum(each) / len(each))


def _word(wanted: str, part: str) -> float:
    """0 to 100: a word that begins like the one wanted is nearly as good as the word."""
    begins = fuzz.ratio(wanted, part[: len(wanted)]) - 3 if len(wanted) > 2 else 0.0
    return max(fuzz.ratio(wanted, part), begins)


def build(texts: Sequence[str], likes: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of an index; texts: titles with authors by row."""
    found = [trigrams(folded(text)) for text in texts]
    sizes = np.array([max(len(codes), 1) for codes in found], np.float32)
    rows = np.repeat(np.arange(len(found)), [len(codes) for codes in found])
    every = np.concatenate(found) if found else np.zeros(0, np.uint64)
    order = np.argsort(every, kind="stable")
    codes, starts = np.unique(every[order], return_index=True)
    return {
        "codes": codes.astype(np.int64),
        "starts": np.append(starts, len(every)).astype(np.int64),
        "rows": rows[order].astype(np.int32),
        "sizes": sizes,
        "likes": np.asarray(likes, np.float32),
    }


def opened(arrays: Mapping[str, np.ndarray], titles: Sequence[str], texts: Sequence[str]) -> Index:
    """An index on mapped arrays."""
    return Index(
        [folded(title) for title in titles],
        [folded(text) for text in texts],
        arrays["codes"].view(np.uint64),
        *(arrays[name] for name in ("starts", "rows", "sizes", "likes")),
    )
