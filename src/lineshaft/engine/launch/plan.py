"""The cells of a sweep, from the words that a person gives or from a table of configurations."""

import importlib
import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.config import Config
from lineshaft.engine.spec.experiment import address_of, fault, find, module_at, own
from lineshaft.engine.spec.grid import grid, grid_over

Cell = tuple[str, Config]
"""The address of an experiment, and what it is to compute."""


def cells(experiment: str | Sequence[Config], words: Sequence[str]) -> list[Cell]:
    """The cells that an address with words, or a list of configurations, asks for."""
    if isinstance(experiment, str):
        return planned(experiment, words)
    return [(address_of(config), cell) for config in experiment for cell in grid_over(config, words)]


def planned(experiment: str, words: Sequence[str]) -> list[Cell]:
    """The cells of a grid, or of a table `SYSTEM.tables:FUNCTION`; words then change every row of it."""
    if ":" not in experiment:
        return [(experiment, config) for config in grid(find(experiment).config, words)]
    return [(a, cell) for a, config in table(experiment) for cell in grid_over(config, words)]


def table(address: str) -> list[Cell]:
    """The rows of a table function, each with the address of its experiment."""

    module, _, name = address.rpartition(":")
    if module.endswith(".py"):
        found = module_at(Path(module).resolve(), module)
    else:
        ours = module.partition(".")[0] in {each.partition(".")[0] for each in own()}
        try:
            found = importlib.import_module(f"lineshaft.{module}" if ours else module)
        except Exception as error:
            raise RequestError(f"no table {address}: {fault(error)}") from None
    if not hasattr(found, name):
        raise RequestError(f"no table {address}: {module} has no {name[:80]}")
    function = getattr(found, name)
    return [(address_of(config), config) for config in rows_of(function, address)]


def rows_of(function: Any, address: str) -> list[Config]:
    """The configurations that the function returns; RequestError where it is not a table."""
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"{address} is not a table: {error}; a table is a function without arguments"
        ) from None
    rows = function()
    found = list(rows) if isinstance(rows, Iterable) else [rows]
    if isinstance(rows, Config) or not all(isinstance(row, Config) for row in found):
        raise RequestError(
            f"{address} is not a table: it returns {rows!r:.60} instead of a list of configurations"
        )
    return found
