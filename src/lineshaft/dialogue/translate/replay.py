"""Do the constraints of a state find something in the database? The agent's searches, run again.

A translated state whose search finds nothing, while the agent offers something, holds a value that the
translated database does not know, or knows by another name. The database is a folder of JSON lists, one a
domain; it is held in memory (SQLite), no server.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, State
from lineshaft.dialogue.corpus.ontology import ABSENT, INDIFFERENT, Ontology
from lineshaft.dialogue.corpus.text import plain
from lineshaft.dialogue.translate.checks import Finding
from lineshaft.engine import RequestError
from lineshaft.engine.errors import nearest

OFFERS = frozenset(("inform", "recommend", "offer", "select"))


class Database:
    """Rows of each domain, in memory; values are compared as the ontology means them."""

    def __init__(
        self, rows: Mapping[str, Iterable[Mapping[str, Any]]], ontology: Ontology | None = None
    ) -> None:
        self.ontology = ontology or Ontology({}, {})
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("create table fact (domain text, row integer, slot text, value text)")
        self.columns: dict[str, set[str]] = {}
        facts = list(self._facts(rows))
        self.connection.executemany("insert into fact values (?, ?, ?, ?)", facts)
        self.connection.execute("create index place on fact (domain, slot, value)")

    def _facts(self, rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[tuple[str, int, str, str]]:
        for domain, each in rows.items():
            for number, row in enumerate(each):
                for name, value in row.items():
                    slot = Slot(domain, name.lower().replace(" ", "_"))
                    self.columns.setdefault(domain, set()).add(slot.name)
                    for one in value if isinstance(value, list) else [value]:
                        yield domain, number, slot.name, self.ontology.canonical(slot, str(one))

    def values(self, slot: Slot) -> set[str]:
        """Values that the database knows for a slot."""
        query = "select distinct value from fact where domain = ? and slot = ?"
        return {value for (value,) in self.connection.execute(query, (slot.domain, slot.name))}

    def count(self, domain: str, state: State) -> int:
        """How many rows of a domain fulfil all constraints of a state that name a column."""
        rows: set[int] | None = None
        for slot, names in self.constraints(domain, state).items():
            marks = ",".join("?" * len(names))
            query = f"select row from fact where domain = ? and slot = ? and value in ({marks})"
            found = {row for (row,) in self.connection.execute(query, (domain, slot.name, *sorted(names)))}
            rows = found if rows is None else rows & found
        if rows is None:
            query = "select count(distinct row) from fact where domain = ?"
            return int(self.connection.execute(query, (domain,)).fetchone()[0])
        return len(rows)

    def constraints(self, domain: str, state: State) -> dict[Slot, frozenset[str]]:
        """The constraints of a state that the database can check."""
        found = {}
        for slot, value in state.items():
            if (
                slot.domain == domain
                and slot.name in self.columns.get(domain, ())
                and value.relation == "equal_to"
            ):
                names = self.ontology.canonical_value(slot, value)[1]
                if INDIFFERENT not in names and not names <= ABSENT:
                    found[slot] = names
        return found


def read_database(folder: Path, ontology: Ontology | None = None) -> Database:
    """From a folder of DOMAIN.json or DOMAIN_xx.json files, each a list of rows."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise RequestError(f"{folder} holds no DOMAIN.json files with lists of rows")
    rows = {}
    for path in files:
        try:
            found = json.loads(path.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise RequestError(f"{path} cannot be read as JSON: {error}") from error
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise RequestError(f"{path} must be a list of rows")
        rows[path.stem.split("_")[0].lower()] = found
    return Database(rows, ontology)


def replay(dialogues: Iterable[Dialogue], database: Database) -> list[Finding]:
    """Turns after which the agent offers something of a domain, while the state finds nothing there."""
    found = []
    for dialogue in dialogues:
        for number, turn in enumerate(dialogue.turns[:-1]):
            for domain in sorted(_offered(dialogue.turns[number + 1].acts)):
                if (
                    turn.state is not None
                    and domain in database.columns
                    and not database.count(domain, turn.state)
                ):
                    found.append(_failed(dialogue, number, domain, turn.state, database))
    return found


def _offered(acts: Iterable[Act]) -> set[str]:
    return {act.domain for act in acts if act.name in OFFERS and act.slot == "name" and act.value}


def _failed(dialogue: Dialogue, number: int, domain: str, state: State, database: Database) -> Finding:
    """The first constraint that the database does not know, else that they exclude each other."""
    for slot, names in database.constraints(domain, state).items():
        known = database.values(slot)
        for name in sorted(names - known):
            cause = f"the search in {domain} finds nothing: {slot.name} is never {name!r}"
            return Finding(
                "search", dialogue.id, number, cause, f"correct the value{nearest(plain(name), known)}"
            )
    asked = ", ".join(slot.name for slot in database.constraints(domain, state))
    cause = f"the search in {domain} finds nothing: {asked} exclude each other"
    return Finding("search", dialogue.id, number, cause, "correct one of these values, or the database")
