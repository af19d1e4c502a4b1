"""The code of an experiment: every file of its own project that it imports, found without importing it.

Files other than Python belong to it where a source names them beside itself; see `resources`.

Own is what lies beside a plain file, in the package of an entry point, in our systems, or anywhere else that
is not installed (an editable package, a folder on PYTHONPATH). Python's library and installed packages are
not: their versions are noted. The engine is not: its version is.
"""

import ast
import functools
import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import ModuleSpec
from pathlib import Path

from lineshaft.engine.spec.resources import called, resources

ENGINE = ("lineshaft.engine", "lineshaft.cli")
FACE = "lineshaft"
STAND_INS = ".stand-ins"
INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Code:
    """Names with their files and what these held at one moment; `packages` are the foreign imports.

    A module has its own name, any other file its path: `./words.json`.
    """

    main: str
    files: tuple[tuple[str, Path], ...]
    contents: tuple[bytes, ...]
    packages: tuple[str, ...] = ()

    @cached_property
    def hash(self) -> str:
        return digest((name, content) for (name, _), content in zip(self.files, self.contents))

    @property
    def root(self) -> Path:
        """The folder from which the main module is imported."""
        return root_of(self.main, dict(self.files)[self.main])

    def changed(self) -> list[str]:
        """The files that hold something else now, or are gone."""
        return [path.name for (_, path), content in zip(self.files, self.contents) if held(path) != content]

    def versions(self) -> dict[str, str]:
        """Installed version of every foreign package that the project imports."""
        found = {name: version(name) for name in self.packages}
        return {name: text for name, text in found.items() if text}


def code_of(main: str, file: Path, beside: Path | None = None) -> Code:
    """The code reached from the module `main`; `beside` is the folder of a plain file, searched first."""
    walk = Walk(main, file, beside)
    return Code(main, tuple(walk.files.items()), tuple(walk.contents), tuple(sorted(walk.foreign)))


def digest(named: Iterable[tuple[str, bytes]]) -> str:
    """Hash of modules by name: where the project lies does not matter."""
    whole = hashlib.sha256()
    for name, content in sorted(named):
        whole.update(f"{name}\n{len(content)}\n".encode() + content)
    return whole.hexdigest()[:16]


def root_of(name: str, file: Path) -> Path:
    """`a.b` in /x/a/b.py -> /x."""
    depth = name.count(".") + (file.name == "__init__.py")
    return file.parents[depth]


def top_level(name: str) -> ModuleSpec | None:
    """Where a top-level module lies on this machine, whatever kept code this process imports in its place."""
    for finder in (f for f in sys.meta_path if not hasattr(f, "copies")):
        is_by_path = finder is importlib.machinery.PathFinder
        try:
            spec = finder.find_spec(name, own_path() if is_by_path else None)
        except (ImportError, ValueError, AttributeError):
            continue
        if spec is not None:
            return spec
    return None


def own_path() -> list[str]:
    """sys.path without the folders of stand-ins."""
    return [path for path in sys.path if not is_stand_in(path)]


def is_stand_in(path: str) -> bool:
    return Path(path).name.startswith(f"{STAND_INS}-")


def is_module(name: str) -> bool:
    """Whether a name among a code's files is a module's; of other files it is a path, `./words.json`."""
    return "/" not in name


def drop_doubtful_bytecode(file: Path) -> None:
    """Remove bytecode that was written in the second in which its file was edited, or before.

    Python takes bytecode for that of a file whose time in seconds and length it has. An edit of equal length
    within that second would be hashed as it is, and computed as it was.
    """
    cached = Path(importlib.util.cache_from_source(str(file)))
    with suppress(OSError):
        if int(cached.stat().st_mtime) <= int(file.stat().st_mtime):
            cached.unlink()


