"""Whether a run's folder holds what is asked for: its name tells no defaults, and no path of a file."""

import json
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.config import Config, as_json
from lineshaft.engine.spec.names import name_of, placeless


class DefaultChanged(RequestError):
    """A run's folder holds other values than its name means now: every run of the grid is concerned."""


def check_identity(folder: Folder, address: str, config: Config) -> None:
    """Refuse a folder whose stored values are not this configuration's: a default changed since."""
    check_namesake(folder, address)
    stored, now = with_parent_named(folder.config()), as_json(placeless(config))
    changes = [
        f"default of {key} changed since this run: {json.dumps(old)} -> {json.dumps(now[key])}"
        if key in now
        else f"parameter {key} ({json.dumps(old)}) was removed since this run"
        for key, old in stored.items()
        if now.get(key, KeyError) != old
    ]
    if changes:
        raise DefaultChanged(
            f"{folder.id}: {'; '.join(changes[:5])}. `lineshaft rename` gives the old run its new name; "
            "or pass the old value, or remove the run"
        )


def with_parent_named(config: dict[str, Any]) -> dict[str, Any]:
    """Stored values as `placeless` leaves them."""
    parent = config.get("parent")
    if not isinstance(parent, dict) or "experiment" not in parent:
        return config
    return config | {"parent": parent | {"experiment": name_of(str(parent["experiment"]))}}


def check_namesake(folder: Folder, address: str) -> None:
    """Refuse the run of another plain file of the same name; a file that was moved stays the same."""
    if not address.endswith(".py"):
        return
    other = str(next((entry.get("experiment", "") for entry in reversed(folder.provenance())), ""))
    if other != address and Path(other).is_file() and Path(other).read_bytes() != Path(address).read_bytes():
        raise RequestError(
            f"{folder.id} is a run of {other}, not of {address}; rename one of the two files, "
            "or name another folder with --runs"
        )
