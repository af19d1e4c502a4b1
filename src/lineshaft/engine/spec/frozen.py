"""Code kept as files, and imported from there where its own files have changed since.

A launcher keeps the code it found once, below `runs/.code/HASH/`. Its processes, also a Slurm job that starts
hours later, compute with that code whatever has been edited meanwhile. A module whose file is unchanged is
imported from that file as ever; `__file__` is the own file's in any case, since data may lie beside it.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.code import Code, held

HOME = ".code"


@dataclass(frozen=True)
class Kept:
    """Where a code lies, and what is known of it: small enough to be handed to every process."""

    folder: Path
    main: str
    hash: str
    files: Mapping[str, Path]
    packages: tuple[str, ...] = ()

    def copy_of(self, name: str) -> Path:
        return self.folder / relative(name, self.files[name])

    def is_of(self, module: ModuleType) -> bool:
        return self.files[self.main] == Path(str(module.__file__))

    def code(self) -> Code:
        """The code as it was kept; refused where the copies are no longer what they were."""
        contents = [held(self.copy_of(name)) or b"" for name in self.files]
        found = Code(self.main, tuple(self.files.items()), tuple(contents), self.packages)
        if found.hash != self.hash:
            raise RequestError(f"{self.folder} was changed or removed; give the same command again")
        return found


def keep(code: Code, runs: Path) -> Kept:
    """Write the code below a folder of runs, whole or not at all; nothing to do where it is kept already."""
    kept = Kept(runs / HOME / code.hash, code.main, code.hash, dict(code.files), code.packages)
    if not kept.folder.is_dir():
        partial = kept.folder.with_name(f".{code.hash}.{os.getpid()}")
        for (name, file), content in zip(code.files, code.contents):
            target = partial / relative(name, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        try:
            partial.rename(kept.folder)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            if not kept.folder.is_dir():
                raise
    return kept


def relative(name: str, file: Path) -> Path:
    """`a.b` -> a/b.py, or a/b/__init__.py for a package."""
    base = Path(*name.split("."))
    return base / "__init__.py" if file.name == "__init__.py" else base.with_name(f"{base.name}.py")


@contextmanager
def serving(kept: Kept) -> Iterator[None]:
    """Meanwhile this process imports the kept code, and no other."""
    finder = Finder(kept)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@dataclass(eq=False)
class Finder(MetaPathFinder):
    """Finds the modules of a kept code whose own files hold something else now."""

    kept: Kept

    @property
    def copies(self) -> dict[Path, Path]:
        """File -> what this process imports in its place."""
        return {file: self.kept.copy_of(name) for name, file in self.kept.files.items()}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = self.kept.files.get(name)
        if file is None or held(file) == held(copy := self.kept.copy_of(name)):
            return None
        inside = [str(file.parent)] if file.name == "__init__.py" else None
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