def held(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def imported_from(file: Path) -> bytes | None:
    """What this process imports for a file: a copy of it where it serves kept code (`frozen`)."""
    copies = (getattr(finder, "copies", {}).get(file) for finder in sys.meta_path)
    return held(next(filter(None, copies), file))


def version(package: str) -> str:
    """Of a package by its import name, which is mostly that of its distribution."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(package), "__version__", ""))


class Walk:
    """Follows import statements from one module through its project, those inside functions too."""

    def __init__(self, main: str, file: Path, beside: Path | None) -> None:
        self.top = main.partition(".")[0]
        self.beside = beside
        self.tops: dict[str, ModuleSpec | None] = {}
        self.files: dict[str, Path] = {}
        self.contents: list[bytes] = []
        self.foreign: set[str] = set()
        self.asked: set[str] = set()
        for name in prefixes(main)[:-1]:
            self.follow(name)
        self.asked.add(main)
        self.add(main, file)

    def follow(self, name: str) -> None:
        """Take in a module of the project and what it imports; note a foreign one by its package."""
        if name in self.asked or name == FACE or f"{name}.".startswith(tuple(f"{e}." for e in ENGINE)):
            return
        self.asked.add(name)
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names and top != self.top and not self.is_beside(top):
            return
        spec = self.find(name)
        if spec is None:
            return
        if not self.owns(top, spec):
            self.foreign.add(top)
        elif spec.origin and spec.origin.endswith(".py"):
            self.add(name, Path(spec.origin))

    def add(self, name: str, file: Path) -> None:
        content = imported_from(file)
        if content is None:
            return
        self.files[name] = file
        self.contents.append(content)
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        for wanted in imports(importing(content), package, file):
            for prefix in prefixes(wanted):
                self.follow(prefix)
        if b"__file__" in content or b"importlib.resources" in content:
            self.add_resources(parsed(content), file, root_of(name, file))

    def add_resources(self, tree: ast.Module, file: Path, root: Path) -> None:
        """Take in the files beside it that a source names; of a package those in its own folder."""
        top = root if self.beside else root / file.relative_to(root).parts[0]
        for path in resources(tree, file, top):
            name = f"./{path.relative_to(root).as_posix()}"
            if name not in self.files and (content := held(path)) is not None:
                self.files[name] = path
                self.contents.append(content)

    def find(self, name: str) -> ModuleSpec | None:
        """Where a module lies, its parents not imported."""
        parent, _, _ = name.rpartition(".")
        if not parent:
            if name not in self.tops:
                self.tops[name] = self.find_top(name)
            return self.tops[name]
        above = self.find(parent)
        if (
            above is None
            or above.submodule_search_locations is None
            or not self.owns(name.partition(".")[0], above)
        ):
            return above if above and not self.owns(name.partition(".")[0], above) else None
        return importlib.machinery.PathFinder.find_spec(name, list(above.submodule_search_locations))

    def find_top(self, name: str) -> ModuleSpec | None:
        if self.beside and (spec := importlib.machinery.PathFinder.find_spec(name, [str(self.beside)])):
            return spec
        return top_level(name)

    def is_beside(self, top: str) -> bool:
        return self.beside is not None and (
            (self.beside / f"{top}.py").is_file() or (self.beside / top / "__init__.py").is_file()
        )

    def owns(self, top: str, spec: ModuleSpec) -> bool:
        """Whether it is part of the project: the experiment's own package, or nothing installed."""
        if top == self.top:
            return True
        places = [spec.origin] if spec.has_location and spec.origin else []
        places += list(spec.submodule_search_locations or [])
        return bool(places) and not is_installed(top, Path(places[0]))


def is_installed(top: str, place: Path) -> bool:
    """Whether a package was installed, be it into a folder of somebody's own with `pip install --target`."""
    beside = next((parent for parent in (place, *place.parents) if parent.stem == top), place).parent
    return bool(set(INSTALLED) & set(place.parts)) or any(beside.glob(f"{top}-*.dist-info"))


def prefixes(name: str) -> list[str]:
    """`a.b.c` -> a, a.b, a.b.c: importing a module imports its packages."""
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def parsed(content: bytes) -> ast.Module:
    """The tree of a source; an empty one where it is no Python."""
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


@functools.lru_cache(maxsize=4096)
def importing(content: bytes) -> tuple[ast.AST, ...]:
    """The nodes of a source that import; kept, since experiments of one project share most of their files."""
    return tuple(node for node in ast.walk(parsed(content)) if is_importing(node))


def is_importing(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return called(node.func) in ("import_module", "__import__")
    return isinstance(node, ast.Import | ast.ImportFrom)


def imports(nodes: Sequence[ast.AST], package: str, file: Path) -> Iterator[str]:
    """Names that a source may import; everything beside it where a name is computed."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, [above(package, node.level), node.module]))
            yield from ([base] if base else [])
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.Call):
            yield from by_name(node.args, package, file)


def above(package: str, level: int) -> str:
    """The package that `level` dots mean."""
    parts = package.split(".") if package and level else []
    return ".".join(parts[: len(parts) - (level - 1)])


def by_name(arguments: Sequence[ast.expr], package: str, file: Path) -> Iterator[str]:
    """The module a call names; where the name is computed, any that lies beside the file."""
    first = arguments[0] if arguments else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield f"{package}{first.value}" if first.value.startswith(".") else first.value
        return
    for path in sorted(file.parent.glob("*.py")):
        yield f"{package}.{path.stem}".lstrip(".")
