"""Code kept as files, so that it can be computed with whatever has been edited meanwhile.

A launcher keeps the code it found once, below `runs/.code/HASH/`. Its processes, also a Slurm job that starts
hours later, import that code; `serving` says how.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.code import STAND_INS, Code, held, is_module

HOME = ".code"
STAND_IN = """import sys

here = __file__.rpartition("/")[0]
del sys.modules[__name__]
sys.path.remove(here)
try:
    from lineshaft.engine.spec.serving import give_way
finally:
    sys.path.insert(0, here)
give_way(__name__)
"""


@dataclass(frozen=True)
class Kept:
    """Where a code lies, and what is known of it: small enough to be handed to every process."""

    folder: Path
    main: str
    hash: str
    files: Mapping[str, Path]
    packages: tuple[str, ...] = ()

    @property
    def stand_ins(self) -> Path:
        """A folder with a module for each top-level name of the code, which gives way to the kept one.

        Codes of equal content may lie in several places; each place has its own.
        """
        place = hashlib.sha256(str(sorted(self.files.items())).encode()).hexdigest()[:8]
        return self.folder / f"{STAND_INS}-{place}"

    @property
    def modules(self) -> dict[str, Path]:
        return {name: file for name, file in self.files.items() if is_module(name)}

    def edited(self) -> list[str]:
        """Files other than modules that hold something else now: runs read these where they lie."""
        others = self.files.keys() - self.modules.keys()
        return sorted(self.files[n].name for n in others if held(self.files[n]) != held(self.copy_of(n)))

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
        copies = {relative(n, file): content for (n, file), content in zip(code.files, code.contents)}
        write_folder(kept.folder, copies)
    if not kept.stand_ins.is_dir():
        write_folder(kept.stand_ins, stand_ins(kept))
    return kept


def stand_ins(kept: Kept) -> dict[Path, bytes]:
    """What the folder of stand-ins holds: they read which code they stand for from kept.json."""
    tops = {name.partition(".")[0] for name in kept.modules}
    files = {name: str(file) for name, file in kept.files.items()}
    content = asdict(kept) | {"folder": str(kept.folder), "files": files}
    modules = {Path(f"{top}.py"): STAND_IN.encode() for top in tops}
    return {Path("kept.json"): json.dumps(content).encode()} | modules


def stood_for(folder: Path) -> Kept:
    """The code that a folder of stand-ins was written for."""
    content = json.loads((folder / "kept.json").read_bytes())
    files = {name: Path(file) for name, file in content["files"].items()}
    packages = tuple(content["packages"])
    return Kept(Path(content["folder"]), content["main"], content["hash"], files, packages)


def write_folder(folder: Path, contents: Mapping[Path, bytes]) -> None:
    """Write a folder whole or not at all; nothing to do where another process was faster."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    for name, content in contents.items():
        target = partial / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    try:
        partial.rename(folder)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        if not folder.is_dir():
            raise


def relative(name: str, file: Path) -> Path:
    """`a.b` -> a/b.py, or a/b/__init__.py for a package; what is not a module has its path as its name."""
    if not is_module(name):
        return Path(name)
    base = Path(*name.split("."))
    return base / "__init__.py" if file.name == "__init__.py" else base.with_name(f"{base.name}.py")
