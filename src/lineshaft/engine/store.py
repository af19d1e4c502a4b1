"""A run's folder: what lies on disk, how it is written so that a kill never tears it, and the state it tells.

SYSTEM.EXPERIMENT/NAME/  config.json  provenance.json  metrics.jsonl  log.txt  arrays/  checkpoints/
                         result.json | error.txt
"""

import errno
import fcntl
import json
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineshaft.engine.errors import RequestError

if TYPE_CHECKING:
    import numpy as np

STATES = ("new", "queued", "running", "paused", "done", "failed")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class StorageError(RequestError):
    """The folder cannot be written or read; nothing is lost, the same command resumes once that is mended."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path}: {error.strerror}; make room or permit it, then give the same command again"
        )


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

    def config(self) -> dict[str, Any]:
        return dict(self._json("config.json", {}))

    def provenance(self) -> list[dict[str, Any]]:
        """One entry an execution, oldest first."""
        return list(self._json("provenance.json", []))

    def result(self) -> dict[str, float]:
        """Final metrics under their own names; empty unless done."""
        return {k: float(v) for k, v in self._json("result.json", {}).items()}

    def metrics(self) -> list[dict[str, Any]]:
        """Logged rows by step; for each step and metric the last line counts."""
        rows: dict[int, dict[str, Any]] = {}
        for row in self._lines():
            rows.setdefault(row["step"], {}).update(row)
        return [rows[step] for step in sorted(rows)]

    def array(self, name: str) -> "np.ndarray[Any, Any]":
        import numpy as np

        loaded: np.ndarray[Any, Any] = np.load(self.dir / "arrays" / f"{name}.npy", allow_pickle=False)
        return loaded

    def arrays(self) -> list[str]:
        root = self.dir / "arrays"
        return sorted(str(p.relative_to(root))[:-4] for p in root.rglob("*.npy"))

    def error(self) -> str:
        path = self.dir / "error.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def diverged(self) -> bool:
        """Done, with a final metric that is no finite number."""
        return any(not math.isfinite(v) for v in self.result().values())

    def state(self) -> str:
        """From files alone; `queued` needs the scheduler's word and is told by slurm/."""
        return told(self.dir, set(os.listdir(self.dir)) if self.dir.is_dir() else set())

    def state_unlocked(self) -> str:
        """The state for the holder of the lock, who would otherwise always see itself running."""
        return settled(set(os.listdir(self.dir)))

    def _json(self, name: str, missing: Any) -> Any:
        try:
            return json.loads((self.dir / name).read_bytes())
        except FileNotFoundError:
            return missing
        except ValueError as error:
            raise RequestError(
                f"{self.dir / name} is not JSON ({error}); restore it or remove the run"
            ) from None
        except OSError as error:
            raise StorageError(self.dir / name, error) from None

    def _lines(self) -> Iterator[dict[str, Any]]:
        path = self.dir / "metrics.jsonl"
        if not path.exists():
            return
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], 1):
            try:
                yield dict(json.loads(line))
            except ValueError:
                raise RequestError(f"{path}:{number} is not JSON: {line[:60]!r}; remove that line") from None


def told(directory: Path, names: set[str]) -> str:
    """The state of the run whose folder holds these names."""
    if "result.json" not in names and "lock" in names and held(directory / "lock"):
        return "running"
    return settled(names)


def settled(names: set[str]) -> str:
    """The state of a run that nobody computes, from the names in its folder."""
    if "result.json" in names:
        return "done"
    if "error.txt" in names:
        return "failed"
    return "paused" if names & {"checkpoints", "metrics.jsonl"} else "new"


def held(lock: Path) -> bool:
    """Whether some process holds the lock. A shared try of an instant: lookers never block each other."""
    try:
        handle = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def write(path: Path, data: bytes | str, sync: bool = False) -> None:
    """Write to a temporary name, then replace: a reader sees the old file or the new one."""
    data = data.encode() if isinstance(data, str) else data
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
        if error.errno in NO_ROOM:
            raise StorageError(path, error) from None
        raise


def write_json(path: Path, value: Any, sync: bool = False) -> None:
    """NaN and infinities are written as Python's json does and so come back."""
    write(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n", sync)


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
            names = sorted(entry.name for entry in os.scandir(home) if entry.is_dir())
            yield from (Folder(home / n) for n in names if not n.startswith("."))


def remove(folder: Folder) -> None:
    """Rename first, then delete: a kill in between leaves no half run."""
    doomed = folder.dir.with_name(f".removed-{folder.name}"[:200])
    os.replace(folder.dir, doomed)
    shutil.rmtree(doomed)
