"""A plain file as a module of its own name: its folder stands first on sys.path, as for `python mine.py`.

multiprocessing, joblib and DataLoader hand sys.path to the processes they start, so that these find the
module and the helpers beside it by name. Files of equal names in two folders take turns: the modules of one
folder leave sys.modules while another folder's are in use, and come back with it.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.code import drop_doubtful_bytecode
from lineshaft.engine.spec.serving import first_place


@dataclass(eq=False)
class Home:
    """A folder of plain files, and the modules that were imported from it."""

    folder: Path
    modules: dict[str, ModuleType] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    known: ClassVar[dict[Path, "Home"]] = {}
    current: ClassVar["Home | None"] = None

    @classmethod
    def of(cls, folder: Path) -> "Home":
        return cls.known.setdefault(folder, cls(folder))

    def enter(self) -> None:
        if Home.current is self:
            return
        if Home.current is not None:
            Home.current.leave()
        self.others = frozenset(sys.modules)
        sys.modules.update(self.modules)
        sys.path.insert(first_place(), str(self.folder))
        importlib.invalidate_caches()
        Home.current = self

    def leave(self) -> None:
        self.modules = {n: sys.modules.pop(n) for n in set(sys.modules) - self.others if self.holds(n)}
        if str(self.folder) in sys.path:
            sys.path.remove(str(self.folder))
        Home.current = None

    def holds(self, name: str) -> bool:
        """Whether a module was imported from this folder."""
        top = sys.modules.get(name.partition(".")[0])
        return top is not None and self.folder in places(top)

    def forget(self) -> None:
        """Import everything anew next time."""
        for name in [n for n in set(sys.modules) - self.others if self.holds(n)]:
            del sys.modules[name]
        self.modules = {}
        importlib.invalidate_caches()


def places(module: ModuleType) -> set[Path]:
    """The folders in which a top-level module or package may be said to lie."""
    file, inside = getattr(module, "__file__", None), getattr(module, "__path__", [])
    found = {Path(path).parent for path in inside}
    return found or ({Path(file).parent} if file else set())


@contextmanager
def at_home(folder: Path | None) -> Iterator[None]:
    """Modules beside a plain file are those of this folder, for the length of a run."""
    before = Home.current
    if folder is not None:
        Home.of(folder).enter()
    try:
        yield
    finally:
        if before is not None:
            before.enter()


def load(path: Path, fresh: bool = False) -> ModuleType:
    """The module of a plain file; refused where its name cannot be imported or means another module."""
    if "." in path.stem:
        raise RequestError(f"{path}: no module's name has a dot; rename it {path.stem.replace('.', '_')}.py")
    home = Home.of(path.parent)
    with at_home(path.parent):
        if fresh:
            home.forget()
        for file in path.parent.glob("*.py"):
            drop_doubtful_bytecode(file)
        taken = sys.modules.get(path.stem)
        if taken is not None and not home.holds(path.stem):
            of = getattr(taken, "__file__", None) or "Python"
            raise RequestError(f"{path}: the name {path.stem} means the module of {of} too; rename the file")
        return importlib.import_module(path.stem)
