"""Solvers of methods: untrained, from a file of weights, one member alone, and their oracle variants."""

from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter
from torch import Tensor, nn

from lineshaft.plasma.lhpc import weights
from lineshaft.plasma.lhpc.fluid import Fluid
from lineshaft.plasma.lhpc.inject import Injection
from lineshaft.plasma.lhpc.methods import AnyMethod, Lhpc, Method, Redrawn
from lineshaft.plasma.lhpc.rollout import Solver
from lineshaft.plasma.lhpc.target import Constants, Target

Weights = dict[str, dict[str, Tensor]]  # of the fluid and the injection


def assembled(target: Target, method: Method, members: int, device: str) -> Solver:
    """The untrained solver of a method; nets start from torch's random state."""
    c = Constants(target, 2, device)
    if isinstance(method, Redrawn):
        return Solver(target, c, None)
    fluid = Fluid(
        c if method.groups == 2 else Constants(target, 4, device),
        method.groups,
        members,
        method.core,
        method.net,
        method.width,
        method.learned_fields,
    ).to(device)
    if not isinstance(method, Lhpc):
        return Solver(target, c, fluid)
    coupled = method.coupling and method.net != "none"
    injection = Injection(c, members, method.width).to(device) if coupled else None
    return Solver(target, c, fluid, injection, hybrid=True)


def modules(solver: Solver) -> list[nn.Module]:
    """What has weights to train."""
    found: list[nn.Module] = []
    if solver.fluid is not None and solver.fluid.net is not None:
        found.append(solver.fluid)
    if isinstance(solver.injection, Injection):
        found.append(solver.injection)
    return found


def parameters(solver: Solver) -> int:
    """Weights of all members."""
    return sum(p.numel() for module in modules(solver) for p in module.parameters())


def copied(solver: Solver) -> Weights:
    """A copy of all weights and scales."""
    parts: dict[str, nn.Module | None] = {"fluid": solver.fluid}
    if isinstance(solver.injection, Injection):
        parts["injection"] = solver.injection
    return {
        name: {k: v.detach().clone() for k, v in part.state_dict().items()}
        for name, part in parts.items()
        if part is not None
    }


def restore(solver: Solver, kept: Weights) -> None:
    """Give the solver the weights of a copy."""
    if solver.fluid is not None:
        solver.fluid.load_state_dict(kept["fluid"])
    if isinstance(solver.injection, Injection):
        solver.injection.load_state_dict(kept["injection"])


def member(target: Target, method: Method, solver: Solver, which: int, device: str) -> Solver:
    """One member's solver alone."""
    one = assembled(target, method, 1, device)
    for mine, whole in zip(modules(one), modules(solver)):
        trained = {name for name, _ in whole.named_parameters()}
        state = {
            name: picked(value, which) if name in trained else value
            for name, value in whole.state_dict().items()
        }
        mine.load_state_dict(state)
    return one


def picked(value: Tensor, which: int) -> Tensor:
    """A member's weights; spectral ones have the members in their second dimension."""
    return value[:, which : which + 1] if value.dim() == 5 else value[which : which + 1]


def load(path: Path, device: str, target: Target | None = None, which: int = 0) -> tuple[AnyMethod, Solver]:
    """The method and the solver of one member of a file that `plasma.train` has written.

    Another `target` than the one trained on may be given: nets know no place.
    """
    config, parts = weights.read(path)
    method: AnyMethod = TypeAdapter(AnyMethod).validate_python(config["method"])
    members = parts["fluid"]["net.head.weight"].shape[0]
    place = target or Target.model_validate(config["target"])
    solver = assembled(place, method, members, device)
    restore(solver, parts)
    return method, member(place, method, solver, which, device)


def variants(method: Method, solver: Solver) -> dict[str, Solver]:
    """The same nets with no injection, and bounds: the injection, the fluid, or both as they truly were."""
    if not isinstance(method, Lhpc):
        return {}
    found = {
        "oracle_injection": replace(solver, injection="oracle"),
        "oracle_fluid": replace(solver, oracle_fluid=True),
    }
    if solver.injection is not None:
        found["uncoupled"] = replace(solver, injection=None)
    if method.net == "none":
        found["oracles"] = replace(solver, injection="oracle", oracle_fluid=True)
    return found
