"""A training step recorded once as a CUDA graph and played back for every further batch of its size.

A step of a small network is hundreds of small kernels. Launched one by one from Python they take longer than
they run; a graph launches all of them at once. What is recorded are addresses and constants: a recording is
only valid while tensors stay where they are and numbers of Python (the learning rate, how full a buffer is)
stay the same, so the loop forgets its recordings whenever a phase, a rate or a method's memory changes, and
records only steps all of whose parts say that they are `recordable`: they never wait for the device, and no
shape depends on data.
LINESHAFT_GRAPHS=0 switches recording off; what a run computes does not depend on it.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor

from lineshaft.engine.errors import RequestError

WARM_UP = 3  # steps that run as they are first: kernels are chosen, momentum and caches come into being

StepFunction = Callable[[Tensor], Tensor]
Recorder = Callable[[StepFunction, Tensor, Generator], StepFunction]


def graphs(device: torch.device) -> bool:
    """Whether steps on this device can be recorded."""
    return device.type == "cuda" and os.environ.get("LINESHAFT_GRAPHS", "1") != "0"


class Recording:
    """One step for batches of one size; `ids` are copied to where the graph reads them."""

    def __init__(self, step: StepFunction, ids: Tensor, generator: Generator) -> None:
        self.ids = ids.clone()
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(generator)
        stream = torch.cuda.current_stream()
        try:
            with torch.cuda.graph(self.graph, stream=stream, capture_error_mode="thread_local"):
                self.loss = step(self.ids)
        except RuntimeError as error:
            raise RequestError(
                f"a training step cannot be recorded as a CUDA graph ({str(error).splitlines()[0]}); set "
                "LINESHAFT_GRAPHS=0, or recordable = False on the part that waits for the device"
            ) from error

    def __call__(self, ids: Tensor) -> Tensor:
        self.ids.copy_(ids)
        self.graph.replay()
        return self.loss.clone()


class Player:
    """Runs a step as it is until it is warm, then records it and plays the recording."""

    def __init__(self, step: StepFunction, generator: Generator, record: Recorder = Recording) -> None:
        self.step, self.generator, self.record = step, generator, record
        self.recordings: dict[int, StepFunction] = {}
        self.warm: Counter[int] = Counter()
        self.rate = 0.0

    def forget(self) -> None:
        """A recording is no longer what a step does."""
        self.recordings.clear()
        self.warm.clear()

    def at(self, rate: float) -> None:
        """The learning rate of what follows: it is a constant of a recording."""
        if rate != self.rate:
            self.forget()
        self.rate = rate

    def play(self, ids: Tensor) -> Tensor:
        """One step; its loss."""
        size = len(ids)
        if size not in self.recordings:
            self.warm[size] += 1
            if self.warm[size] <= WARM_UP:
                return self.step(ids)
            self.recordings[size] = self.record(self.step, ids, self.generator)  # computes nothing yet
        return self.recordings[size](ids)


@contextmanager
def aside(device: torch.device, stream: "torch.cuda.Stream | None") -> Iterator[None]:
    """On a stream of its own, after everything before and before everything after: graphs need one."""
    if stream is None:
        yield
        return
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream(device).wait_stream(stream)
