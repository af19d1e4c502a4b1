"""Counts for /metrics, shared by all workers: paths that the site has, status classes, durations; no guest.

One anonymous memory map, made before the workers are forked; each writes its own slice, so that none waits.
"""

import mmap

import numpy as np

PATHS = (
    "/",
    "/find",
    "/import",
    "/how-it-works",
    "/api/v1/about",
    "/api/v1/search",
    "/api/v1/recommendations",
    "/api/v1/import",
    "/openapi.json",
    "/health",
    "/metrics",
    "static",
    "other",
)
"""Whatever else is asked for counts as "other": an address is never stored."""
CLASSES = ("2xx", "3xx", "4xx", "5xx")
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, float("inf"))
EXTRA = ("loads", "failed_loads", "busy")
WIDTH = len(PATHS) * len(CLASSES) + len(BOUNDS) + 1 + len(EXTRA)


class Counters:
    """Numbers of every worker; `worker` is the slice that this process writes."""

    def __init__(self, workers: int = 1) -> None:
        self.memory = mmap.mmap(-1, workers * WIDTH * 8)
        self.values = np.frombuffer(self.memory, np.float64).reshape(workers, WIDTH)
        self.worker = 0

    def request(self, path: str, status: int, seconds: float) -> None:
        name = "static" if path.startswith("/static/") else path if path in PATHS else "other"
        own, base = self.values[self.worker], len(PATHS) * len(CLASSES)
        own[PATHS.index(name) * len(CLASSES) + min(max(status // 100 - 2, 0), 3)] += 1
        own[base + next(n for n, bound in enumerate(BOUNDS) if seconds <= bound)] += 1
        own[base + len(BOUNDS)] += seconds

    def add(self, name: str, value: float = 1) -> None:
        """`name` is one of EXTRA."""
        self.values[self.worker, WIDTH - len(EXTRA) + EXTRA.index(name)] += value

    def of(self, worker: int, name: str) -> float:
        """What a worker has added to one of EXTRA."""
        return float(self.values[worker, WIDTH - len(EXTRA) + EXTRA.index(name)])

    def least(self, name: str) -> float:
        """What the worker that has added least has added."""
        return min(self.of(worker, name) for worker in range(len(self.values)))

    def exposed(self) -> str:
        """All workers together in Prometheus' text format."""
        total, base = self.values.sum(0), len(PATHS) * len(CLASSES)
        lines = ["# TYPE lineshaft_requests_total counter"]
        for p, path in enumerate(PATHS):
            for c, kind in enumerate(CLASSES):
                if count := total[p * len(CLASSES) + c]:
                    lines.append(f'lineshaft_requests_total{{path="{path}",status="{kind}"}} {count:g}')
        lines.append("# TYPE lineshaft_request_seconds histogram")
        for bound, count in zip(BOUNDS, np.cumsum(total[base : base + len(BOUNDS)])):
            label = "+Inf" if bound == float("inf") else f"{bound:g}"
            lines.append(f'lineshaft_request_seconds_bucket{{le="{label}"}} {count:g}')
        lines.append(f"lineshaft_request_seconds_sum {total[base + len(BOUNDS)]:.6f}")
        lines.append(f"lineshaft_request_seconds_count {total[base : base + len(BOUNDS)].sum():g}")
        for n, name in enumerate(EXTRA):
            lines += [f"# TYPE lineshaft_{name} gauge", f"lineshaft_{name} {total[WIDTH - len(EXTRA) + n]:g}"]
        lines.append(f"lineshaft_workers {len(self.values)}")
        return "\n".join(lines) + "\n"
