"""A run's folder: what lies on disk, how it is written so that a kill never tears it, and the state it tells.

SYSTEM.EXPERIMENT/NAME/  config.json  provenance.json  metrics.jsonl  log.txt  arrays/  checkpoints/
                         result.json | error.txt
"""

import errno
import fcntl
import io
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineshaft.engine.errors import RequestError

if TYPE_CHECKING:
    import numpy as np

STATES = ("new", "queued", "running", "paused", "done", "failed")
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
END = 1 << 16
TRIES = 3
NO_ROOM = (*FULL, errno.EROFS, errno.EACCES, errno.EPERM)


class StorageError(RequestError):
    """The folder cannot be written or read. Nothing is lost: repair it, then give the same command again."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path}: {error.strerror}; {way_out(error)}, then give the same command again")


@dataclass(frozen=True)
class Folder:
    """One run as files. Reading never blocks, writing is whole or not at all."""

    dir: Path

    @property
    def experiment(self) -> str:
        return self.dir.parent.name

    @property
    def name(self) -> str:
        return self.dir.name

    @property
    def id(self) -> str:
        return f"{self.experiment}/{self.name}"

    def read(self, name: str) -> bytes:
        """The content of one file; FileNotFoundError where the run has none of this name."""
        return (self.dir / name).read_bytes()

    def names(self) -> set[str]:
        """What the folder holds; empty where it is not there."""
        try:
            return set(os.listdir(self.dir))
        except (FileNotFoundError, NotADirectoryError):
            return set()
        except OSError as error:
            raise StorageError(self.dir, error) from None

    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self._json("config.json", {})
        return found

    def provenance(self) -> list[dict[str, Any]]:
        """One entry an execution, oldest first."""
        entries: list[dict[str, Any]] = self._json("provenance.json", [])
        if not all(isinstance(entry, dict) for entry in entries):
            raise self._damaged("provenance.json", "is not a list of executions")
        return entries

    def result(self) -> dict[str, float]:
        """Final metrics under their own names; empty unless done."""
        values: dict[str, Any] = self._json("result.json", {})
        try:
            return {k: float(v) for k, v in values.items()}
        except (TypeError, ValueError) as error:
            raise self._damaged("result.json", f"holds something else than numbers ({error})") from None

    def metrics(self) -> list[dict[str, Any]]:
        """Logged rows by step; for each step and metric the last line counts."""
        rows: dict[int, dict[str, Any]] = {}
        for row in self._lines():
            rows.setdefault(row["step"], {}).update(row)
        return [rows[step] for step in sorted(rows)]

    def array(self, name: str) -> "np.ndarray[Any, Any]":
        import numpy as np

        file = io.BytesIO(self.read(f"arrays/{name}.npy"))
        loaded: np.ndarray[Any, Any] = np.load(file, allow_pickle=False)
        return loaded

    def arrays(self) -> list[str]:
        root = self.dir / "arrays"
        return sorted(str(p.relative_to(root))[:-4] for p in root.rglob("*.npy"))

    def error(self) -> str:
        try:
            return self.read("error.txt").decode(errors="replace")
        except FileNotFoundError:
            return ""

    def diverged(self) -> bool:
        """Done, with a final metric that is not finite."""
        return any(not math.isfinite(v) for v in self.result().values())

    def state(self) -> str:
        """From files alone; `queued` needs an answer of Slurm's and comes from slurm/."""
        return self.state_of(self.names())

    def state_of(self, names: set[str]) -> str:
        """The state, where the names in the folder are known already."""
        if "result.json" not in names and "lock" in names and held(self.dir / "lock"):
            return "running"
        return state_from(names)

    def state_unlocked(self) -> str:
        """The state for the holder of the lock, who would otherwise always see itself running."""
        return state_from(set(os.listdir(self.dir)))

    def _json(self, name: str, missing: Any) -> Any:
        try:
            value = json.loads(self.read(name))
        except FileNotFoundError:
            return missing
        except (ValueError, RecursionError) as error:
            raise self._damaged(name, f"is not JSON ({error})") from None
        except OSError as error:
            raise StorageError(self.dir / name, error) from None
        if not isinstance(value, type(missing)):
            kind = "object" if isinstance(missing, dict) else "list"
            raise self._damaged(name, f"is not a JSON {kind}")
        return value

    def _damaged(self, name: str, what: str) -> RequestError:
        return RequestError(f"{self.dir / name} {what}; restore it or remove the run")

    def _lines(self) -> Iterator[dict[str, Any]]:
        path = self.dir / "metrics.jsonl"
        try:
            lines = self.read(path.name).split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageError(path, error) from None
        for number, line in enumerate(lines[:-1], 1):
            yield row_of(line, f"{path}:{number}")

    def last_row(self) -> dict[str, Any]:
        """What was logged in the last step, from the end of metrics.jsonl: it may have a million rows."""
        size = END
        while True:
            try:
                data = self.end("metrics.jsonl", size)
            except FileNotFoundError:
                return {}
            except OSError as error:
                raise StorageError(self.dir / "metrics.jsonl", error) from None
            is_whole = len(data) < size
            lines = data.split(b"\n")[0 if is_whole else 1 : -1]
            try:
                rows = [row_of(line, "") for line in lines]
            except RequestError:
                rows = self.metrics()  # names the line
            same = [row for row in rows if row["step"] == rows[-1]["step"]]
            if is_whole or len(same) < len(rows):
                return {key: value for row in same for key, value in row.items()}
            size *= 16

    def end(self, name: str, most: int) -> bytes:
        """The last bytes of one file, all of it where it has fewer."""
        with (self.dir / name).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read(most)


