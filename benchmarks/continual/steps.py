"""Images a second of ResNet-18 on 32x32 pixels: training steps, probing steps, embedding; as plain torch, as
CUDA graphs, compiled, and both. Run alone on a GPU:

    python benchmarks/continual/steps.py [small] > steps.jsonl

Data are random: nothing here depends on what the pixels show. `kernels` and `busy_ms` come from a profile of
one plain step: how many launches it is, and how long the device works on it, the floor without fusion.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch.profiler import ProfilerActivity
from torch.profiler import profile as record

from lineshaft.continual.augment import Augment, Crop, CropColour
from lineshaft.continual.backbones.resnet import Resnet18
from lineshaft.continual.evaluate.evaluation import embed
from lineshaft.continual.images import Images
from lineshaft.continual.loop import Loop
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.paramset import ALL, HEAD, set_modes
from lineshaft.continual.phases import Phase
from lineshaft.continual.streams.split import build, by_class
from lineshaft.continual.streams.stream import Stream

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
MODES = {"plain": ("0", "0"), "graph": ("0", "1"), "compiled": ("1", "0"), "compiled graph": ("1", "1")}
TRAIN = Phase(1, ALL, 0.01)
PROBE = Phase(1, HEAD, 0.01, frozen_stats=True, counts=False)
SECONDS = 1.0


def stream(rows: int) -> Stream:
    """One task of ten classes of random pixels."""
    x = torch.randint(0, 256, (rows + 100, 32, 32, 3), dtype=torch.uint8)
    y = torch.arange(rows + 100) % 10
    images = Images("random", x, y, rows, tuple("0123456789"), (0.5,) * 3, (0.25,) * 3)
    groups, titles = by_class(images, 10, list(range(10)))
    return build(images, groups, titles, seed=0, device=DEVICE)


@dataclass(frozen=True)
class Case:
    """What is timed; compiles: also as compiled code, which takes half a minute to make."""

    kind: str
    phase: Phase
    batch: int
    augment: Augment = field(default_factory=Crop)
    compiles: bool = True


def ready(data: Stream, case: Case, channels: int) -> Loop:
    """A loop within a phase."""
    net, objective = Resnet18(channels=channels).build(data), CrossEntropy()
    objective.attach(net, data)
    loop = Loop(net, data, objective, augment=case.augment, batch=case.batch, seed=0)
    loop.begin(0)
    loop.start(case.phase)
    set_modes(loop.net, case.phase.trainable, case.phase.frozen_stats, loop.untouched)
    return loop


def speed(data: Stream, case: Case, channels: int) -> dict[str, float]:
    """Images a second over steps of an epoch, after some that compile and record."""
    loop, rows = ready(data, case, channels), data.tasks[0].train
    chunks = [rows[: case.batch]] * max(4, min(len(rows) // case.batch, 100))
    loop.steps(chunks, observing=False)
    done, start = 0, waited()
    while time.perf_counter() - start < SECONDS:
        torch.stack(loop.steps(chunks, observing=False)).sum().item()
        done += len(chunks) * case.batch
    return {"images_per_s": done / (waited() - start)}


def waited() -> float:
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def profile(data: Stream, case: Case, channels: int) -> dict[str, float]:
    """Kernels of one plain step, and their time in milliseconds."""
    loop, ids = ready(data, case, channels), data.tasks[0].train[: case.batch]
    for _ in range(3):
        loop.step(ids, observing=False)
    waited()
    activity = ProfilerActivity.CUDA if DEVICE == "cuda" else ProfilerActivity.CPU
    with record(activities=[activity]) as found:
        loop.step(ids, observing=False)
        waited()
    if DEVICE == "cpu":
        return {"operators": len(found.events())}
    kernels = [event for event in found.events() if event.device_time_total > 0]
    return {"kernels": len(kernels), "busy_ms": sum(e.device_time_total for e in kernels) / 1e3}


def embedding(data: Stream, case: Case, channels: int) -> dict[str, float]:
    """Images a second of features as evaluations take them."""
    loop = ready(data, case, channels)
    rows = torch.arange(len(data.store.x), device=DEVICE)
    embed(loop.net, loop.store, None, rows[: 2 * case.batch], case.batch)
    start = waited()
    embed(loop.net, loop.store, None, rows, case.batch)
    return {"images_per_s": len(rows) / (waited() - start)}


def cases(small: bool) -> list[Case]:
    if small:
        return [Case("train", TRAIN, 16), Case("probe", PROBE, 16)]
    return [
        *(Case("train", TRAIN, size) for size in (256, 32, 1024)),
        Case("probe", PROBE, 1024),
        *(Case("probe", PROBE, size, compiles=False) for size in (256, 4096)),
        Case("train, colour jitter", TRAIN, 256, CropColour(), compiles=False),
    ]


def measure(small: bool, modes: list[str]) -> Iterator[dict[str, Any]]:
    data, channels = stream(200 if small else 50_000), 2 if small else 64
    switch("plain")
    for case in cases(small):
        yield tried(partial(profile, data, case, channels), case, "plain")
    for batch in (50,) if small else (1000, 2000, 5000):
        case = Case("embed", PROBE, batch)
        yield tried(partial(embedding, data, case, channels), case, "plain")
    for mode in modes:
        switch(mode)
        for case in cases(small):
            if case.compiles or not mode.startswith("compiled"):
                yield tried(partial(speed, data, case, channels), case, mode)


def switch(mode: str) -> None:
    compiled, graphs = MODES[mode]
    os.environ |= {"LINESHAFT_COMPILE": compiled, "LINESHAFT_GRAPHS": graphs}


def tried(work: Callable[[], dict[str, float]], case: Case, mode: str) -> dict[str, Any]:
    """A line of the table; an error is a line too."""
    start = time.perf_counter()
    found: dict[str, Any] = {"kind": case.kind, "batch": case.batch, "mode": mode}
    try:
        found |= work()
    except Exception as error:  # the other lines are still worth having
        found["error"] = f"{type(error).__name__}: {str(error)[:300]}"
    return found | {"took_s": round(time.perf_counter() - start, 1)}


def main() -> None:
    small = "small" in sys.argv
    modes = [word for word in sys.argv[1:] if word in MODES] or list(MODES)
    chip = torch.cuda.get_device_name() if DEVICE == "cuda" else platform.processor()
    print(json.dumps({"device": chip, "torch": torch.__version__}), flush=True)
    for line in measure(small, modes):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
