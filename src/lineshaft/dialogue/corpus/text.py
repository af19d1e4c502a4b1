"""Words of a text in any script, compared without what does not change their meaning.

A text is folded character by character, so that every word knows where it stands in the text as written:
compatibility forms (full width, ligatures, decomposed accents and Hangul) are composed (Unicode NFKC), case
is folded, apostrophes and dashes of all kinds become one, and marks that show nothing (zero width,
bidirectional) or only vocalise (Arabic) are dropped. Scripts without spaces (Chinese, Japanese, Thai, Lao,
Khmer, Burmese) are read character by character; so is Korean, whose particles stay glued to the word: a
name must begin a written word there, and a particle may follow it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

ASCII = re.compile(r"[^\W_]+(?:'[^\W_]+)?|\?")
APOSTROPHES = frozenset("'\u2019\u2018\u02bc\u02b9\u02bb\u0060\u00b4\uff07\ua78c\u05f3\u201b\u2032")
DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d")
QUESTIONS = frozenset("?\uff1f\u061f\u037e")
UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Kana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
_ELISIONS = "l d j m t s n c qu jusqu lorsqu puisqu quoiqu dell all nell sull dall coll un quell quest bell"
ELISIONS = frozenset(_ELISIONS.split())
"""What French and Italian write before an apostrophe and a vowel: a word of its own."""
_PARTICLES = (
    "은 는 이 가 을 를 에 에서 에게 의 로 으로 와 과 랑 이랑 하고 도 만 요 이요 이에요 예요 에요 입니다 "
    "인데 인데요 이고 이나 나 까지 부터 에는 에도 에서는 에서의 으로요 로요 이라는 라는 이라고 라고 인 쪽 "
    "쪽에 쪽으로 같은 처럼 보다 밖에 마다 조차 이면 면 이라면 라면 이든 든 이며 며 대 대의 대에 급 급의 "
    "이죠 죠 이지만 지만 한 하는 할 해요"
)
PARTICLES = frozenset(_PARTICLES.split())
"""Korean endings that may follow a name in one written word."""
ARTICLE = re.compile(r"^(?:an?|the)\s+")
PROCLITICS = re.compile(r"^(?:[\u0648\u0641])?(?:[\u0628\u0643\u0644])?(\u0627\u0644)?(?=..)")


class Word(NamedTuple):
    """A folded word, where it stands in its text, and (Korean) what its written word goes on with.

    `opens` says that a written word begins here.
    """

    text: str
    start: int
    end: int
    opens: bool = True
    rest: str = ""

    @property
    def ends(self) -> bool:
        """Whether a name may end here: the written word ends, or a particle follows."""
        return not self.rest or self.rest in PARTICLES


def words(text: str) -> list[Word]:
    """The words of a text, and its question marks."""
    if text.isascii():
        found = (Word(match[0].lower(), match.start(), match.end()) for match in ASCII.finditer(text))
        return [part for word in found for part in _parted(word)]
    return [part for word in _scanned(text) for part in _parted(word)]


def fold(text: str) -> str:
    """A text as it is compared: folded, white space single, no space between characters of unspaced
    scripts."""
    if text.isascii():
        return " ".join(text.lower().split())
    spaced = " ".join("".join(folded for folded, _, _ in _clusters(text)).split())
    return _closed(spaced)


@lru_cache(maxsize=1 << 16)
def plain(value: str) -> str:
    """A value as it is compared: folded, without a leading English article."""
    return ARTICLE.sub("", fold(value))


def stems(word: str) -> tuple[str, ...]:
    """An Arabic word without what is written as one with it (and, in, to, the); else nothing."""
    if not word or not "\u0621" <= word[0] <= "\u064a":
        return ()
    found = {word[match.end() :] for match in [PROCLITICS.match(word)] if match}
    found |= {word[1:]} if word[0] in "\u0648\u0641\u0628\u0643\u0644" and len(word) > 3 else set()
    if word.startswith("\u0644\u0644") and len(word) > 4:
        found |= {word[2:], "\u0627\u0644" + word[2:]}
    return tuple(sorted(found - {word}))


def invisible(text: str) -> list[str]:
    """Names of the characters of a text that show nothing: zero width and bidirectional marks."""
    marks = sorted({c for c in text if unicodedata.category(c) == "Cf"})
    return [unicodedata.name(c, f"U+{ord(c):04X}") for c in marks]


def _parted(word: Word) -> Iterator[Word]:
    """A word with an apostrophe as its parts, where these are words of their own."""
    left, mark, right = word.text.partition("'")
    if mark and (left in ELISIONS or right == "s"):
        middle = word.start + len(left)
        cut = middle + 1 if left in ELISIONS else middle
        yield Word(left + ("'" if left in ELISIONS else ""), word.start, cut)
        yield Word(right if left in ELISIONS else "'s", cut, word.end, False)
    else:
        yield word


def _scanned(text: str) -> Iterator[Word]:
    """Words of a text that is not ASCII: runs of characters of one kind."""
    run: list[tuple[str, int, int, str]] = []
    for folded, start, end in _clusters(text):
        kind = _kind(folded)
        if run and run[-1][3] != kind and {run[-1][3], kind} != {"apostrophe", "word"}:
            yield from _words(run)
            run = []
        run = run if kind == "apostrophe" and not run else [*run, (folded, start, end, kind)]
    yield from _words(run)


def _words(run: list[tuple[str, int, int, str]]) -> Iterator[Word]:
    kind = next((kind for *_, kind in run if kind != "apostrophe"), "other")
    if kind == "word":
        while run[-1][3] == "apostrophe":
            run = run[:-1]
        yield Word("".join(folded for folded, *_ in run), run[0][1], run[-1][2])
    elif kind in ("character", "question"):
        yield from (Word(folded, start, end) for folded, start, end, _ in run)
    elif kind == "hangul":
        whole = "".join(folded for folded, *_ in run)
        sizes = [len(folded) for folded, *_ in run]
        for place, (folded, start, end, _) in enumerate(run):
            yield Word(folded, start, end, place == 0, whole[sum(sizes[: place + 1]) :])


def _clusters(text: str) -> Iterator[tuple[str, int, int]]:
    """(folded, start, end) of each character with the marks that belong to it."""
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not _continues(text[place]):
            if folded := _folded(text[start:place]):
                yield folded, start, place
            start = place


@lru_cache(maxsize=1 << 14)
def _continues(character: str) -> bool:
    """Whether it belongs to the character before: combining marks, Hangul vowels and finals, format marks."""
    if character.isascii():
        return False
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")
        or "\u1160" <= character <= "\u11ff"
        or character in "\uff9e\uff9f"
    )


@lru_cache(maxsize=1 << 16)
def _folded(cluster: str) -> str:
    if cluster in APOSTROPHES:
        return "'"
    if cluster in DASHES:
        return "-"
    if cluster in QUESTIONS:
        return "?"
    shown = "".join(c for c in cluster if unicodedata.category(c) != "Cf" and not _vocalises(c))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())


def _vocalises(character: str) -> bool:
    """Arabic vowel signs and the stretching stroke, which writers may leave out; Hebrew points alike."""
    return (
        "\u064b" <= character <= "\u0652"
        or character in "\u0640\u0670"
        or ("\u0591" <= character <= "\u05c7" and unicodedata.combining(character) > 0)
    )


@lru_cache(maxsize=1 << 16)
def _kind(folded: str) -> str:
    first = folded[0]
    if first == "'":
        return "apostrophe"
    if first == "?":
        return "question"
    if "\uac00" <= first <= "\ud7a3" or "\u1100" <= first <= "\u11ff":
        return "hangul"
    if unicodedata.category(first)[0] not in "LNM":
        return "other"
    return "character" if any(low <= ord(first) <= high for low, high in UNSPACED) else "word"


def _closed(text: str) -> str:
    parts = text.split(" ")
    joined = parts[0]
    for part in parts[1:]:
        unspaced = joined and part and _kind(joined[-1]) == _kind(part[0]) == "character"
        joined += part if unspaced else f" {part}"
    return joined
