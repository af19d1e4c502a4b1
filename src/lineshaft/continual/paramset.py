"""A named subset of a network's parameters: what a phase of training may change."""

import re
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class ParamSet:
    """The parameters whose full name matches a regular expression from its start."""

    name: str
    pattern: str

    def select(self, net: nn.Module) -> list[nn.Parameter]:
        """Let these parameters, and no others, take gradients; return them in the network's order.

        A set that matches nothing would train nothing without a word, so it is refused.
        """
        chosen = []
        for name, parameter in net.named_parameters():
            parameter.requires_grad_(re.match(self.pattern, name) is not None)
            parameter.grad = None  # a gradient of an earlier phase must not be applied or counted again
            if parameter.requires_grad:
                chosen.append(parameter)
        if not chosen:
            raise ValueError(f"no parameter of {type(net).__name__} matches {self.pattern!r} ({self.name})")
        return chosen


ALL = ParamSet("all", r"")
HEAD = ParamSet("head", r"head\.")
