"""Whether a run was computed by other code than its project holds now."""

import functools
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lineshaft.engine.run.description import code_now
from lineshaft.engine.spec.code import root_of
from lineshaft.engine.spec.experiment import module_of

hashes_now: dict[tuple[str, str], str] = {}
"""(address, code of a run) -> hash of the same files now: thousands of runs share few codes."""


def is_stale(description: Mapping[str, Any]) -> bool:
    """Whether the files of its last execution hold something else now; they are compared, not understood.

    A run that does not say which code computed it, or whose experiment is not here, is not called stale.
    """
    key = str(description.get("address")), str(description.get("code", ""))
    if not key[1]:
        return False
    if key not in hashes_now:
        hashes_now[key] = files_now(key[0], description.get("files"))
    return hashes_now[key] not in ("", key[1])


def files_now(address: str, files: Any) -> str:
    """The hash of these files of an experiment as they are now; empty where it is not here."""
    file = place(address)
    if file is None or not isinstance(files, dict) or not files:
        return ""
    main = file.stem if address.endswith(".py") else module_of(address)
    return code_now({"files": files}, root_of(main, file))


@functools.cache
def place(address: str) -> Path | None:
    """The file of an experiment's module, found without importing it; None where it is not here."""
    if address.endswith(".py"):
        return Path(address) if Path(address).is_file() else None
    module = module_of(address)
    try:
        spec = importlib.util.find_spec(module) if module else None
    except Exception:
        return None
    return Path(spec.origin) if spec and spec.origin else None
