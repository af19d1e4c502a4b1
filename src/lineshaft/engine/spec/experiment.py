"""Finding an experiment: `plasma.simulate`, an entry point of another package, or `./mine.py`."""

import functools
import importlib
import importlib.metadata
import pkgutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.spec.code import Code, code_of, imported_from
from lineshaft.engine.spec.config import Config, default, faults
from lineshaft.engine.spec.plain import load

GROUP = "lineshaft.experiments"
plain_files: dict[Path, "Experiment"] = {}


@dataclass(frozen=True)
class Experiment:
    """A module with `Config` and `run`, and the address that finds it again in another process."""

    address: str
    name: str
    module: ModuleType

    @property
    def config(self) -> type[Config]:
        found: type[Config] = self.module.Config
        return found

    @property
    def run(self) -> Callable[..., dict[str, float]]:
        found: Callable[..., dict[str, float]] = self.module.run
        return found

    @property
    def figures(self) -> Callable[..., Any] | None:
        return getattr(self.module, "figures", None)

    @property
    def overview(self) -> Callable[[dict[str, float]], str] | None:
        """The final metrics as a text worth reading first, for experiments that have hundreds."""
        return getattr(self.module, "overview", None)

    @property
    def home(self) -> Path | None:
        """The folder of a plain file, None for a module that is found as any other."""
        return Path(self.address).parent if self.address.endswith(".py") else None

    @cached_property
    def code(self) -> Code:
        """The files of its own project that it imports, as they were when it was first asked."""
        return code_at(self.address, self.module.__name__, Path(str(self.module.__file__)))


def code_at(address: str, module: str, file: Path) -> Code:
    """The code of the experiment whose module lies in this file."""
    if address.endswith(".py"):
        return code_of(file.stem, file, beside=file.parent)
    return code_of(module, file)


@functools.cache
def module_of(address: str) -> str:
    """The module that an address means, empty where it means none; of a plain file its stem."""
    if address.endswith(".py"):
        return Path(address).stem
    return own().get(address) or next(iter(offered(address)), "")


def find(address: str, fresh: bool = False) -> Experiment:
    """The experiment, checked for its public names; a plain file is imported once, or anew where asked."""
    experiment = from_file(address, fresh) if address.endswith(".py") else from_name(address)
    for public in ("Config", "run"):
        if not hasattr(experiment.module, public):
            raise RequestError(f"{address} has no {public}: an experiment is a module with Config and run")
    if not (isinstance(experiment.module.Config, type) and issubclass(experiment.module.Config, Config)):
        raise RequestError(f"{address}: Config must derive from lineshaft.engine.Config")
    try:
        default(experiment.module.Config)
    except ValidationError as error:
        raise RequestError(f"{address}: a default of its Config is wrong: {faults(error)}") from None
    return experiment


def from_name(address: str) -> Experiment:
    if address in own():
        return Experiment(address, address, imported(own()[address], address))
    modules = offered(address)
    if len(modules) > 1:
        raise RequestError(
            f"{address} is offered by {' and by '.join(modules)}: uninstall one of the two packages, or give "
            "the file of the experiment instead"
        )
    for module in modules:
        return Experiment(address, address, imported(module, address))
    raise RequestError(f"unknown experiment {address[:80]}{nearest(address, known())}")


def offered(address: str) -> list[str]:
    """The modules that installed packages offer under an address; more than one where two packages differ."""
    return sorted({point.value for point in importlib.metadata.entry_points(group=GROUP, name=address)})


def from_file(address: str, fresh: bool = False) -> Experiment:
    path = Path(address).resolve()
    if path in plain_files and not fresh:
        return plain_files[path]
    module = module_at(path, address, fresh)
    plain_files[path] = Experiment(str(path), path.stem, module)
    return plain_files[path]


def module_at(path: Path, address: str, fresh: bool = False) -> ModuleType:
    """The module of a plain file, or what is wrong with it; one with a kept copy may be gone."""
    if imported_from(path) is None:
        raise RequestError(
            f"{address}: no such file; a plain experiment is a Python file with Config and run"
        )
    try:
        return load(path, fresh)
    except RequestError:
        raise
    except (Exception, SystemExit) as error:
        raise RequestError(f"{address} cannot be imported: {fault(error)}") from None


def imported(module: str, address: str) -> ModuleType:
    """Import the module; where a package is missing, name the command that installs it."""
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        if address not in own():
            raise RequestError(f"{address} cannot be imported from {module}: {fault(error)}") from None
        raise lacking(address, error) from None


def lacking(address: str, error: BaseException) -> BaseException:
    """The command that installs the package an experiment of ours lacks; any other error as it is."""
    package = error.name if isinstance(error, ModuleNotFoundError) else None
    if address not in own() or package is None or package.split(".")[0] == "lineshaft":
        return error
    extra = address.split(".")[0]
    return RequestError(f"{address} needs {package}: pip install 'lineshaft[{extra}]'")


def fault(error: BaseException) -> str:
    """What went wrong and in which line of which file."""
    text = f"{type(error).__name__}: {error}"[:300]
    where = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) or not where:
        return text
    return f"{text} ({where[-1].filename}, line {where[-1].lineno})"


@functools.cache
def own() -> dict[str, str]:
    """Address -> module of every experiment of this package, found by folder without importing it."""
    root = Path(__file__).parents[2]
    return {
        f"{system.parent.name}.{m.name}": f"lineshaft.{system.parent.name}.experiments.{m.name}"
        for system in sorted(root.glob("*/experiments"))
        for m in pkgutil.iter_modules([str(system)])
    }


def known() -> list[str]:
    """Every address that can be run."""
    return sorted({*own(), *(p.name for p in importlib.metadata.entry_points(group=GROUP))})


def beside(config: Config, address: str) -> str:
    """The address; for a plain file that was moved away, its place beside the configuration's own file."""
    if not address.endswith(".py") or Path(address).is_file():
        return address
    return str(Path(address_of(config)).with_name(Path(address).name))


def address_of(config: Config) -> str:
    """The address of the experiment a configuration belongs to, by the module its class came from."""
    module = type(config).__module__
    for experiment in plain_files.values():
        if getattr(experiment.module, "Config", None) is type(config):
            return experiment.address
    for address, path in own().items():
        if path == module:
            return address
    for point in importlib.metadata.entry_points(group=GROUP):
        if point.value == module:
            return point.name
    file: str | None = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        raise RequestError(f"{type(config).__qualname__} of {module} belongs to no experiment")
    return file
