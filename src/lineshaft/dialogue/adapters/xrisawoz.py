"""X-RiSAWOZ (Moradshahi et al., ACL Findings 2023) from Chinese to English, 12 domains.

Source: the Chinese validation dialogues, user turns machine-translated, annotations projected through the
authors' alignment of values. Target: English test dialogues. Validation: the English few-shot dialogues.

Leaks to keep in mind: the English validation set is the translation of the source, so it is not read here;
the authors' alignments cover the values of all splits, so the inventory of values is closed; 20 % of the
English test turns (short ones) occur word for word in the English validation set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from lineshaft.dialogue.adapters.files import read_json, read_json_member
from lineshaft.dialogue.corpus import Act, Dialogue, Fold, Material, Slot, State, Turn, Value
from lineshaft.dialogue.schema import Ontology, plain, surfaces
from lineshaft.dialogue.state import StateSyntaxError, parse, parse_acts
from lineshaft.engine import RequestError

BOOLEANS = frozenset(("true", "false", "yes", "no"))
HISTORY = re.compile(r"<history> (.*) <endofhistory>", re.DOTALL)
ACTS = re.compile(r"AGENT_ACTS: (.*?) ?USER: ", re.DOTALL)
LISTED = re.compile(r"^\['(.*)'\]$")
FOLDS = 3

Project = Callable[[Slot, str], str]


def load(folder: Path, seed: int) -> tuple[Material, Ontology]:
    """The corpus and its ontology; `seed` deals the test dialogues into folds."""
    english, chinese = (
        read_json_member(folder / "mappings.tar.xz", name)
        for name in ("en2canonical.json", "zh2en_alignment.json")
    )
    source = _dialogues(folder / "valid/dst_zh.json.xz", "zh", projection(chinese))
    translated = _translated(source, read_json(folder / "mt/zh_valid_user_mt_en.json.xz"))
    target = _dialogues(folder / "test_dev/dst_en_mod4_012.json.xz", "en")
    fewshot = _dialogues(folder / "fewshot_processed/en_fewshot.json.xz", "en")
    material = Material("xrisawoz", translated, target, fewshot, _folds(len(target), seed))
    return material, ontology(english, chinese)


def ontology(english: dict, chinese: dict) -> Ontology:
    """English surfaces and their canonical values, from the authors' canonical forms and alignments."""
    entries = [
        (_slot(domain, name), canonical, [others] if isinstance(others, str) else others)
        for domain, slots in english.items()
        for name, values in slots.items()
        for canonical, others in values.items()
    ]
    names = surfaces(entries)
    for domain, slots in chinese.items():
        for name, values in slots.items():
            table = names.setdefault(_slot(domain, name), {})
            for value in values.values():
                table.setdefault(plain(value), plain(value))
    closed = {slot: tuple(sorted(set(table.values()) & BOOLEANS)) for slot, table in sorted(names.items())}
    return Ontology(names, {slot: values for slot, values in closed.items() if values}, BOOLEANS)


def projection(chinese: dict) -> Project:
    """Translates a Chinese value by the alignment of its slot, else of any slot; unknown values stay."""
    exact: dict[tuple[Slot, str], str] = {}
    anywhere: dict[str, str] = {}
    for domain, slots in chinese.items():
        for name, values in slots.items():
            for value, english in values.items():
                exact[_slot(domain, name), _close(value)] = english
                anywhere.setdefault(_close(value), english)
    return lambda slot, value: exact.get((slot, _close(value))) or anywhere.get(_close(value)) or value


def _dialogues(path: Path, language: str, project: Project | None = None) -> list[Dialogue]:
    records = read_json(path)
    try:
        return [
            Dialogue(str(name), tuple(_turn(text, state, project) for _, text, state in group), language)
            for name, group in groupby(_subtask(records), key=lambda record: record[0])
        ]
    except (StateSyntaxError, LookupError, TypeError, AttributeError) as error:
        raise RequestError(f"{path}: not in the subtask format of X-RiSAWOZ ({error!r})") from error


def _subtask(records: list | dict) -> Iterator[tuple[str, str, str]]:
    """(dialogue, input, output) of the state-tracking subtask, in either of the two published layouts."""
    if isinstance(records, dict):
        tracked = (record for record in records["data"] if record["train_target"] == "dst")
        return ((record["dial_id"], record["input_text"], record["output_text"]) for record in tracked)
    return ((record["dialogue"], record["input"], record["output"]) for record in records)


def _turn(text: str, state: str, project: Project | None) -> Turn:
    history = HISTORY.search(text)[1]  # type: ignore[index]
    acts = ACTS.search(history)
    user = history.split("USER: ", 1)[1].strip()
    turn = Turn(user, _lower(parse(state)), tuple(_clean(act) for act in parse_acts(acts[1])) if acts else ())
    return turn if project is None else _projected(turn, project)


def _projected(turn: Turn, project: Project) -> Turn:
    state = {slot: _project(slot, value, project) for slot, value in turn.state.items()}
    acts = (
        Act(act.domain, act.name, act.slot, _project(Slot(act.domain, act.slot), act.value, project))
        if act.slot and act.value
        else act
        for act in turn.acts
    )
    return Turn(turn.user, state, tuple(acts), "projected")


def _project(slot: Slot, value: Value, project: Project) -> Value:
    return Value(tuple(project(slot, name) for name in value.values), value.relation)


def _translated(dialogues: list[Dialogue], texts: list[str]) -> list[Dialogue]:
    """Dialogues with their user turns replaced, in order."""
    if len(texts) != (turns := sum(len(dialogue.turns) for dialogue in dialogues)):
        raise RequestError(f"mt/zh_valid_user_mt_en.json.xz has {len(texts)} lines for {turns} turns")
    lines = iter(texts)
    return [
        Dialogue(d.id, tuple(Turn(next(lines), t.state, t.acts, t.provenance) for t in d.turns), "en")
        for d in dialogues
    ]


def _folds(dialogues: int, seed: int) -> list[Fold]:
    dealt = np.random.default_rng(seed).permutation(dialogues)
    parts = [sorted(map(int, dealt[fold::FOLDS])) for fold in range(FOLDS)]
    everything = set(range(dialogues))
    return [Fold(tuple(sorted(everything - set(part))), tuple(part)) for part in parts]


def _lower(state: State) -> State:
    return {Slot(slot.domain.lower(), slot.name.lower()): value for slot, value in state.items()}


def _clean(act: Act) -> Act:
    """Lower-case slots; some acts of the Chinese files write their values as Python lists."""
    value = act.value and Value(
        tuple(LISTED.sub(r"\1", name) for name in act.value.values), act.value.relation
    )
    return Act(act.domain.lower(), act.name, act.slot and act.slot.lower(), value)


def _slot(domain: str, name: str) -> Slot:
    return Slot(domain.lower(), name.lower().replace(" ", "_"))


def _close(value: str) -> str:
    return value.replace(" ", "")
