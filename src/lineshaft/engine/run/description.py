"""run.json: what a run says of itself, so that nobody need import its experiment or read its source.

    {"experiment": "mine", "address": "/home/me/mine.py", "version": 1, "objective": ["val/acc", "max"],
     "words": ["lr=0.2", "seed=0"],               what is not a default, in the order of the name
     "code": "4f0c7b3c58a4d1e9",                  hash of the project's files, as `spec.code` finds them
     "codes": ["4f0c7b3c58a4d1e9"],               every code that computed a part of it, oldest first
     "root": "/home/me",
     "files": {"mine": "mine.py", "helper": "helper.py"},         module -> file, below root, else absolute
     "packages": {"torch": "2.13.0"}}             versions of installed packages that the project imports

What the configuration tells is written beside it, the code when an execution starts. Two entries in `codes`
mean that the run was resumed under other code.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lineshaft.engine.run.store import Folder, write_json
from lineshaft.engine.spec.code import Code, digest, held
from lineshaft.engine.spec.config import Config
from lineshaft.engine.spec.experiment import Experiment
from lineshaft.engine.spec.names import name_of, placeless
from lineshaft.engine.spec.spelling import words

FILE = "run.json"


def introduced(address: str, config: Config) -> dict[str, Any]:
    """What the configuration tells of a run that has not begun."""
    return {
        "experiment": name_of(address),
        "address": address,
        "version": config.version,
        "objective": list(config.objective) if config.objective else None,
        "words": words(placeless(config)),
    }


def introduce(folder: Folder, address: str, config: Config) -> None:
    write_json(folder.dir / FILE, introduced(address, config))


def described(experiment: Experiment, config: Config, code: Code, codes: list[str]) -> dict[str, Any]:
    """What run.json holds; `codes` are those that computed what this execution goes on from."""
    return {
        **introduced(experiment.address, config),
        "code": code.hash,
        "codes": list(dict.fromkeys([*codes, code.hash])),
        "root": str(code.root),
        "files": {name: below(path, code.root) for name, path in code.files},
        "packages": code.versions(),
    }


def describe(folder: Folder, experiment: Experiment, config: Config, code: Code, codes: list[str]) -> None:
    write_json(folder.dir / FILE, described(experiment, config, code, codes))


def description(folder: Folder) -> dict[str, Any]:
    """The content of run.json, empty where there is none that can be read."""
    try:
        found = json.loads(folder.read(FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def code_now(found: Mapping[str, Any], root: Path | None = None) -> str:
    """The hash of a description's files as they are now, below `root` or where they were; empty if gone."""
    files, root = found.get("files"), root or Path(str(found.get("root", "")))
    if not isinstance(files, dict) or not files:
        return ""
    contents = {name: held(root / str(path)) for name, path in files.items()}
    if all(content is None for content in contents.values()):
        return ""
    return digest((name, content or b"") for name, content in contents.items())


def below(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
