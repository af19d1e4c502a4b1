"""An experiment's source, found and read without importing it, which may take seconds or be impossible."""

import ast
import functools
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.description import code_now
from lineshaft.engine.spec.code import root_of
from lineshaft.engine.spec.experiment import code_at, find, module_of

Objective = tuple[str, str]
hashes_now: dict[tuple[str, str], str] = {}
"""(address, code of a run) -> hash of the same files now: thousands of runs share few codes."""


@functools.cache
def source(address: str) -> Path | None:
    """The file of an experiment's module, None where it is not here."""
    if address.endswith(".py"):
        return Path(address) if Path(address).is_file() else None
    module = module_of(address)
    try:
        spec = importlib.util.find_spec(module) if module else None
    except Exception:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def stale(told: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether the project's code changed since the last execution, by its run.json or else its provenance."""
    if not told:
        now = hash_now(str(entry.get("experiment", "")))
        return bool(now) and "code" in entry and entry["code"] != now
    key = str(told.get("address")), str(told.get("code"))
    if key not in hashes_now:
        hashes_now[key] = files_now(key[0], told.get("files"))
    return hashes_now[key] not in ("", key[1])


def files_now(address: str, files: Any) -> str:
    """The hash of these files of an experiment as they are now; empty where its source is not here."""
    file = source(address)
    if file is None or not isinstance(files, dict) or not files:
        return ""
    main = file.stem if address.endswith(".py") else module_of(address)
    return code_now({"files": files}, root_of(main, file))


@functools.cache
def hash_now(address: str) -> str:
    """The hash of an experiment's code as it is now; empty where it is not here."""
    file = source(address)
    return code_at(address, module_of(address), file).hash if file else ""


@functools.cache
def objective(address: str) -> Objective | None:
    """`Config.objective`: read where the source spells it out, else imported; None where neither can be."""
    file = source(address)
    if file is None:
        return None
    try:
        return spelled_out(ast.parse(file.read_bytes()))
    except (LookupError, ValueError, SyntaxError, OSError):
        pass
    try:
        return find(address).config.objective
    except (RequestError, ImportError):
        return None


def spelled_out(module: ast.Module) -> Objective | None:
    """What `class Config` assigns to `objective`; LookupError where only running the code would tell."""
    config = next((n for n in module.body if isinstance(n, ast.ClassDef) and n.name == "Config"), None)
    if config is None:
        raise LookupError("no class Config")
    for node in config.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(t, ast.Name) and t.id == "objective" for t in targets):
            value = ast.literal_eval(getattr(node, "value", None) or ast.Constant(None))
            return None if value is None else (str(value[0]), str(value[1]))
    if not set(map(ast.unparse, config.bases)) <= engine_names(module):
        raise LookupError("another class may set it")
    return None


def engine_names(module: ast.Module) -> set[str]:
    """What the engine's own Config is called in this module: `Base`, `engine.Config`."""
    found = {"engine.Config", "lineshaft.engine.Config"}
    for node in module.body:
        if isinstance(node, ast.ImportFrom) and node.module in (
            "lineshaft.engine",
            "lineshaft.engine.spec.config",
        ):
            found |= {alias.asname or alias.name for alias in node.names if alias.name == "Config"}
    return found
