"""Checkpoints of one run: last, previous and best; written whole, checked when read."""

import json
import math
import os
import random
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import RequestError, counted
from lineshaft.engine.run.state import restored, storable
from lineshaft.engine.run.store import storage_error, write_json


class Checkpoints:
    """The folder `checkpoints/`; a state is what `torch.load(weights_only=True)` takes."""

    def __init__(self, directory: Path) -> None:
        self.dir = directory
        self.last_is_damaged = False
        self.logged: int | None = 0
        """Length of metrics.jsonl when the loaded checkpoint was saved; None where it does not say."""

    def save(
        self,
        step: int,
        state: Any,
        score: float | None,
        best: bool,
        randoms: Sequence[dict[str, Any]] = (),
        sharded: bool = False,
        logged: int | None = None,
    ) -> None:
        """Keep the new state as last, the one before as previous, and as best where it is.

        `randoms` are the random states of all ranks, by default those of this process. A `sharded` state is a
        list with the part of each rank. `logged` is the length of metrics.jsonl: what is logged later is
        dropped when the run resumes from here. Raises StateError for a state that could not be read again.
        """
        import torch

        state = storable(state)

        self.dir.mkdir(exist_ok=True)
        path, temporary = self.dir / "last.pt", self.dir / ".last.pt.part"
        try:
            with temporary.open("wb") as file:
                first, *others = randoms or [random_states()]
                content = {"step": step, "state": state, "random": first, "logged": logged}
                content |= {"others": others} if others else {}
                torch.save(content | ({"sharded": True} if sharded else {}), file)
                file.flush()
                os.fsync(file.fileno())
            if path.exists() and not self.last_is_damaged:
                keep(path, self.dir / "previous.pt")
            os.replace(temporary, path)
            self.last_is_damaged = False
            if best:
                keep(path, self.dir / "best.pt")
                write_json(self.dir / "best.json", {"step": step, "score": score})
        except Exception as error:
            temporary.unlink(missing_ok=True)
            raise (storage_error(path, cause) if (cause := beneath(error)) else error) from None

    def load(self, restore_random: bool = True, rank: int = 0, world: int = 1) -> tuple[int, Any, str]:
        """(step, state, what to tell the user) of the last good checkpoint; step -1 where there is none.

        Each rank gets its own random states back, and of a sharded state its own part.
        """
        bad = []
        for name in ("last.pt", "previous.pt"):
            path = self.dir / name
            if path.exists():
                try:
                    content = read(path)
                except ValueError as error:
                    bad.append(f"{name} is damaged ({error})")
                    self.last_is_damaged |= name == "last.pt"
                    continue
                self.logged = content.get("logged")
                state, notes = self.part(content, rank, world), [*bad, f"{name} used"] if bad else []
                randoms = [content["random"], *content.get("others", [])]
                if restore_random and rank < len(randoms):
                    set_random_states(randoms[rank])
                if restore_random and len(randoms) != world:
                    notes += [f"saved by {counted(len(randoms), 'rank')} read by {world}: draws differ now"]
                return content["step"], state, "; ".join(notes)
        if bad:
            raise RequestError(f"{self.dir}: {'; '.join(bad)}; remove the folder to compute from the start")
        return -1, None, ""

    def part(self, content: dict[str, Any], rank: int, world: int) -> Any:
        """The state of a checkpoint that is for this rank."""
        state = content["state"]
        if not content.get("sharded"):
            return state
        if len(state) != world:
            raise RequestError(
                f"{self.dir}: its state lies in {len(state)} parts, one a rank, and {world} would read it; "
                f"start {counted(len(state), 'rank')}"
            )
        return state[rank]

    def best(self, rank: int = 0, world: int = 1) -> tuple[Any, str]:
        """(state, what to tell the user) of the best checkpoint by the objective, else of the last."""
        path, note = self.dir / "best.pt", ""
        if path.exists():
            try:
                return self.part(read(path), rank, world), ""
            except ValueError as error:
                note = f"best.pt is damaged ({error})"
        _, state, more = self.load(restore_random=False, rank=rank, world=world)
        return state, "; ".join(filter(None, [note, more or (note and "last.pt used")]))

    def best_score(self) -> float | None:
        """The best score so far; None where there is none, or where it is not finite."""
        try:
            score = float(json.loads((self.dir / "best.json").read_bytes())["score"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return score if math.isfinite(score) else None

    def step(self) -> float:
        """When the last checkpoint was written, -1 without one: changes whenever there is a new one."""
        try:
            return (self.dir / "last.pt").stat().st_mtime
        except OSError:
            return -1.0


def beneath(error: BaseException | None) -> OSError | None:
    """The error of the file system, which torch hides behind one of its own."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error


def read(path: Path) -> dict[str, Any]:
    """The content, or ValueError. torch.load alone accepts most flipped bits: checksums are tested first."""
    import torch

    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is None:
            content: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
            return content | {"state": restored(content["state"])}
    except Exception as error:
        raise ValueError(str(error).split("\n")[0][:120] or type(error).__name__) from None
    raise ValueError(f"checksum of {Path(damaged).name} is wrong")


def keep(source: Path, target: Path) -> None:
    """Hard-link the file; copy it where the file system has no hard links."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
    os.replace(temporary, target)


def random_states() -> dict[str, Any]:
    import numpy as np
    import torch

    numpy_state: Any = np.random.get_state()
    kind, keys, position, has_gauss, gauss = numpy_state
    states = {
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": (kind, keys.tolist(), position, has_gauss, gauss),
    }
    return states | ({"cuda": torch.cuda.get_rng_state_all()} if torch.cuda.is_initialized() else {})  # type: ignore[no-untyped-call]


def set_random_states(states: dict[str, Any]) -> None:
    import numpy as np
    import torch

    torch.set_rng_state(states["torch"])
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])


@contextmanager
def own_random_states(device: str) -> Iterator[None]:
    """Restore the random states afterwards, whatever was drawn or seeded inside."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.init()  # type: ignore[no-untyped-call]
    states = random_states()
    try:
        yield
    finally:
        set_random_states(states)


def seed_all(seed: int) -> None:
    """Seed Python, numpy and torch, so that a run is a function of its configuration."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
