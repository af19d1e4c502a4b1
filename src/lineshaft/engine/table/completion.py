"""Runs from before a parameter was added: they have its default, which only their experiment's code tells."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.config import as_json
from lineshaft.engine.spec.experiment import find, module_of
from lineshaft.engine.table.columns import torn
from lineshaft.engine.table.row import Row


def completed(table: Sequence[Row], asked: str | None = None) -> None:
    """Give runs of one experiment the defaults of later parameters, where their code can be imported."""
    sound = [row for row in table if not row.fault]
    if not any(torn(sound, key) for key in dict.fromkeys(k for row in sound for k in row.values)):
        return
    try:
        model = find(address(sound, asked)).config
    except (RequestError, ImportError):
        return
    for row in sound:
        try:
            row.flatten(as_json(model.model_validate(row.config)))
        except ValueError:
            continue


def address(table: Sequence[Row], asked: str | None = None) -> str:
    """Where the experiment of these runs is found: the file asked for, else where one of them was started."""
    if asked and asked.endswith(".py") and Path(asked).is_file():
        return str(Path(asked).resolve())
    name = table[0].folder.experiment
    known = [str(row.description.get("address", name)) for row in (table[-1], table[0])]
    return next((a for a in [*known, name] if is_here(a)), name)


def is_here(address: str) -> bool:
    return Path(address).is_file() if address.endswith(".py") else bool(module_of(address))


def by_experiment(table: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table:
        found.setdefault(row.folder.experiment, []).append(row)
    return found
