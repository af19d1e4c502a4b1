"""The one training loop: every objective, method and schedule on every stream goes through it.

It knows no method by name. All that changes while a network learns is in `state()`, as tensors and numbers.
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lineshaft.continual import speed
from lineshaft.continual.augment import Augment
from lineshaft.continual.backbones.net import Net
from lineshaft.continual.methods.method import Memory, Method
from lineshaft.continual.objectives.objective import Batch, Objective
from lineshaft.continual.paramset import NORMS, Frozen, foreign, frozen_rows, pinned, select, set_modes
from lineshaft.continual.phases import LossOver, Phase, Step
from lineshaft.continual.recording import Player, aside, graphs
from lineshaft.continual.seeds import generator
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError


class Loop:
    """A network on its way through a stream."""

    def __init__(
        self,
        net: Net,
        stream: Stream,
        objective: Objective,
        methods: Sequence[Method] = (),
        *,
        augment: Augment,
        batch: int,
        seed: int,
    ) -> None:
        self.stream, self.store, self.objective, self.methods = stream, stream.store, objective, list(methods)
        self.device, self.size, self.augment = stream.store.x.device, batch, augment
        for method in self.methods:
            method.check(stream, objective.has_logits)
        self.fixed = pinned(net)
        self.net: Net = speed.prepare(net, self.device)
        self.generator = generator(seed, "training", self.device)
        self.memories: list[Memory] = [{} for _ in self.methods]
        self.task, self.phase = 0, Phase(1)
        self.optimiser: Any = None
        self.trained: list[nn.Parameter] = []
        self.held: list[Frozen] = []
        self.probed: dict[str, Tensor] = {}
        self.carried: dict[str, dict[str, Tensor]] = {}
        self.is_observed = False
        self.passes = 0.0
        self.has_norms = any(isinstance(m, NORMS) and n not in self.fixed for n, m in net.named_modules())
        self.is_long = stream.trained_rows >= speed.WORTH_COMPILING
        self.player = Player(partial(self.step, observing=False), self.generator)
        self.stream_aside = torch.cuda.Stream(self.device) if self.device.type == "cuda" else None
        refuse_single_rows(self)

    # Tasks and phases

    def begin(self, task: int) -> None:
        """A task begins: nothing of it was observed yet."""
        self.task, self.is_observed = task, False
        self.net.begin(task)
        for method, memory in self.each():
            method.begin(memory, self, task)

    def start(self, phase: Phase) -> None:
        """A phase begins: choose what it trains, with an optimiser of its own."""
        self._prepare(phase)
        if phase.carry:
            for name, parameter in self.net.named_parameters():
                if parameter.requires_grad and name in self.carried:
                    self.optimiser.state[parameter] = {k: v.clone() for k, v in self.carried[name].items()}
        if phase.after == "norm":
            names = {n for n, p in self.net.named_parameters() if p.requires_grad}
            self.probed = {n: p.detach().clone() for n, p in self.net.named_parameters() if n in names}

    def stop(self) -> None:
        """A phase ends."""
        if self.phase.carry:
            names = {parameter: name for name, parameter in self.net.named_parameters()}
            self.carried = {names[p]: dict(s) for p, s in self.optimiser.state.items()}
        if self.probed:
            self._give_back_scaled()
        self.optimiser, self.held = None, []

    def end(self, task: int) -> None:
        """A task ends: importance and snapshots."""
        for method, memory in self.each():
            method.end(memory, self, task, self.stream.tasks[task].train)
            only_tensors(method, memory)

    def _prepare(self, phase: Phase) -> None:
        self.phase = phase
        self.player.forget()
        self.trained = select(self.net, phase.trainable, self.untouched)
        self.held = frozen_rows(self.net, phase.trainable)
        self.optimiser = new_optimiser(self.net, phase, self.device)

    def _give_back_scaled(self) -> None:
        """The values from before the phase, scaled to the norm that it gave them: a control for LP-FT."""
        parameters = dict(self.net.named_parameters())
        with torch.no_grad():
            for name, before in self.probed.items():
                after = parameters[name]
                after.copy_(before * (after.norm() / before.norm().clamp(min=1e-12)))
        self.probed = {}

    # Epochs and steps

    def epoch(self, number: int) -> float:
        """Train once on the rows of the task, in random order; the mean loss.

        Batches are of equal size, so that no rump batch upsets BatchNorm; the device is waited for once.
        """
        set_modes(self.net, self.phase.trainable, self.phase.frozen_stats, self.untouched)
        for group in self.optimiser.param_groups:
            group["lr"] = self.phase.lr_at(number) * group["share"]
        rows = self.stream.tasks[self.task].train
        for method, memory in self.each():
            rows = method.rows(memory, self, rows)
        order = torch.randperm(len(rows), generator=self.generator, device=self.device)
        chunks = rows[order].tensor_split(self.batches(len(rows)))
        observing = self.phase.counts and not self.is_observed
        losses = self.steps(chunks, observing)
        self.is_observed |= observing
        self.passes += len(rows) * (3.0 if self.trains_body else 1.0)
        return torch.stack(losses).mean().item()

    def batches(self, rows: int) -> int:
        """How many batches an epoch has; where BatchNorm is trained none may hold a single row."""
        count = math.ceil(rows / self.size)
        return max(1, min(count, rows // 2)) if self.has_norms else count

    def steps(self, chunks: Sequence[Tensor], observing: bool) -> list[Tensor]:
        """One update a chunk, recorded where that is possible; losses.

        While methods observe, their memory changes with each step, and no recording would know.
        """
        if not self.can_record or (observing and self.methods):
            self.player.forget()
            return [self.step(ids, observing) for ids in chunks]
        self.player.at(self.optimiser.param_groups[0]["lr"])
        with aside(self.device, self.stream_aside):
            return [self.player.play(ids) for ids in chunks]

    @property
    def can_record(self) -> bool:
        parts: list[Any] = [self.net, self.objective, self.augment, *self.methods]
        return graphs(self.device) and all(part.recordable for part in parts)

    def step(self, ids: Tensor, observing: bool) -> Tensor:
        """One update; the hooks of the methods in their documented order."""
        with nullcontext() if self.is_long else speed.eager():
            return self._step(ids, observing)

    def _step(self, ids: Tensor, observing: bool) -> Tensor:
        batch = self.batch(ids)
        for method, memory in self.each():
            batch = method.inputs(memory, self, batch)
        with speed.autocast(self.device):
            outputs, loss = self.objective.loss(self.net, batch)
            total = loss
            for method, memory in self.each():
                total = total + method.loss(memory, self, batch, outputs)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        for method, memory in self.each():
            method.gradients(memory, self)
        if self.phase.clip:
            nn.utils.clip_grad_norm_(self.trained, self.phase.clip)
        self.optimiser.step()
        self._after(batch, outputs.detach(), observing)
        return loss.detach()

    def _after(self, batch: Batch, outputs: Tensor, observing: bool) -> None:
        for frozen in self.held:
            frozen.restore()
        for method, memory in self.each():
            method.restore(memory, self)
            if self.phase.counts:
                method.updated(memory, self)
            if observing:
                method.observe(memory, self, batch, outputs)

    # What methods use

    def batch(self, ids: Tensor) -> Batch:
        """Rows of the store as a batch, freshly augmented; a row competes within its own task's classes."""
        views = tuple(self.augment.view(self.store, ids, self.generator) for _ in range(self.objective.views))
        targets = F.one_hot(self.store.labels[ids], self.stream.classes).float()
        return Batch(ids, views, targets, self.allowed(ids, self.phase.loss_over), self.task)

    def allowed(self, ids: Tensor, over: LossOver) -> Tensor | None:
        """Bool [n, classes]: the logits that compete."""
        if over == "all":
            return None
        if over == "task":
            return self.stream.allowed[self.store.task[ids]]
        seen = self.stream.allowed[: self.task + 1].any(0) | self.stream.allowed[self.store.task[ids]]
        return seen.expand(len(ids), -1)

    def each(self) -> list[tuple[Method, Memory]]:
        return list(zip(self.methods, self.memories))

    def parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Name and tensor of what the phase trains, where a gradient reached it."""
        return [(n, p) for n, p in self.net.named_parameters() if p.requires_grad and p.grad is not None]

    @property
    def untouched(self) -> frozenset[str]:
        """What no phase of this task trains: frozen by the network's author, or another task's."""
        return self.fixed | foreign(self.net, self.net.foreign(self.task))

    @property
    def trains_body(self) -> bool:
        return any(p.requires_grad for p in self.net.body.parameters())

    @property
    def memory_bytes(self) -> int:
        """What the methods keep: their tensors, and the rows of the data whose numbers they keep."""
        tensors = sum(t.numel() * t.element_size() for memory in self.memories for t in memory.values())
        rows = sum(method.rows_kept(memory) for method, memory in self.each())
        return tensors + rows * self.store.row_bytes

    # Checkpoints

    def state(self) -> dict[str, Any]:
        """Everything that changes, as a checkpoint takes it."""
        return {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict() if self.optimiser else None,
            "generator": self.generator.get_state(),
            "memories": [dict(memory) for memory in self.memories],
            "held": [frozen.values for frozen in self.held],
            "probed": dict(self.probed),
            "carried": {name: dict(values) for name, values in self.carried.items()},
            "observed": self.is_observed,
            "passes": self.passes,
        }

    def restore(self, state: dict[str, Any], step: Step) -> None:
        """Go on after `step`, where `state` was taken."""
        self.task = step.task
        self.net.begin(step.task)
        self.net.load_state_dict(state["net"])
        self.generator.set_state(state["generator"])
        self.memories = [self._here(memory) for memory in state["memories"]]
        self.probed = self._here(state["probed"])
        self.carried = {name: self._here(values) for name, values in state["carried"].items()}
        self.is_observed, self.passes = state["observed"], state["passes"]
        if step.phase is not None:
            self._prepare(step.phase)
        if state["optimiser"] is None:
            self.optimiser, self.held = None, []
        else:
            self.optimiser.load_state_dict(state["optimiser"])
            for frozen, values in zip(self.held, state["held"], strict=True):
                frozen.values.copy_(values)

    def _here(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """On this device, except those that count on the CPU so that nothing waits for the device."""
        return {k: v if k.startswith("count") else v.to(self.device) for k, v in tensors.items()}


def only_tensors(method: Method, memory: Memory) -> None:
    """A method's memory is checkpointed and charged: it holds nothing but tensors."""
    for key, value in memory.items():
        if not isinstance(value, Tensor):
            name = getattr(method, "name", type(method).__name__)
            raise RequestError(
                f"methods={name}: memory[{key!r}] is {type(value).__name__}; keep tensors alone"
            )


def new_optimiser(net: Net, phase: Phase, device: torch.device) -> torch.optim.Optimizer:
    """Over what takes gradients, in two groups: what lies in the body at a share of the rate, and the
    heads.
    """
    trained = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    body = [p for name, p in trained if name.startswith("body.")]
    heads = [p for name, p in trained if not name.startswith("body.")]
    groups = [{"params": p, "share": s} for p, s in ((body, phase.body_scale), (heads, 1.0)) if p]
    fused = device.type == "cuda"
    if phase.optimiser == "adam":
        return torch.optim.AdamW(
            groups, phase.lr, weight_decay=phase.weight_decay, fused=fused, capturable=fused
        )
    return torch.optim.SGD(groups, phase.lr, phase.momentum, weight_decay=phase.weight_decay, fused=fused)


def refuse_single_rows(loop: Loop) -> None:
    """BatchNorm cannot be trained on one row: it has no variance."""
    if not loop.has_norms:
        return
    for task in loop.stream.tasks:
        if loop.size == 1 or len(task.train) == 1:
            raise RequestError(
                f"batch={loop.size} and {len(task.train)} training rows in task {task.id + 1} make batches "
                "of one, which BatchNorm cannot be trained on; use batch=2 or more and larger tasks"
            )
