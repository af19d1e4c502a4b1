"""A row of the table of runs: one run, its configuration flattened with dots, its final metrics."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.names import name_of

if TYPE_CHECKING:
    import numpy as np

UNREADABLE = (RequestError, OSError, ValueError, TypeError, AttributeError, RecursionError)


@dataclass(slots=True)
class Row:
    """One run: what its config.json holds, the same flattened, the final metrics, what is unreadable."""

    folder: Folder
    state: str
    config: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    result: dict[str, float] = field(default_factory=dict)
    fault: str = ""
    description: dict[str, Any] = field(default_factory=dict)
    """What run.json holds."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Hashes of the codes that computed it, oldest first; several where it was resumed."""
        codes = self.description.get("codes")
        return tuple(map(str, codes)) if isinstance(codes, list) else ()

    @property
    def code(self) -> str:
        """What a person sees of them: `4f0c7b3c`, `4f0c7b3c+a976cc00`, or `unknown`."""
        return "+".join(code[:8] for code in self.codes) or "unknown"

    @property
    def version(self) -> int:
        """The version of its experiment's code."""
        version = self.description.get("version", 1)
        return version if isinstance(version, int) else 1

    @property
    def id(self) -> str:
        return self.folder.id

    @property
    def diverged(self) -> bool:
        """Done, with a final metric that is not finite."""
        return not all(map(math.isfinite, self.result.values()))

    def flatten(self, config: dict[str, Any]) -> None:
        """Take these values, nested ones under names with dots; the version of the code is one of them."""
        self.values = {**flattened(config), "version": self.version}

    def executions(self) -> list[dict[str, Any]]:
        """Provenance, one entry an execution, oldest first; empty where it cannot be read."""
        return executions(self.folder)

    def last(self) -> dict[str, Any]:
        """The provenance of its last execution, empty where there is none or it cannot be read."""
        entries = self.executions()
        return entries[-1] if entries else {}

    def array(self, name: str) -> "np.ndarray[Any, Any]":
        """An array that the run saved: values of single items, for paired comparisons and figures."""
        return self.folder.array(name)


def fault_of(folder: Folder, error: Exception) -> str:
    """What makes a run unreadable, in one line that names the file."""
    return str(error) if isinstance(error, RequestError) else f"{folder.dir}: {error or type(error).__name__}"


def executions(folder: Folder) -> list[dict[str, Any]]:
    try:
        return [entry for entry in folder.provenance() if isinstance(entry, dict)]
    except UNREADABLE:
        return []


def flattened(config: dict[str, Any]) -> dict[str, Any]:
    """`{"method": {"name": "der", "alpha": 1}}` -> `{"method": "der", "method.alpha": 1}`.

    Several variants are joined as on the command line: `method` is `si+der`, then `method.der.alpha`.
    A parent is named by its experiment, its version and parameters follow as `parent.lr`.
    """
    return dict(pairs("", config))


def pairs(prefix: str, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        path = f"{prefix}{key}"
        if key == "parent" and isinstance(value, dict) and isinstance(value.get("config"), dict):
            yield path, name_of(str(value.get("experiment")))
            yield f"{path}.version", value.get("version", 1)
            yield from pairs(f"{path}.", value["config"])
        elif isinstance(value, dict):
            yield from part(path, value)
        elif isinstance(value, list) and value and all(is_variant(v) for v in value):
            yield path, "+".join(v["name"] for v in value)
            for v in value:
                yield from pairs(f"{path}.{v['name']}.", without_name(v))
        else:
            yield path, value


def part(path: str, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if is_variant(value):
        yield path, value["name"]
        value = without_name(value)
    yield from pairs(f"{path}.", value)


def is_variant(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def without_name(value: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in value.items() if k != "name"}


def text_of(value: Any) -> str:
    """A value as a person writes it in a word."""
    if value is None:
        return "none"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
