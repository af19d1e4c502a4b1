"""Turns as the lines of text that sequence models, and error classifiers, read and write."""

from __future__ import annotations

from lineshaft.dialogue.annotators.scene import Scene
from lineshaft.dialogue.corpus.dialogue import Act, Slot, State
from lineshaft.dialogue.corpus.state import HEARD, Update, render, render_acts, render_update


def source(scene: Scene, previous: State) -> str:
    """The text that the model reads: the state before, the agent's acts, the user's words."""
    before = render({joined(slot): value for slot, value in previous.items()}, HEARD)
    acts = tuple(
        Act(act.domain, _one(act.name), act.slot and _one(act.slot), act.value) for act in scene.acts
    )
    said = f"AGENT_ACTS: {render_acts(acts)} USER: {scene.text}"
    return f"DST: <state> {before} <endofstate> <history> {said} <endofhistory>"


def written(update: Update) -> str:
    """The text that the model writes."""
    return render_update(
        Update(
            {joined(slot): value for slot, value in update.assigned.items()},
            frozenset(joined(slot) for slot in update.removed),
        )
    )


def joined(slot: Slot) -> Slot:
    return Slot(slot.domain, _one(slot.name))


def _one(name: str) -> str:
    """A name as one word, so that it can stand in a line."""
    return "_".join(name.split())
