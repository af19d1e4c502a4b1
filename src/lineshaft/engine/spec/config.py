"""What is computed: frozen, typed, documented values, JSON both ways.

A configuration says nothing about devices, workers, paths or trackers: those are launch options and never
part of a run's identity.
"""

import json
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic.fields import FieldInfo

from lineshaft.engine.errors import RequestError

FROM_PART = "derive nested models from lineshaft.engine.Part, which stores every number"


class Part(BaseModel):
    """A nested piece of a configuration; with a literal tag `name`, one variant of a choice."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        ser_json_inf_nan="strings",
        protected_namespaces=(),
    )


class Parent(Part):
    """The finished run whose best checkpoint another starts from: what it computed, not where it lies."""

    experiment: str
    version: int = Field(1, ge=1)
    config: dict[str, Any]

    @model_serializer(mode="wrap")
    def stored(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out version 1: runs from before versions were stored keep their names."""
        values: dict[str, Any] = fields(self)
        return {key: value for key, value in values.items() if (key, value) != ("version", 1)}


class Config(Part):
    """Base of every experiment's configuration."""

    version: ClassVar[int] = 1
    objective: ClassVar[tuple[str, str] | None] = None

    seed: int = Field(0, ge=0, lt=2**32, description="seed of data order, initialisation and sampling")
    parent: Parent | None = Field(
        None, description="run whose best checkpoint this one starts from (relaunch)"
    )


def as_json(config: BaseModel) -> dict[str, Any]:
    """All values as plain JSON types; infinities and NaN become strings that validate back."""
    values: dict[str, Any] = in_order(config, json.loads(config.model_dump_json()))
    return values


def in_order(value: Any, plain: Any) -> Any:
    """Plain JSON types with each set sorted: the order of its elements differs between processes."""
    if isinstance(value, set | frozenset):
        return sorted(plain, key=json.dumps) if isinstance(plain, list) else plain
    if isinstance(value, BaseModel) and isinstance(plain, dict):
        return {key: in_order(getattr(value, key, None), inner) for key, inner in plain.items()}
    if isinstance(value, dict) and isinstance(plain, dict) and len(value) == len(plain):
        return {key: in_order(v, inner) for v, (key, inner) in zip(value.values(), plain.items())}
    if isinstance(value, list | tuple) and isinstance(plain, list) and len(value) == len(plain):
        return [in_order(v, inner) for v, inner in zip(value, plain)]
    return plain


def refuse_lossy(config: BaseModel) -> None:
    """Refuse a configuration that does not come back from its JSON: its folder could never be read."""
    text = config.model_dump_json()
    try:
        again = type(config).model_validate_json(text)
    except ValidationError as error:
        raise RequestError(f"{faults(error)}; so it comes back from JSON: {FROM_PART}") from None
    if again.model_dump_json() == text:
        return
    back = as_json(again)
    for key, value in as_json(config).items():
        if back[key] != value:
            raise RequestError(
                f"{key} is stored as {json.dumps(value)[:80]} and comes back as "
                f"{json.dumps(back[key])[:80]}: {FROM_PART}"
            )


def default(model: type[BaseModel]) -> BaseModel | None:
    """The model with its own defaults, None where a field has none."""
    if any(field.is_required() for field in model.model_fields.values()):
        return None
    return model()


def faults(error: ValidationError) -> str:
    """Which values are wrong and why, the first few."""
    found = [f"{'.'.join(str(p) for p in e['loc']) or error.title}: {e['msg']}" for e in error.errors()]
    return "; ".join(found[:5])


def is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union without None, with `Annotated` taken off."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(m for a in get_args(annotation) if a is not type(None) for m in members(a))
    return (annotation,)


def tag(model: type[BaseModel]) -> str | None:
    """The literal `name` of a variant: `Der` has `name: Literal["der"] = "der"`."""
    field = model.model_fields.get("name")
    if field is None or get_origin(field.annotation) is not Literal:
        return None
    return str(get_args(field.annotation)[0])


def variants(annotation: Any) -> dict[str, type[BaseModel]]:
    """Tag -> model for a choice; empty where the annotation is not a choice."""
    models = members(annotation)
    if not models or not all(is_model(m) and tag(m) for m in models):
        return {}
    return {str(tag(m)): m for m in models}


def combination(annotation: Any) -> dict[str, type[BaseModel]]:
    """Tag -> model for a field that holds several variants at once (`tuple[Si | Der, ...]`)."""
    if get_origin(annotation) not in (list, tuple):
        return {}
    return variants(get_args(annotation)[0])


def described(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """The fields a person sets, `seed` last; `parent` is set by relaunch alone."""
    hidden = ("seed", "parent", *(["name"] if tag(model) else []))
    fields = [(k, f) for k, f in model.model_fields.items() if k not in hidden]
    return fields + [(k, f) for k, f in model.model_fields.items() if k == "seed"]