def row_of(line: bytes, where: str) -> dict[str, Any]:
    """One line of metrics.jsonl, checked."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise RequestError(f"{where} is not JSON: {line[:60]!r}; remove that line") from None
    if not isinstance(row, dict) or not isinstance(row.get("step"), int):
        raise RequestError(f"{where} is not a row with a step: {line[:60]!r}; remove that line")
    if not all(isinstance(value, int | float) for value in row.values()):
        raise RequestError(f"{where} holds no number: {line[:60]!r}; remove that line")
    return row


def way_out(error: OSError) -> str:
    """What mends it."""
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return "a file lies where a folder must be: move it or name another folder with --runs"
    if error.errno in NO_LOCKS:
        return "this file system cannot lock files: name a folder on another one with --runs"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "permit it"
    return "make room" if error.errno in FULL else "mend that"


def state_from(names: set[str]) -> str:
    """The state of a run that nobody computes, from the names in its folder."""
    if "result.json" in names:
        return "done"
    if "error.txt" in names:
        return "failed"
    return "paused" if names & {"checkpoints", "metrics.jsonl"} else "new"


def held(lock: Path) -> bool:
    """Whether some process holds the lock. Tries a shared lock, so that readers never block each other."""
    try:
        handle = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in HELD  # a file system without locks never says that one is held
    finally:
        os.close(handle)
    return False


def write(path: Path, data: bytes | str, sync: bool = False) -> None:
    """Write to a temporary name, then replace: a reader sees the old file or the new one."""
    data = data.encode(errors="backslashreplace") if isinstance(data, str) else data
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, error) from None


def storage_error(path: Path, error: OSError) -> OSError | StorageError:
    """The error to raise: numpy says that it could write only part of an array, but not why."""
    if error.errno is None:
        error = OSError(errno.ENOSPC, str(error))
    return StorageError(path, error) if error.errno in NO_ROOM else error


def write_json(path: Path, value: Any, sync: bool = False) -> None:
    """NaN and infinities are written as Python's json writes them, and read back."""
    write(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n", sync)


def make(directory: Path) -> None:
    """Make a folder with those above it, even if a refused run removes them, still empty, at that moment."""
    for _ in range(TRIES):
        with suppress(FileNotFoundError):
            directory.mkdir(parents=True, exist_ok=True)
            return
    directory.mkdir(parents=True, exist_ok=True)


def mend_tail(path: Path) -> None:
    """Cut a torn last line, left by a kill in the middle of an append."""
    if path.exists() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)


def folders(runs: Path, experiment: str | None = None) -> Iterator[Folder]:
    """Every run below `runs`, in the order of names."""
    try:
        homes = sorted(p for p in runs.iterdir() if p.is_dir() and not p.name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(runs, error) from None
    for home in homes:
        if experiment in (None, home.name):
            yield from (Folder(home / n) for n in names_in(home) if not n.startswith("."))


def names_in(home: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(home) if entry.is_dir())
    except OSError as error:
        raise StorageError(home, error) from None


def remove(folder: Folder) -> None:
    """Rename first, then delete: a kill in between leaves no half run, and the next removal what it left.

    Of a run that lies elsewhere and is linked to, the link alone goes.
    """
    going = folder.dir.with_name(f".removed-{folder.name}")
    try:
        if folder.dir.is_symlink():
            folder.dir.unlink()
            return
        shutil.rmtree(going, ignore_errors=True)
        os.replace(folder.dir, going)
        shutil.rmtree(going)
    except OSError as error:
        raise StorageError(folder.dir, error) from None
