"""What the agent does later, as evidence for what the user has just said.

A corpus is annotated after the fact, so an annotator may look ahead: an agent who asks for the price next
has understood the area; one who offers a hotel in the north has heard "north". This needs acts of the turns
to come. They are given in annotated corpora, not in raw text, so results with hindsight stand apart.
"""

from __future__ import annotations

from lineshaft.dialogue.corpus.dialogue import Act, Slot
from lineshaft.dialogue.corpus.text import plain

WIDTH = 7


def evidence(
    later: tuple[tuple[Act, ...], ...], slot: Slot, surface: str, canonical: str
) -> tuple[list[str], tuple[float, ...]]:
    """Facts for the hashed features, and WIDTH numbers for the stacker: of the next turn whether the agent
    stays in the domain, asks for the slot, names it; of all later turns whether it comes to the domain, names
    this value, another one, the slot at all."""
    if not later:
        return ["ends"], (-1.0, -1.0, -1.0, 0.0, 0.0, 0.0, 0.0)
    acts = later[0]
    meant = {plain(surface), canonical}
    here = any(act.domain == slot.domain for act in acts)
    asked = any((act.domain, act.slot) == slot and not act.value for act in acts)
    named = [act for act in acts if (act.domain, act.slot) == slot and act.value]
    same = [act for act in named if act.value and not meant.isdisjoint(map(plain, act.value.values))]
    every = [act for turn in later for act in turn]
    told = [act for act in every if (act.domain, act.slot) == slot and act.value]
    agreed = [act for act in told if act.value and not meant.isdisjoint(map(plain, act.value.values))]
    domains = {act.domain for act in every}
    first = next((act.domain for turn in later for act in turn if act.domain != "general"), "")
    facts = [
        f"next-here={here}",
        f"next-asks={asked}",
        f"next-names={bool(named)}",
        f"next-same={bool(same)}",
    ]
    facts += [f"next-other={len(named) > len(same)}", f"next-domains={len({act.domain for act in acts})}"]
    facts += [f"ever-here={slot.domain in domains}", f"ever-names={bool(told)}", f"ever-same={bool(agreed)}"]
    facts += [f"ever-other={len(told) > len(agreed)}", f"first-here={first == slot.domain}"]
    facts += [f"next={act.name}{act.domain == slot.domain}" for act in acts]
    facts += [f"next={act.name}{act.domain}-{act.slot}" for act in acts if act.slot]
    numbers = (
        here,
        asked,
        bool(named),
        slot.domain in domains,
        bool(agreed),
        len(told) > len(agreed),
        bool(told),
    )
    return facts, tuple(map(float, numbers))
