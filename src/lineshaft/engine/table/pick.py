"""A run by what a person types: its id, a part of it that no other run has, or a path."""

from collections.abc import Sequence
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.store import Folder
from lineshaft.engine.table.read import everything


def pick(runs: Path, text: str) -> Folder:
    """The one run that fits; RequestError that lists the candidates where none or several fit."""
    if (folder := by_path(text)) is not None:
        return folder
    every = list(everything(runs))
    exact = [f for f in every if text.strip("/") in (f.id, f.name)]
    fitting = exact or [f for f in every if text in f.id]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise RequestError(f"no run {text[:200]!r} below {runs}; `lineshaft ls` lists them")
    raise RequestError(f"{text[:200]!r} fits {len(fitting)} runs, say more: {'; '.join(ids(fitting)[:4])}")


def by_path(text: str) -> Folder | None:
    """A folder with a config.json; also through a link or with a slash at the end."""
    try:
        path = Path(text).resolve()
        return Folder(path) if (path / "config.json").is_file() else None
    except (OSError, ValueError):
        return None


def ids(found: Sequence[Folder]) -> list[str]:
    return [folder.id for folder in found]
