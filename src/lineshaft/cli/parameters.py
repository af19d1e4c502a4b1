"""`lineshaft run EXPERIMENT --help`: what an experiment computes and the parameters that say so."""

import inspect
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lineshaft.cli.output import print_table
from lineshaft.engine.spec.config import combination, described, is_model, members, tag, variants
from lineshaft.engine.spec.experiment import Experiment
from lineshaft.engine.spec.spelling import plain_of, written

Row = tuple[str, str, str, str]


def print_parameters(experiment: Experiment) -> None:
    model = experiment.config
    print(f"lineshaft run {experiment.name} key=value ...\n\n{inspect.cleandoc(model.__doc__ or '')}\n")
    print_table(list(rows(model, "")), ["parameter", "type", "default", "meaning"])
    if model.objective:
        print(f"\nobjective: {model.objective[1]} of {model.objective[0]}")
    print("\noptions: lineshaft run --help")


def rows(model: type[BaseModel], prefix: str) -> Iterator[Row]:
    """One row a parameter; the parts of a choice below it, by variant."""
    for key, field in described(model):
        yield prefix + key, type_name(field), default_of(field), field.description or ""
        choices = variants(field.annotation) or combination(field.annotation)
        for choice, variant in choices.items():
            for name, kind, value, meaning in rows(variant, f"{prefix}{key}."):
                yield name, kind, value, f"[{choice}] {meaning}"
        if not choices:
            for nested in (m for m in members(field.annotation) if is_model(m)):
                yield from rows(nested, f"{prefix}{key}.")


def type_name(field: FieldInfo) -> str:
    """`float`, `a | b` for a choice, `a + b` where several can be combined."""
    if single := variants(field.annotation):
        return " | ".join(single)
    if several := combination(field.annotation):
        return " + ".join(several)
    text = field.annotation.__name__ if isinstance(field.annotation, type) else str(field.annotation)
    return text.replace("typing.", "").replace("Literal", "")


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "(needed)"
    value: Any = field.get_default(call_default_factory=True)
    if combination(field.annotation):
        return "+".join(v.name for v in value)
    if isinstance(value, BaseModel):
        return tag(type(value)) or ""
    return written(plain_of(field, value), field)
