"""An experiment's source, found and read without importing it, which may take seconds or be impossible."""

import ast
import functools
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.provenance import source_hash
from lineshaft.engine.spec.experiment import GROUP, code_of, find, own

Objective = tuple[str, str]


@functools.cache
def source(address: str) -> Path | None:
    """The file of an experiment's module, None where it is not here."""
    if address.endswith(".py"):
        return Path(address) if Path(address).is_file() else None
    points = importlib.metadata.entry_points(group=GROUP, name=address) if address not in own() else ()
    module = own().get(address) or next((point.value for point in points), None)
    try:
        spec = importlib.util.find_spec(module) if module else None
    except Exception:
        return None
    return Path(spec.origin) if spec and spec.origin else None


@functools.cache
def code_now(address: str) -> str:
    """The hash that provenance calls `code`, of the source as it is now; empty where it is not here."""
    file = source(address)
    return source_hash(code_of(address, file)) if file else ""


def stale(entry: dict[str, Any]) -> bool:
    """Whether the system's code changed since the execution that this provenance tells of."""
    now = code_now(str(entry.get("experiment", "")))
    return bool(now) and "code" in entry and entry["code"] != now


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
