"""States, updates and acts as one line of text, with a grammar that reads back exactly what was written.

    ( hotel ) area equal_to " Gusu " , stars one_of " 4 | 5 " ( train ) day removed

is the line form of X-RiSAWOZ and BiToD (Moradshahi et al. 2023), in which sequence models read and write
states. Domains and slots are sorted; an empty state is `null`. The published files set domains apart by a
comma in the state that a model reads and by a space in the state that it writes; `render` takes the mark.
Theirs breaks on values with quotes, bars or line breaks; here such characters are escaped by a backslash, so
that parse(render(x)) == x for every value, while the text of the published corpora, which has no escapes,
still reads. `removed` is our addition: an update can drop a slot. BiToD marks a slot that the agent still
has to ask for as `#unknown`, which is not a value, and names domains in several words.

`parse` refuses what is no state. `read` is for the output of a model: it keeps every readable slot and says
what it could not read, and which slots were written twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, VisitError

from lineshaft.dialogue.corpus.dialogue import Act, Slot, State, Value

_Items = tuple[tuple[str, tuple[Any, ...]], ...]
EMPTY = "null"
REMOVED = "removed"
UNKNOWN = "#unknown"
SPOKEN, HEARD = " ", " , "
"""What stands between two domains in a line that a model writes, and in one that it reads."""
GRAMMAR = r"""
line: NULL | domain item? (","? domain item? | "," item)*
domain: "(" NAME+ ")"
item: NAME [NAME [NAME]] [LITERAL]
NULL.1: "null"
NAME: /[^\s()",|]+/
// A quote inside a value of a published corpus does not end it unless a comma, a bracket or the end follows.
LITERAL: /" (?:\\.|[^\\])*? "(?=\s*(?:,|\(|$))/s
%ignore /\s+/
"""
NAME = re.compile(r'[^\s()",|]+')
PIECE = re.compile(r'((?:^|[\s,])*\(([^()"]*)\))?\s*,?\s*([^\s(),"][^",()]*(?:"(?:\\.|[^"\\])*")?)?')
ESCAPES = {"\\": "\\\\", '"': '\\"', "|": "\\|", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
UNESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " ", "e": ""}


class StateSyntaxError(ValueError):
    """A line that is not a state, an update or a list of acts."""


@dataclass(frozen=True)
class Update:
    """What one turn changes: slots given a value, and slots dropped."""

    assigned: State = field(default_factory=dict)
    removed: frozenset[Slot] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.assigned or self.removed)


def apply(previous: State, update: Update) -> State:
    """The state after `update`; dropping a slot that is not there changes nothing."""
    kept = {slot: value for slot, value in previous.items() if slot not in update.removed}
    return kept | update.assigned


def diff(previous: State, state: State) -> Update:
    """The smallest update with apply(previous, update) == state."""
    assigned = {slot: value for slot, value in state.items() if previous.get(slot) != value}
    return Update(assigned, frozenset(previous) - frozenset(state))


def render(state: State, between: str = SPOKEN) -> str:
    """A state as one line."""
    return render_update(Update(state), between)


def render_update(update: Update, between: str = SPOKEN) -> str:
    """An update as one line; a slot both assigned and dropped is refused, since no line can mean that."""
    if both := update.removed & update.assigned.keys():
        raise ValueError(f"{min(both)} is assigned and removed in one update")
    items = [(slot, f"{_named(slot.name)} {_render_value(value)}") for slot, value in update.assigned.items()]
    items += [(slot, f"{_named(slot.name)} {REMOVED}") for slot in update.removed]
    return _blocks(((slot.domain, text) for slot, text in sorted(items)), between)


def render_acts(acts: Sequence[Act]) -> str:
    """Acts as one line, sorted by domain, act and slot."""
    ordered = sorted(acts, key=lambda act: (act.domain, act.name, act.slot or ""))
    return _blocks(((act.domain, _render_act(act)) for act in ordered), HEARD)


def parse(text: str) -> State:
    """The state that `text` writes."""
    update = parse_update(text)
    if update.removed:
        raise StateSyntaxError(f"a state cannot remove a slot: {_shown(text)}")
    return update.assigned


def parse_update(text: str) -> Update:
    """The update that `text` writes; a slot written twice is refused unless both say the same."""
    update, twice = _collected(_read(text), text)
    if twice:
        raise StateSyntaxError(f"slot {twice[0]} is written twice: {_shown(text)}")
    return update


def read(text: str) -> tuple[Update, list[str]]:
    """The update that a model meant by `text`, and what is wrong with the line.

    Slots that can be read are kept, of a slot written twice the last; the rest is named.
    """
    try:
        update, twice = _collected(_read(text), text)
        return update, [f"slot {slot} is written twice" for slot in twice]
    except StateSyntaxError:
        return _salvaged(text)


def _salvaged(text: str) -> tuple[Update, list[str]]:
    """Slots of an unreadable line, one by one."""
    domain, faults = "", []
    assigned: dict[Slot, Value] = {}
    removed: set[Slot] = set()
    for piece in PIECE.findall(text):
        domain = " ".join(piece[1].split()) if piece[1] else domain
        item = f"( {domain} ) {piece[2]}"
        try:
            one, _ = _collected(_read(item), item) if domain and piece[2] else (Update(), [])
        except StateSyntaxError:
            faults.append(f"unreadable: {_shown(piece[2])}")
            continue
        faults += [f"slot {slot} is written twice" for slot in one.assigned.keys() & assigned.keys()]
        assigned |= one.assigned
        removed |= one.removed
    return Update(assigned, frozenset(removed - assigned.keys())), faults or [f"unreadable: {_shown(text)}"]


def _collected(items: _Items, text: str) -> tuple[Update, list[Slot]]:
    """Items of a line as an update, and the slots that stand there twice with two meanings."""
    assigned: dict[Slot, Value] = {}
    removed: set[Slot] = set()
    twice: list[Slot] = []
    for domain, (name, rest, tail, value) in items:
        slot = Slot(domain, name)
        if value is None and rest == UNKNOWN and tail is None:
            continue
        if value is None and rest == REMOVED and tail is None:
            twice += [slot] if slot in assigned else []
            removed.add(slot)
        elif value is not None and rest is not None and tail is None:
            new = _value(value, rest, text)
            twice += [slot] if assigned.get(slot, new) != new or slot in removed else []
            assigned[slot] = new
        else:
            raise StateSyntaxError(f"slot {slot} has neither a value nor `{REMOVED}`: {_shown(text)}")
    return Update(assigned, frozenset(removed)), twice


def parse_acts(text: str) -> tuple[Act, ...]:
    """The acts that `text` writes."""
    return tuple(_act(domain, item, text) for domain, item in _read(text))


def _act(domain: str, item: tuple[str, str | None, str | None, tuple[str, ...] | None], text: str) -> Act:
    name, slot, relation, values = item
    if (relation is None) != (values is None):
        raise StateSyntaxError(
            f"act {name} of {domain} has a relation or a value, but not both: {_shown(text)}"
        )
    return Act(domain, name, slot, None if values is None else _value(values, relation or "", text))


def _value(values: tuple[str, ...], relation: str, text: str) -> Value:
    try:
        return Value(values, relation)
    except ValueError as error:
        raise StateSyntaxError(f"{error}: {_shown(text)}") from error


def _blocks(items: Iterable[tuple[str, str]], between: str) -> str:
    by_domain = groupby(items, key=lambda item: item[0])
    blocks = (
        f"( {' '.join(map(_named, domain.split(' ')))} ) " + " , ".join(text for _, text in group)
        for domain, group in by_domain
    )
    return between.join(blocks) or EMPTY


def _render_act(act: Act) -> str:
    value = _render_value(act.value) if act.value else ""
    return " ".join(filter(None, (_named(act.name), act.slot and _named(act.slot), value)))


def _render_value(value: Value) -> str:
    return f'{value.relation} " {" | ".join(map(_escape, value.values))} "'


def _named(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(
            f'{name!r} cannot name a domain, slot or act: no spaces, brackets, quotes, "," or "|"'
        )
    return name


def _escape(value: str) -> str:
    if not value:
        return "\\e"
    text = "".join(ESCAPES.get(character, character) for character in value)
    if text[0].isspace():
        text = "\\s" + text[1:] if text[0] == " " else "\\e" + text
    if text[-1].isspace():
        text = text[:-1] + "\\s" if text[-1] == " " else text + "\\e"
    return text


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: UNESCAPES.get(match[1], match[1]), text, flags=re.DOTALL)


class _Lines(Transformer[Token, Any]):
    """Turns the parse tree into (domain, (name, name, name, values)) tuples."""

    def LITERAL(self, token: Token) -> tuple[str, ...]:
        parts = re.split(r"(?<!\\)((?:\\\\)*) \| ", token[2:-2])
        values = [text + slashes for text, slashes in zip(parts[::2], [*parts[1::2], ""])]
        return tuple(_unescape(value.strip(" ")) for value in values)

    def NAME(self, token: Token) -> str:
        return str(token)

    def item(self, children: list[Any]) -> tuple[Any, ...]:
        *names, values = children
        return (*names, *[None] * (3 - len(names)), values)

    def domain(self, children: list[str]) -> str:
        return " ".join(children)

    def line(self, children: list[Any]) -> list[tuple[str, tuple[Any, ...]]]:
        pairs, domain = [], ""
        for child in children:
            if isinstance(child, tuple):
                pairs.append((domain, child))
            else:
                domain = child
        return pairs


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, start="line", parser="lalr", transformer=_Lines(), maybe_placeholders=True)


@lru_cache(maxsize=1 << 16)
def _read(text: str) -> _Items:
    try:
        parsed: Any = _parser().parse(text)  # what _Lines makes of the tree
        return tuple(parsed)
    except (LarkError, VisitError) as error:
        column = getattr(error, "column", None)
        raise StateSyntaxError(f"unreadable at column {column}: {_shown(text)}") from error


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "...")
