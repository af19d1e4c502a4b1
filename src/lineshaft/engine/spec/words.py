"""`key=value` words read into a configuration.

A value is read as JSON first, then as raw text, both through the field's type; `none` is null.
`method=der` starts from that variant's own defaults, `method.alpha=0.5` edits the current variant,
`method=si+der` combines variants.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.spec.config import (
    Config,
    combination,
    default,
    faults,
    is_model,
    members,
    refuse_lossy,
    tag,
    variants,
)

C = TypeVar("C", bound=Config)


def build(model: type[C], raw: Mapping[str, str], base: C | None = None) -> C:
    """One configuration: the defaults (or `base`) edited by raw values, whole choices before their parts."""
    values = {k: tree(v) for k, v in (base or default(model) or partial(model))}
    for key in sorted(raw, key=lambda k: k.count(".")):
        edit(model, values, key.split("."), raw[key], key)
    return validated(model, values)


def tree(value: Any) -> Any:
    """Models as dictionaries, sequences of models as lists of them; everything else as it is."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, list | tuple) and any(isinstance(v, BaseModel) for v in value):
        return [tree(v) for v in value]
    return value


def partial(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """The defaults that exist, for a model with required fields."""
    return (
        (k, f.get_default(call_default_factory=True))
        for k, f in model.model_fields.items()
        if not f.is_required()
    )


def validated(model: type[C], values: Mapping[str, Any]) -> C:
    """The model from values that can be stored, or an error that names the faults."""
    try:
        found = model.model_validate(values)
        refuse_lossy(found)
    except ValidationError as error:
        raise RequestError(faults(error)) from None
    except ValueError as error:
        raise RequestError(f"a value cannot be written as UTF-8: {str(error)[:200]}") from None
    return found


def edit(model: type[BaseModel], values: dict[str, Any], path: Sequence[str], raw: str, key: str) -> None:
    """Set the value at `path` in a tree of plain dictionaries, guided by the model's annotations."""
    field = model.model_fields.get(path[0])
    if field is None or (path[0] == "name" and tag(model)):
        of = f" of {tag(model)}" if tag(model) else ""
        known = [k for k in model.model_fields if k != "parent" and not (k == "name" and tag(model))]
        raise RequestError(
            f"unknown key {key[:80]}: {path[0][:80]} is not a parameter{of}{nearest(path[0], known)}"
        )
    if len(path) == 1:
        values[path[0]] = leaf(field, raw, key)
    else:
        descend(field, values, path, raw, key)


def leaf(field: FieldInfo, raw: str, key: str) -> Any:
    """A value, a variant with its own defaults, or several of them."""
    single, several = variants(field.annotation), combination(field.annotation)
    if several and all(part in several for part in raw.split("+")):
        if len(set(raw.split("+"))) < len(raw.split("+")):
            raise RequestError(f"{key}={raw[:80]} names a variant twice")
        return [{"name": part} for part in raw.split("+")]
    if raw in single:
        return {"name": raw}
    try:
        return read(raw, adapter(field))
    except ValueError as error:
        if explained(error):
            raise RequestError(f"{key}={raw[:80]}: {explained(error)}") from None
        if single or several:
            raise RequestError(f"{key}={raw[:80]} is not a choice{nearest(raw, single or several)}") from None
        raise RequestError(f"{key}={raw[:80]}: {reason(error)}") from None


def descend(field: FieldInfo, values: dict[str, Any], path: Sequence[str], raw: str, key: str) -> None:
    """Follow the rest of the path into a nested model, the current variant, or one of several."""
    name, rest, current = path[0], path[1:], values.get(path[0])
    several = combination(field.annotation)
    if several and isinstance(current, list):
        element = next((e for e in current if e["name"] == rest[0]), None)
        if element is not None and len(rest) > 1:
            return edit(several[rest[0]], element, rest[1:], raw, key)
        if len(current) == 1:
            return edit(several[current[0]["name"]], current[0], rest, raw, key)
        tags = "+".join(e["name"] for e in current)
        raise RequestError(f"{key}: {name} is {tags}; write {name}.{current[0]['name']}.{rest[-1]}=...")
    single = variants(field.annotation)
    if single and isinstance(current, BaseModel):  # made from another form, such as a file's name
        current = values[name] = current.model_dump(exclude_unset=True) | {"name": tag(type(current))}
    if single and isinstance(current, dict):
        return edit(single[current["name"]], current, rest, raw, key)
    models = members(field.annotation)
    if len(parts := [m for m in models if is_model(m)]) == 1:
        values[name] = current if isinstance(current, dict) else {}
        return edit(parts[0], values[name], rest, raw, key)
    raise RequestError(
        f"unknown key {key[:80]}: {name} has no parts that words can name; write {name}={{...}} whole"
        + (", or derive its class from lineshaft.engine.Part" if any(map(is_dataclass, models)) else "")
    )


def once_a_field(make: Callable[[FieldInfo], TypeAdapter[Any]]) -> Callable[[FieldInfo], TypeAdapter[Any]]:
    """Make it once for each field, which cannot be hashed: making one takes as long as reading 30 values."""
    made: dict[int, tuple[FieldInfo, TypeAdapter[Any]]] = {}

    @functools.wraps(make)
    def known(field: FieldInfo) -> TypeAdapter[Any]:
        if id(field) not in made:
            made[id(field)] = field, make(field)
        return made[id(field)][1]

    return known


@once_a_field
def adapter(field: FieldInfo) -> TypeAdapter[Any]:
    """What validates one value of a field, its constraints included."""
    annotation: Any = field.annotation
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    return TypeAdapter(annotation)


def read(raw: str, kind: TypeAdapter[Any]) -> Any:
    """JSON first, then raw text, both through the type; raises ValueError with the last fault."""
    fault: ValueError = ValueError("no value")
    for value in readings(raw):
        try:
            result = kind.validate_python(value)
        except ValidationError as error:
            fault = error
        else:
            if isinstance(value, bool) and isinstance(result, int | float) and not isinstance(result, bool):
                fault = ValueError("Input should be a number, not true or false")
                continue
            return result
    raise fault


def readings(raw: str) -> Iterator[Any]:
    if raw == "none":
        yield None
    try:
        yield json.loads(raw)
    except (ValueError, RecursionError):
        pass
    yield raw


def explained(error: ValueError) -> str:
    """What a variant's own validator says is wrong, such as a file that is missing; else nothing."""
    faults = error.errors() if isinstance(error, ValidationError) else []
    reasons = [str(fault["ctx"]["error"]) for fault in faults if fault["type"] == "value_error"]
    return reasons[0] if reasons else ""


def reason(error: ValueError) -> str:
    return str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)
