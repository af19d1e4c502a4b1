"""Training data made once: trajectories in the user's cache folder, shared by all methods of a sweep."""

import hashlib
import os
from dataclasses import fields
from functools import cache, lru_cache
from pathlib import Path

import torch
from filelock import FileLock

from lineshaft.plasma.lhpc import labels, particles, target, trajectory, waves
from lineshaft.plasma.lhpc.target import Target
from lineshaft.plasma.lhpc.trajectory import Trajectories, simulate

MAKERS = (labels, particles, target, trajectory, waves)


@cache
def sources() -> bytes:
    """The text of all that makes trajectories: another version makes its own."""
    return b"".join(Path(str(module.__file__)).read_bytes() for module in MAKERS)


def place(wanted: Target, device: str) -> Path:
    """The file of a target's trajectories, under a hash of the target, the sources and the kind of device."""
    key = wanted.model_dump_json().encode() + sources() + torch.device(device).type.encode()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "lineshaft" / "plasma" / f"{hashlib.sha256(key).hexdigest()[:16]}.pt"


@lru_cache(maxsize=2)
def trajectories(wanted: Target, device: str) -> Trajectories:
    """The trajectories of all amplitudes: read where they are kept, made and kept otherwise.

    Those of the benchmark slab take some 1.5 GB. Where nothing can be written, every process makes its own.
    """
    path = place(wanted, device)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            return read(path, wanted, device) if path.exists() else written(path, simulate(wanted, device))
    except OSError:
        return simulate(wanted, device)


def read(path: Path, wanted: Target, device: str) -> Trajectories:
    """Kept trajectories, on the device."""
    return Trajectories(target=wanted, **torch.load(path, map_location=device, mmap=True, weights_only=True))


def written(path: Path, made: Trajectories) -> Trajectories:
    """Keep trajectories; a reader sees a whole file or none."""
    content = {f.name: getattr(made, f.name) for f in fields(made) if f.name != "target"}
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)
    return made
