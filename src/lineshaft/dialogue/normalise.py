"""Values compared as the authors of X-RiSAWOZ compare them: a third metric, beside ours and the strict one.

Rules as published with the corpus (Moradshahi et al. 2023), written anew: case, punctuation and articles do
not count, times and numbers have one form, ordinals lose their ending, plurals their s, lists their "and",
and values that only say yes, no, true or false are left out of the state. What is left is looked up among
the canonical names of the slot.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lineshaft.dialogue.corpus.dialogue import State
from lineshaft.dialogue.corpus.ontology import CanonicalState, Ontology
from lineshaft.dialogue.corpus.text import fold

SKIPPED = frozenset(("null", "yes", "no", "true", "false", "has", "have", "can", "cannot", "none", ""))
RULES = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"[\"'`.,;:!?()\[\]]+(?=\s|$)", ""),
        (r"(?:^|\s)[\"'`(\[]+", " "),
        (r"^(?:the|an?|some)\s+", ""),
        (r"\b(\d{1,2}):00\s*([ap])\.?m\b", r"\1 \2m"),
        (r"\b(\d{1,2})(?::(\d\d))?\s*([ap])\.?\s?m\b", r"\1:\2 \3m"),
        (r"\b(\d+)(?:st|nd|rd|th)\b", r"\1"),
        (r"\b(\d+)\.0+\b", r"\1"),
        (r"(?<=\w)'s\b", ""),
        (r"(?<=[a-z]{3})(?<!s)s\b", ""),
        (r"\s+and\s+", " "),
        (r"[-_/]+", " "),
        (r"\s+", " "),
    )
)


@lru_cache(maxsize=1 << 16)
def normalised(value: str) -> str:
    """A value in the form in which it is compared."""
    found = fold(value)
    for pattern, to in RULES:
        found = pattern.sub(to, found)
    return found.strip()


def normalised_state(ontology: Ontology, state: State) -> CanonicalState:
    """The state as compared; a slot whose values are all skipped is left out."""
    found = {}
    for slot, value in state.items():
        names = {normalised(name) for name in value.values}
        kept = {normalised(ontology.canonical(slot, name)) for name in names} - SKIPPED
        if kept:
            found[slot] = (value.relation, frozenset(kept))
    return found
