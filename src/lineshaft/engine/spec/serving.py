"""Importing the kept code, in this process and in those that it starts.

A module whose file is unchanged is imported from that file as ever, else from its copy; `__file__` is the own
file's in any case, since data may lie beside it. Processes that a run starts itself (joblib's, a pool's, a
spawning DataLoader's) inherit no import hook, but `sys.path`: its first entry is a folder of stand-ins, small
modules that install the hook and give way to the module whose name they have.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

from lineshaft.engine.spec.code import drop_doubtful_bytecode, held, is_stand_in, top_level
from lineshaft.engine.spec.frozen import Kept, stood_for


@contextmanager
def serving(kept: Kept) -> Iterator[None]:
    """Meanwhile this process and those that it starts import the kept code, and no other."""
    finder, place = Finder(kept), str(kept.stand_ins)
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.path.remove(place)


def give_way(name: str) -> None:
    """Called by a stand-in: from now on this process imports the kept code, first the module of that name."""
    known = {finder.kept.stand_ins for finder in sys.meta_path if isinstance(finder, Finder)}
    for place in reversed([Path(path) for path in sys.path if is_stand_in(path)]):
        if place not in known:
            sys.meta_path.insert(0, Finder(stood_for(place)))
    importlib.import_module(name)


def first_place() -> int:
    """Where a folder belongs in sys.path that is to be searched first: after the stand-ins."""
    return next((i for i, path in enumerate(sys.path) if not is_stand_in(path)), len(sys.path))


@dataclass(eq=False)
class Finder(MetaPathFinder):
    """Finds the modules of a kept code: their own files where they hold the same still, else the copies."""

    kept: Kept

    @property
    def copies(self) -> dict[Path, Path]:
        """File -> what this process imports in its place."""
        return {file: self.kept.copy_of(name) for name, file in self.kept.modules.items()}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = self.kept.modules.get(name)
        if file is None:
            return top_level(name) if (self.kept.stand_ins / f"{name}.py").exists() else None
        inside = [str(file.parent)] if file.name == "__init__.py" else None
        copy = self.kept.copy_of(name)
        if held(file) == held(copy):
            drop_doubtful_bytecode(file)
            return importlib.util.spec_from_file_location(name, file, submodule_search_locations=inside)
        return importlib.util.spec_from_file_location(
            name, copy, loader=Loader(name, str(copy), file), submodule_search_locations=inside
        )


class Loader(SourceFileLoader):
    """Executes a copy under the name of its own file."""

    def __init__(self, name: str, copy: str, file: Path) -> None:
        super().__init__(name, copy)
        self.file = file

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.file)
        super().exec_module(module)
