"""A small corpus of dialogues in a made-up language, natural and as a poor translator would write it.

Users look for an inn, an eatery or a ferry. Every sentence is composed from glosses, and every gloss has a
made-up word. The `translated` side knows fewer ways to say a thing, loses and swaps words and gets a value
wrong now and then, while its labels stay what was meant: the noise of projected annotations. The `natural`
side is what a model meets later. States are exact on both, by construction. Lines are in the state format of
`lineshaft.dialogue.corpus.state`; this module knows nothing else of that package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

AREAS = ("north", "south", "centre", "harbour", "hill", "market")
PRICES = ("cheap", "fair", "dear")
DISHES = ("fish", "bread", "soup", "rice", "roots", "beans", "cheese", "berries")
PORTS = ("oster", "lund", "marav", "pell", "sorn", "quay", "tivo", "brack")
DAYS = ("firstday", "midweek", "lastday", "feastday")
SLOTS = {
    "inn": {"area": AREAS, "price": PRICES, "garden": ("yes", "no")},
    "eatery": {"area": AREAS, "price": PRICES, "dish": DISHES, "terrace": ("yes", "no")},
    "ferry": {"port": PORTS, "day": DAYS},
}
NAMES = {domain: tuple(f"{domain}{number}" for number in range(12)) for domain in SLOTS}

# Ways to say a thing, the common one first; {d} the domain, {s} the slot, {v} the value.
TELL = (
    "i want {d} {s} {v}",
    "{v} for {d} please",
    "my friend likes {v} {s}",
    "should be {v} you know",
    "{d} {v} if can",
)
ANSWER = ("{v} please", "{v}", "rather {v} i think", "say {v} then")
WISH = {
    "yes": ("with {s} please", "is there {s} too", "{s} would be good"),
    "no": ("without {s}", "no need {s} at all"),
}
CORRECT = ("not {o} but {v}", "change {o} to {v}", "forget {o} let us take {v}")
DROP = ("any {s} is good", "{s} does not matter", "never mind the {s}")
SAME = ("{d} in same {s}", "{d} close to it", "same {s} for {d}")
TAKE = ("good what is its number", "sounds fine how do i call", "lovely tell me more")
REFUSE = ("another one please", "hm something else", "not that one")
CHAT = ("is it far by foot", "my dog comes along", "how is the weather", "we arrive late in the evening")
THANK = ("thank you goodbye", "that is all", "great thank you")


@dataclass
class Sample:
    """One dialogue: for each turn the user's words, the agent's acts before them, the state after them."""

    turns: list[tuple[str, str, str]] = field(default_factory=list)


def word(gloss: str) -> str:
    """The made-up word for a gloss."""
    number = crc32(gloss.encode())
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    picked = [syllables[(number // len(syllables) ** i) % len(syllables)] for i in range(2 + number % 2)]
    return "".join(picked)


def surfaces() -> list[tuple[str, str, str, tuple[str, ...]]]:
    """(domain, slot, canonical value, ways to write it): each value has a formal and a colloquial word."""
    named = [
        (d, s, values) for d, slots in SLOTS.items() for s, values in slots.items() if "yes" not in values
    ]
    table = [(d, s, word(v), (word(v), word(v + "'"))) for d, s, values in named for v in values]
    return table + [(d, "name", word(name), (word(name),)) for d, names in NAMES.items() for name in names]


def closed() -> dict[tuple[str, str], tuple[str, ...]]:
    """(domain, slot) -> its two values, which no word of the user names."""
    return {(d, s): values for d, slots in SLOTS.items() for s, values in slots.items() if "yes" in values}


def dialogues(count: int, seed: int, translated: bool) -> list[Sample]:
    """`count` dialogues, the same for the same seed."""
    rng = np.random.default_rng([seed, int(translated)])
    return [_Talk(rng, translated).held() for _ in range(count)]


class _Talk:
    """One dialogue while it goes on."""

    def __init__(self, rng: np.random.Generator, translated: bool) -> None:
        self.rng, self.translated = rng, translated
        self.state: dict[tuple[str, str], str] = {}
        self.sample = Sample()

    def held(self) -> Sample:
        domains = [str(name) for name in self.rng.permutation(list(SLOTS))[: self.rng.integers(1, 3)]]
        for position, domain in enumerate(domains):
            self._search(domain, domains[:position])
        self._say(THANK, "( general ) bye")
        return self.sample

    def _search(self, domain: str, earlier: list[str]) -> None:
        """The user states some constraints, asked or not, takes or refuses an offer, then may change one."""
        slots = [str(name) for name in self.rng.permutation(list(SLOTS[domain]))]
        slots.sort(key=lambda slot: "yes" not in SLOTS[domain][slot])  # nobody opens with a garden
        self._open(domain, slots.pop(), earlier)
        for slot in slots:
            if self._chance(0.8):
                self._state(
                    domain, slot, f"( {domain} ) {f'request {slot}' if self._chance(0.6) else 'inform'}"
                )
        self._offer(domain)
        for _ in range(self.rng.integers(0, 3)):
            self._say(CHAT, f"( {domain} ) inform")
        if self._chance(0.5):
            self._change(domain)

    def _open(self, domain: str, slot: str, earlier: list[str]) -> None:
        shared = [other for other in earlier if slot == "area" and (other, slot) in self.state]
        if shared:
            self.state[domain, slot] = self.state[shared[0], slot]
            self._say(SAME, "( general ) more", d=domain, s=slot)
        else:
            self._state(domain, slot, "( general ) greeting")

    def _state(self, domain: str, slot: str, act: str) -> None:
        value = str(self.rng.choice(SLOTS[domain][slot]))
        self.state[domain, slot] = value
        if value in WISH:
            self._say(WISH[value], act, d=domain, s=slot)
        else:
            self._say(
                ANSWER if "request" in act and self._chance(0.7) else TELL, act, d=domain, s=slot, v=value
            )

    def _offer(self, domain: str) -> None:
        name = str(self.rng.choice(NAMES[domain]))
        if taken := self._chance(0.6):
            self.state[domain, "name"] = name
        self._say(TAKE if taken else REFUSE, f'( {domain} ) recommend name equal_to " {word(name)} "')

    def _change(self, domain: str) -> None:
        slots = [slot for (d, slot), value in sorted(self.state.items()) if d == domain and slot != "name"]
        spoken = [slot for slot in slots if "yes" not in SLOTS[domain][slot]]
        if not spoken:
            return
        slot = str(self.rng.choice(spoken))
        act, old = f"( {domain} ) no-offer {slot}", self.state.pop((domain, slot))
        if self._chance(0.5):
            self._say(DROP, act, d=domain, s=slot)
            return
        new = str(self.rng.choice([value for value in SLOTS[domain][slot] if value != old]))
        self.state[domain, slot] = new
        self._say(CORRECT, act, d=domain, s=slot, v=new, o=old)

    def _say(self, ways: tuple[str, ...], act: str, **parts: str) -> None:
        ways = ways[:2] if self.translated else ways
        text = " ".join(self._words(str(self.rng.choice(ways)), parts))
        self.sample.turns.append((text, act, self._line()))

    def _words(self, way: str, parts: dict[str, str]) -> list[str]:
        said = [self._worded(gloss, parts) for gloss in way.split()]
        if self.translated:
            said = [made for made in said if not self._chance(0.1)]
            if len(said) > 1 and self._chance(0.2):
                place = int(self.rng.integers(len(said) - 1))
                said[place : place + 2] = said[place + 1], said[place]
        return said

    def _worded(self, gloss: str, parts: dict[str, str]) -> str:
        if gloss not in ("{v}", "{o}"):
            return word(gloss.format(**parts))
        value = parts[gloss[1]]
        if self.translated:
            return word(str(self.rng.choice(DISHES)) if self._chance(0.06) else value)
        return word(value + "'" if self._chance(0.5) else value)

    def _line(self) -> str:
        items = sorted((d, s, v if v in WISH else word(v)) for (d, s), v in self.state.items())
        blocks: dict[str, list[str]] = {}
        for domain, slot, value in items:
            blocks.setdefault(domain, []).append(f'{slot} equal_to " {value} "')
        return " , ".join(f"( {domain} ) {' , '.join(texts)}" for domain, texts in blocks.items()) or "null"

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)
