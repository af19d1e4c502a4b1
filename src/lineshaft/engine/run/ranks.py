"""Several processes that compute one run together: who they are, and how they agree.

`torchrun` sets the variables RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT for each process; a
Slurm job of several tasks sets them for its runs. Rank 0 locks, logs and saves. It decides whether to compute
and when to save, and tells the others. A stop that any rank hears stops all of them in the same step.
"""

import atexit
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from lineshaft.engine.errors import RequestError

PATIENCE = timedelta(days=30)
"""How long a rank waits for the others, who may compute for days between two checkpoints."""
HOW_TO_START = (
    "start several ranks with `torchrun --nproc-per-node N -m lineshaft.engine ...`, one rank without it"
)


class LostRank(RuntimeError):
    """Another rank has ended or cannot be reached."""


@dataclass(frozen=True)
class Ranks:
    """The place of this process among `world` processes; `local` counts those of this machine."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def several(self) -> bool:
        return self.world > 1

    def tell(self, value: Any = None) -> Any:
        """Rank 0's value, on every rank."""
        return self.group.tell(value) if self.several else value

    def gather(self, value: Any) -> list[Any]:
        """The values of all ranks in their order at rank 0, an empty list elsewhere."""
        return self.group.gather(value) if self.several else [value]

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """For each flag whether it is set on some rank."""
        return self.group.any(flags) if self.several else flags

    def leave(self, fault: str) -> None:
        """Let the others know why this rank ends, whether or not they wait for it."""
        if self.several:
            self.group.leave(self.rank, fault)

    def faults(self) -> str:
        """What other ranks that failed left to be read."""
        return self.group.faults(self.rank, self.world) if self.several else ""

    @property
    def group(self) -> "Group":
        return joined(self.rank, self.world)


ALONE = Ranks()


class Group:
    """A process group of torch.distributed for the engine's own messages, on the CPU."""

    def __init__(self, rank: int, world: int) -> None:
        import torch
        import torch.distributed as dist
        from torch.distributed.rendezvous import rendezvous

        self.store = None
        try:
            if not dist.is_initialized():
                self.store, *_ = next(rendezvous("env://", rank, world))
                backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
                dist.init_process_group(backend, store=self.store, rank=rank, world_size=world)
            self.own = dist.new_group(backend="gloo", timeout=PATIENCE)
            atexit.register(self.close)
        except (RuntimeError, ValueError, OSError) as error:
            raise RequestError(
                f"rank {rank} of {world} cannot reach the others at {os.environ.get('MASTER_ADDR')}:"
                f"{os.environ.get('MASTER_PORT')}: {str(error).splitlines()[0][:200]}"
            ) from None

    def tell(self, value: Any) -> Any:
        import torch.distributed as dist

        box = [value]
        self.reach(lambda: dist.broadcast_object_list(box, src=0, group=self.own))
        return box[0]

    def gather(self, value: Any) -> list[Any]:
        import torch.distributed as dist

        boxes: list[Any] | None = [None] * dist.get_world_size() if dist.get_rank() == 0 else None
        self.reach(lambda: dist.gather_object(value, boxes, dst=0, group=self.own))
        return boxes or []

    def any(self, flags: tuple[bool, ...]) -> tuple[bool, ...]:
        import torch
        import torch.distributed as dist

        numbers = torch.tensor(flags, dtype=torch.int32)
        self.reach(lambda: dist.all_reduce(numbers, op=dist.ReduceOp.MAX, group=self.own))
        return tuple(bool(n) for n in numbers)

    def close(self) -> None:
        """End the threads of the groups: at the interpreter's end they may abort a process that is done."""
        import torch.distributed as dist

        if dist.is_initialized():
            dist.destroy_process_group()

    def leave(self, rank: int, fault: str) -> None:
        atexit.unregister(self.close)  # a group that lost a rank may wait for it for ever
        if self.store is not None:
            try:
                self.store.set(f"lineshaft/fault/{rank}", fault.encode())
            except RuntimeError:
                pass  # the machine that kept the store is gone as well

    def faults(self, rank: int, world: int) -> str:
        if self.store is None:
            return ""
        try:
            others = [(r, f"lineshaft/fault/{r}") for r in range(world) if r != rank]
            return "".join(
                f"rank {r}:\n{self.store.get(key).decode()}" for r, key in others if self.store.check([key])
            )
        except RuntimeError:
            return ""

    @staticmethod
    def reach(call: Any) -> None:
        try:
            call()
        except pickle.PicklingError:
            raise
        except RuntimeError as error:
            raise LostRank(f"another rank has ended: {str(error).splitlines()[0][:200]}") from None


@cache
def joined(rank: int, world: int) -> Group:
    """The group of this process, made once."""
    return Group(rank, world)


def ranks_of(environment: Mapping[str, str]) -> Ranks:
    """The place that the environment gives this process; refused where it describes no complete world."""
    found = {
        key: number(key, environment[key])
        for key in ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        if key in environment
    }
    rank, world = found.get("RANK", 0), found.get("WORLD_SIZE", 1)
    if world == 0 or rank >= world:
        of = f"WORLD_SIZE={world}" if "WORLD_SIZE" in found else "no WORLD_SIZE"
        raise RequestError(f"RANK={rank} but {of}: unset the variables that are left over, or {HOW_TO_START}")
    missing = [key for key in ("RANK", "MASTER_ADDR", "MASTER_PORT") if not environment.get(key)]
    if world > 1 and missing:
        raise RequestError(f"WORLD_SIZE={world} but no {missing[0]}: unset it, or {HOW_TO_START}")
    return Ranks(rank, world, found.get("LOCAL_RANK", rank))


def number(key: str, text: str) -> int:
    if not text.isdecimal():
        raise RequestError(f"{key}={text[:40]} is not a whole number: unset it, or {HOW_TO_START}")
    return int(text)


def here() -> Ranks:
    return ranks_of(os.environ)


def alone() -> None:
    """Refuse to start processes of one's own within a world of several ranks."""
    if here().several:
        raise RequestError(f"a sweep starts its own processes; unset RANK and WORLD_SIZE, or {HOW_TO_START}")
