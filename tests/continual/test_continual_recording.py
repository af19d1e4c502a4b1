"""A step that is played back must be the step: what a recording holds on to may not have moved or changed."""

from collections.abc import Callable

import pytest
import torch
from continual_toys import copy, learn, loop, same, subsets, vectors

from lineshaft.continual import loop as loops
from lineshaft.continual.methods.agem import Agem
from lineshaft.continual.methods.choices import AnyMethod
from lineshaft.continual.methods.der import Der, DerPlus
from lineshaft.continual.methods.ewc import Ewc
from lineshaft.continual.methods.gss import Gss
from lineshaft.continual.methods.hat import Hat
from lineshaft.continual.methods.joint import Joint
from lineshaft.continual.methods.lump import Lump
from lineshaft.continual.methods.lwf import Lwf
from lineshaft.continual.methods.pnn import Pnn
from lineshaft.continual.methods.si import Si
from lineshaft.continual.methods.slca import Slca
from lineshaft.continual.phases import Phase
from lineshaft.continual.recording import WARM_UP, Player

METHODS = [
    (),
    *((m,) for m in (Agem(size=6), Der(size=6), DerPlus(size=6), Ewc(samples=4), Gss(size=6), Joint())),
    *((m,) for m in (Lump(size=6), Lwf(), Pnn(), Si(), Slca(steps=2), Hat())),
    (Si(), Der(size=6)),
]
Step = Callable[[torch.Tensor], torch.Tensor]


def pretend(played: list[int]) -> Callable[..., Step]:
    """A recorder that runs the step itself, on ids that stay where they are."""

    def record(step: Step, ids: torch.Tensor, generator: torch.Generator) -> Step:
        kept = ids.clone()

        def play(ids: torch.Tensor) -> torch.Tensor:
            played.append(len(ids))
            return step(kept.copy_(ids))

        return play

    return record


def baked(of: loops.Loop) -> dict[str, object]:
    """What a CUDA graph of a step would hold on to: addresses of what methods keep, numbers on the CPU."""
    found: dict[str, object] = {
        "rate": of.optimiser.param_groups[0]["lr"],
        "phase": of.phase,
        "task": of.task,
    }
    for number, memory in enumerate(of.memories):
        for key, value in memory.items():
            if not key.startswith(("step:", "before:")):  # made and taken within a step
                is_number = key.startswith("count")
                found[f"{number} {key}"] = int(value) if is_number else value.data_ptr()
    return found


@pytest.mark.parametrize("methods", METHODS, ids=lambda m: "+".join(x.name for x in m) or "none")
def test_nothing_a_recording_holds_on_to_changes_while_it_is_played(methods, monkeypatch):
    monkeypatch.setattr(loops, "graphs", lambda device: True)
    of, played, changed = loop(methods=methods, data=vectors(each=80), batch=6), [], []

    def record(step: Step, ids: torch.Tensor, generator: torch.Generator) -> Step:
        held, play = baked(of), pretend(played)(step, ids, generator)

        def checked(ids: torch.Tensor) -> torch.Tensor:
            now = baked(of)
            changed.extend(key for key, value in held.items() if now.get(key) != value)
            return play(ids)

        return checked

    of.player.record = record
    for task in range(len(of.stream.tasks)):
        probing = Phase(2, subsets(of)["head"], 0.1, frozen_stats=True, counts=False)
        learn(of, task, probing, Phase(3, lr=0.05, decay="cosine"))
    assert not changed
    assert bool(played) is all(method.recordable for method in methods)


@pytest.mark.parametrize("methods", [(), (Si(),), (Der(size=6),), (Lump(size=6),)], ids=str)
def test_a_played_epoch_learns_what_a_plain_one_learns(methods, monkeypatch):
    found, played = [], []
    for is_recorded in (False, True):
        monkeypatch.setattr(loops, "graphs", lambda device, is_recorded=is_recorded: is_recorded)
        of = loop(methods=methods, data=vectors(each=80), batch=6)
        of.player.record = pretend(played)
        learn(of, 0, Phase(3, lr=0.05))
        learn(of, 1, Phase(3, lr=0.05))
        found.append(copy(of))
    assert played
    assert same(*found)


def test_a_step_is_recorded_once_it_is_warm_and_again_at_another_rate():
    ran, played = [], []

    def step(ids: torch.Tensor) -> torch.Tensor:
        ran.append(len(ids))
        return ids.sum()

    player, ids = Player(step, torch.Generator(), pretend(played)), torch.arange(4)
    for _ in range(WARM_UP + 2):
        player.play(ids)
    assert (len(ran), len(played)) == (WARM_UP + 2, 2)
    player.at(0.1)
    assert player.play(ids) == ids.sum()
    assert len(played) == 2
    player.at(0.1)
    player.play(ids[:2])
    assert player.warm == {4: 1, 2: 1}


def test_a_method_of_ones_own_is_not_recorded_unless_it_says_so():
    from lineshaft.continual.methods.method import Method

    class Own(Method):
        name: str = "own"

    assert not Own().recordable and Si().recordable
    assert {type(m).__name__ for group in METHODS for m in group} == {t.__name__ for t in AnyMethod.__args__}
