"""Is there room for what a model is about to make? Asked before the work, not found out by a kill."""

import os
import resource
from pathlib import Path

from lineshaft.engine import RequestError


def refuse_too_much(wanted: int, what: str, smaller: str) -> None:
    """Raise with the alternatives if `wanted` bytes are more than can be had."""
    free = available()
    if wanted > free:
        raise RequestError(
            f"{what} needs about {wanted / 1e9:.1f} GB and {free / 1e9:.1f} GB can be had: "
            f"take {smaller}, a machine with more memory, or fewer items"
        )


def available() -> int:
    """Bytes that this process can still take: free memory, its own limit, and that of its container."""
    limits = [_free()]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        limits.append(soft)
    limits += [int(text) for text in map(_text, (Path("/sys/fs/cgroup/memory.max"),)) if text.isdigit()]
    return min(limits)


def _free() -> int:
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
