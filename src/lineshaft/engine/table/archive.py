"""Kept runs: the finished runs of an experiment as one small parquet file, read as if they were folders.

`SYSTEM.EXPERIMENT.runs.parquet` holds a row a run: its name, the content of each of its files as text
(`config.json`, `result.json`, `provenance.json`, `metrics.jsonl`, `log.txt`, whatever else it wrote), and the
arrays it was exported with as .npy files. Nothing is rounded: every byte comes back, but for the places of
the code in `run.json`, which mean nothing on another machine.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.description import FILE, description
from lineshaft.engine.run.store import Folder

if TYPE_CHECKING:
    import polars

SUFFIX = ".runs.parquet"
TEXTS = (".json", ".jsonl", ".txt")
LEFT_OUT = ("job.json", "progress.json")
LEVEL = 19
"""Of zstd: these files are written once and read for years."""


@dataclass(frozen=True)
class Kept(Folder):
    """A run that a file keeps; `dir` is where its folder would be."""

    file: Path = field(compare=False)
    row: int = field(compare=False)
    texts: Mapping[str, bytes] = field(compare=False, repr=False)

    def read(self, name: str) -> bytes:
        if name in self.texts:
            return self.texts[name]
        array = name.removeprefix("arrays/").removesuffix(".npy")
        found = self._arrays().get(array) if name == f"arrays/{array}.npy" else None
        if found is None:
            raise FileNotFoundError(f"{self.file} keeps no {name} of {self.name}")
        return found

    def end(self, name: str, most: int) -> bytes:
        return self.read(name)[-most:]

    def names(self) -> set[str]:
        return set(self.texts)

    def arrays(self) -> list[str]:
        return sorted(self._arrays())

    def unpack(self, directory: Path) -> Folder:
        """The run as a real folder; what draws pictures reads paths."""
        for name in [*self.texts, *(f"arrays/{array}.npy" for array in self.arrays())]:
            file = directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.read(name))
        return Folder(directory)

    def _arrays(self) -> dict[str, bytes]:
        return arrays_of(self.file, stamp(self.file))[self.row]


def kept(runs: Path, experiment: str | None = None) -> Iterator[Kept]:
    """Every kept run below a folder, by experiment and name."""
    for file in files(runs):
        if experiment in (None, file.name.removesuffix(SUFFIX)):
            yield from read(file)


def files(runs: Path) -> list[Path]:
    """The files of kept runs in a folder; looking for them costs one listing."""
    try:
        return sorted(Path(e.path) for e in os.scandir(runs) if e.name.endswith(SUFFIX) and e.is_file())
    except OSError:
        return []


def read(file: Path) -> list[Kept]:
    """The runs of one file; RequestError where it is damaged or another program wrote it."""
    home = file.parent / file.name.removesuffix(SUFFIX)
    return [Kept(home / name, file, i, texts) for i, (name, texts) in enumerate(texts_of(file, stamp(file)))]


def stamp(file: Path) -> tuple[int, int]:
    """What changes whenever a file does."""
    status = file.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=32)
def texts_of(file: Path, stamp: tuple[int, int]) -> list[tuple[str, dict[str, bytes]]]:
    """Name and texts of each run."""
    table = columns(file, lambda name: name != "arrays")
    names = table["name"].to_list()
    texts = {name: table[name].to_list() for name in table.columns if name != "name"}
    return [
        (name, {key: column[i].encode() for key, column in texts.items() if column[i] is not None})
        for i, name in enumerate(names)
    ]


@lru_cache(maxsize=32)
def arrays_of(file: Path, stamp: tuple[int, int]) -> list[dict[str, bytes]]:
    """Name -> content of the arrays of each run."""
    table = columns(file, lambda name: name == "arrays")
    return [{each["name"]: each["npy"] for each in row} for row in table["arrays"].to_list()]


def columns(file: Path, wanted: Any) -> "polars.DataFrame":
    import polars

    try:
        every = list(polars.read_parquet_schema(file))
        if "name" not in every or "config.json" not in every or "arrays" not in every:
            raise RequestError(f"{file} is not a file of kept runs; `lineshaft export` writes them")
        return polars.read_parquet(file, columns=[name for name in every if wanted(name)])
    except (OSError, polars.exceptions.PolarsError) as error:
        text = str(error).split("\n")[0][:200]
        raise RequestError(f"{file} cannot be read ({text}); restore it or remove it") from None


def write(file: Path, found: Sequence[Folder], arrays: Sequence[str] = ()) -> None:
    """Keep these runs, by name, with the arrays whose names fit a pattern such as `accuracy/*`."""
    import polars

    runs = sorted(found, key=lambda folder: folder.name)
    texts = [texts_in(folder) for folder in runs]
    names = sorted({name for each in texts for name in each})
    kind = polars.List(polars.Struct({"name": polars.String, "npy": polars.Binary}))
    table = polars.DataFrame(
        [
            polars.Series("name", [folder.name for folder in runs], polars.String),
            *(polars.Series(name, [each.get(name) for each in texts], polars.String) for name in names),
            polars.Series("arrays", [arrays_in(folder, arrays) for folder in runs], kind),
        ]
    )
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        table.write_parquet(temporary, compression="zstd", compression_level=LEVEL, statistics=False)
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def texts_in(folder: Folder) -> dict[str, str]:
    """The texts that describe a finished run; not its checkpoints, nor what a launcher left."""
    names = [n for n in folder.names() if n.endswith(TEXTS) and not n.startswith(".") and n not in LEFT_OUT]
    texts = {name: folder.read(name).decode(errors="replace") for name in sorted(names)}
    return texts | ({FILE: portable(folder)} if FILE in texts else {})


def portable(folder: Folder) -> str:
    """run.json without the places that its code had on the machine that computed it."""
    found = {key: value for key, value in description(folder).items() if key != "root"}
    if any(Path(str(file)).is_absolute() for file in dict(found.get("files") or {}).values()):
        found["files"] = {}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def arrays_in(folder: Folder, patterns: Sequence[str]) -> list[dict[str, Any]]:
    wanted = [name for name in folder.arrays() if any(fnmatchcase(name, p) for p in patterns)]
    return [{"name": name, "npy": folder.read(f"arrays/{name}.npy")} for name in wanted]
