"""A buffer of past rows, filled by reservoir sampling (Vitter, "Random sampling with a reservoir", 1985).

It keeps the numbers of rows, whose data lie on the device already; their bytes are charged as if they were
copies. A whole batch is inserted at once, without waiting for the device.
"""

from typing import TYPE_CHECKING

import torch
from pydantic import Field
from torch import Generator, Tensor

from lineshaft.continual.methods.method import Memory, Method
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError

if TYPE_CHECKING:
    from lineshaft.continual.loop import Loop


class Replay(Method):
    """A method that keeps a buffer of rows. memory: ids [size], count (rows offered so far, on the CPU)."""

    size: int = Field(200, ge=1, description="rows kept in the buffer")

    def check(self, stream: Stream, has_logits: bool) -> None:
        if self.size > stream.trained_rows:
            raise RequestError(
                f"{getattr(self, 'name', '')}.size={self.size} is larger than the data: the stream has "
                f"{stream.trained_rows} training rows; lower it"
            )

    def begin(self, memory: Memory, loop: "Loop", task: int) -> None:
        if "ids" not in memory:
            memory["ids"] = torch.zeros(self.size, dtype=torch.int64, device=loop.device)
            memory["count"] = torch.zeros((), dtype=torch.int64)

    def offer(self, memory: Memory, loop: "Loop", ids: Tensor, **beside: Tensor) -> None:
        """Insert rows [n], and what is kept beside each (memory[key]: [size, ...])."""
        count = int(memory["count"])
        winners = reservoir(count, len(ids), self.size, loop.generator)
        replace(memory, "ids", ids, winners)
        for key, values in beside.items():
            if key not in memory:
                memory[key] = torch.zeros(
                    self.size, *values.shape[1:], device=values.device, dtype=values.dtype
                )
            replace(memory, key, values, winners)
        memory["count"] += len(ids)

    def filled(self, memory: Memory) -> int:
        return min(int(memory["count"]), self.size) if "count" in memory else 0

    def draw(self, memory: Memory, loop: "Loop", most: int) -> Tensor:
        """Places [m] in the buffer, drawn with replacement."""
        shape = (min(most, self.filled(memory)),)
        return torch.randint(0, self.filled(memory), shape, generator=loop.generator, device=loop.device)

    def rows_kept(self, memory: Memory) -> int:
        return self.filled(memory)


def reservoir(count: int, offered: int, size: int, generator: Generator) -> Tensor:
    """For each place [size] the offered row that ends there, -1 where the old one stays.

    count: rows offered before. Row number i = count, count + 1, ... goes to place i while there is room, then
    to a random one of i + 1 places, if that lies within the buffer; of two rows for one place the later
    stays.
    """
    device = generator.device
    numbers = torch.arange(count, count + offered, device=device)
    draws = (
        torch.rand(offered, generator=generator, device=device, dtype=torch.float64) * (numbers + 1)
    ).long()
    places = torch.where(numbers < size, numbers, draws)
    winners = torch.full((size + 1,), -1, device=device)
    places = places.clamp(max=size)  # the extra place takes what is not kept
    winners.scatter_reduce_(0, places, torch.arange(offered, device=device), "amax")
    return winners[:size]


def replace(memory: Memory, key: str, values: Tensor, winners: Tensor) -> None:
    kept = memory[key]
    taken = (winners >= 0).view(-1, *[1] * (kept.ndim - 1))
    memory[key] = torch.where(taken, values[winners.clamp(min=0)].to(kept.dtype), kept)
