"""Batches to learn from: single macro steps as moments, and starts of unrolled ones with their particles."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lineshaft.plasma.lhpc.methods import Lhpc, Method
from lineshaft.plasma.lhpc.target import MACRO
from lineshaft.plasma.lhpc.trajectory import KEEP, Trajectories

Batch = dict[str, Tensor]
EARLIEST = 10  # snapshots before which nothing has been hit


@dataclass(frozen=True)
class Lessons:
    """Batches from the training amplitudes of a set of trajectories."""

    kept: Trajectories
    method: Method
    packed: Tensor  # [t, snapshots, 2, 6, capacity] non-thermal particles

    @classmethod
    def of(cls, kept: Trajectories, method: Method) -> "Lessons":
        chosen = range(len(kept.target.train))
        counts = [int((s[t][0] == k).sum()) for s in kept.snapshots for t in chosen for k in (0, 1)]
        capacity = max(64, -(-max(counts) // 64) * 64)
        packed = torch.zeros(len(chosen), len(kept.snapshots), 2, 6, capacity, device=kept.groups.device)
        if not isinstance(method, Lhpc):
            return cls(kept, method, packed[..., :64])
        for j, snapshot in enumerate(kept.snapshots):
            for t in chosen:
                for k in (0, 1):
                    mine = snapshot[t][1:, snapshot[t][0] == k]
                    packed[t, j, k, :, : mine.shape[1]] = mine
        return cls(kept, method, packed)

    def single(self, size: int) -> Batch:
        """`size` random macro steps, as moments before and after (what is injected after them not yet
        taken).
        """
        kept, device = self.kept, self.kept.groups.device
        t = torch.randint(len(kept.target.train), (size,))
        low = min(kept.groups.shape[1] - 2, EARLIEST * KEEP // MACRO)
        r = torch.randint(low, kept.groups.shape[1] - 1, (size,))
        steps = r[:, None] * MACRO + 1 + torch.arange(MACRO)
        t, r, steps = t.to(device), r.to(device), steps.to(device)
        before, after = self.method.pick(kept.groups[t, r]), self.method.pick(kept.groups[t, r + 1])
        injected, current = kept.injected[t, r + 1], kept.current[t, r + 1]
        own = self.method.pick(current.transpose(1, 2)).transpose(1, 2)
        given = torch.zeros_like(current[:, :, 0])
        if isinstance(self.method, Lhpc):
            after, given = after + injected, (current[:, :, 1] + current[:, :, 3]) / MACRO
        return {
            "before": before,
            "after": after,
            "fields": kept.fields[t, r],
            "fields_after": kept.fields[t, r + 1],
            "current": own,
            "given": given,
            "entering": kept.entering[t[:, None], steps],
            "injected": injected,
        }

    def unrolled(self, size: int, macros: int) -> Batch:
        """`size` random starts where particles are kept, with the truth after each of `macros` macro
        steps.
        """
        kept, device = self.kept, self.kept.groups.device
        t = torch.randint(len(kept.target.train), (size,))
        last = (kept.target.steps - macros * MACRO) // KEEP
        s = torch.randint(min(EARLIEST, last), last + 1, (size,))
        row = s[:, None] * (KEEP // MACRO) + torch.arange(macros + 1)
        steps = s[:, None] * KEEP + 1 + torch.arange(macros * MACRO)
        t, s, row, steps = t.to(device), s.to(device), row.to(device), steps.to(device)
        groups = kept.groups[t[:, None], row]
        return {
            "moments": self.method.pick(groups),
            "fast": groups[:, :, 1::2],
            "fields": kept.fields[t[:, None], row],
            "entering": kept.entering[t[:, None], steps],
            "particles": self.packed[t, s],
        }
