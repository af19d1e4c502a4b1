"""X-RiSAWOZ (Moradshahi et al., ACL Findings 2023) from Chinese to English, 12 domains.

Source: the Chinese validation dialogues, user turns machine-translated, annotations projected through the
authors' alignment of values. Target: English test dialogues. Validation: the English few-shot dialogues.

Leaks to keep in mind: the English validation set is the translation of the source, so it is not read here;
the authors' alignments cover the values of all splits, so the inventory of values is closed; 20 % of the
English test turns (short ones) occur word for word in the English validation set.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from lineshaft.dialogue import data
from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, State
from lineshaft.dialogue.corpus.files import read_json, read_json_member
from lineshaft.dialogue.corpus.material import Material, deal
from lineshaft.dialogue.corpus.ontology import Ontology, surfaces
from lineshaft.dialogue.corpus.read import read
from lineshaft.dialogue.corpus.readers.risawoz import slot
from lineshaft.dialogue.corpus.readers.subtask import project
from lineshaft.dialogue.corpus.state import read as read_line
from lineshaft.dialogue.corpus.text import plain
from lineshaft.engine import Part, RequestError, Run

BOOLEANS = frozenset(("true", "false", "yes", "no"))

Project = Callable[[Slot, str], str]


class Xrisawoz(Part):
    """X-RiSAWOZ, Chinese to English, 12 domains; the seed deals 450 test dialogues into three folds."""

    name: Literal["xrisawoz"] = "xrisawoz"

    def load(self, run: Run, seed: int) -> tuple[Material, Ontology]:
        return load(run.data(data.XRISAWOZ), seed)

    def outside(self, run: Run) -> list[list[State]]:
        """A language model's states of the target dialogues: errors that no annotator here has made."""
        folder = run.data(data.XRISAWOZ_LLM)
        records = read_json(folder / "test_dev/llm_predictions_dst_en_mod4_012.json.xz")
        states: dict[int, list[State]] = {}
        for record in records:
            update, _ = read_line(record["prediction"])
            found = {Slot(s.domain.lower(), s.name.lower()): value for s, value in update.assigned.items()}
            states.setdefault(record["dialogue"], []).append(found)
        return list(states.values())


def load(folder: Path, seed: int) -> tuple[Material, Ontology]:
    """The corpus and its ontology; `seed` deals the test dialogues into folds."""
    english, chinese = (
        read_json_member(folder / "mappings.tar.xz", name)
        for name in ("en2canonical.json", "zh2en_alignment.json")
    )
    source = read(folder / "valid/dst_zh.json.xz", "zh").needed()
    texts = read_json(folder / "mt/zh_valid_user_mt_en.json.xz")
    target = read(folder / "test_dev/dst_en_mod4_012.json.xz", "en").needed()
    fewshot = read(folder / "fewshot_processed/en_fewshot.json.xz", "en").needed()
    translated = _translated(source, texts, projection(chinese))
    material = Material("xrisawoz", translated, target, fewshot, deal(len(target), seed))
    return material, ontology(english, chinese)


def ontology(english: dict[str, Any], chinese: dict[str, Any]) -> Ontology:
    """English surfaces and their canonical values, from the authors' canonical forms and alignments."""
    entries = [
        (slot(domain, name), canonical, [others] if isinstance(others, str) else others)
        for domain, slots in english.items()
        for name, values in slots.items()
        for canonical, others in values.items()
    ]
    names = surfaces(entries)
    for domain, slots in chinese.items():
        for name, values in slots.items():
            table = names.setdefault(slot(domain, name), {})
            for value in values.values():
                table.setdefault(plain(value), plain(value))
    closed = {key: tuple(sorted(set(table.values()) & BOOLEANS)) for key, table in sorted(names.items())}
    return Ontology(names, {key: values for key, values in closed.items() if values}, BOOLEANS)


def projection(chinese: dict[str, Any]) -> Project:
    """Translates a Chinese value by the alignment of its slot, else of any slot; unknown values stay."""
    exact: dict[tuple[Slot, str], str] = {}
    anywhere: dict[str, str] = {}
    for domain, slots in chinese.items():
        for name, values in slots.items():
            for value, english in values.items():
                exact[slot(domain, name), _close(value)] = english
                anywhere.setdefault(_close(value), english)
    return lambda key, value: exact.get((key, _close(value))) or anywhere.get(_close(value)) or value


def _translated(dialogues: list[Dialogue], texts: list[str], translate: Project) -> list[Dialogue]:
    """Dialogues in English: user turns by machine, in order, values by the authors' alignment."""
    if len(texts) != (turns := sum(len(dialogue.turns) for dialogue in dialogues)):
        raise RequestError(f"mt/zh_valid_user_mt_en.json.xz has {len(texts)} lines for {turns} turns")
    lines = iter(texts)
    return [project(each, translate, [next(lines) for _ in each.turns]) for each in dialogues]


def _close(value: str) -> str:
    return value.replace(" ", "")
