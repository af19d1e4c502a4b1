"""A configuration written as words: what `words.build` reads back to the same configuration."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.config import Config, as_json, combination, default, in_order, tag
from lineshaft.engine.spec.grid import expand
from lineshaft.engine.spec.words import adapter, once_a_field, read


def words(config: Config) -> list[str]:
    """The non-default words in the order of the fields, `seed` always and last; `build` reads them back."""
    found = [w for w in difference("", config, default(type(config))) if not w.startswith("seed=")]
    return [*found, f"seed={config.seed}"]


def difference(prefix: str, model: BaseModel, base: BaseModel | None) -> Iterator[str]:
    values = as_json(model)
    for key, field in type(model).model_fields.items():
        if key == "name" and tag(type(model)):
            continue
        value, other = getattr(model, key), getattr(base, key, None)
        yield from field_words(f"{prefix}{key}", field, value, other, values[key], base is not None)


def field_words(
    key: str, field: FieldInfo, value: Any, other: Any, plain: Any, has_base: bool
) -> Iterator[str]:
    """The words that turn a field's default into its value."""
    if combination(field.annotation) and value:
        yield from several_words(key, list(value), list(other or []))
    elif isinstance(value, BaseModel) and key != "parent":
        same = type(value) is type(other)
        if not same and tag(type(value)):
            yield f"{key}={tag(type(value))}"
        yield from difference(f"{key}.", value, other if same else default(type(value)))
    elif not has_base or plain != plain_of(field, other):
        yield f"{key}={written(plain, field)}"


def several_words(key: str, values: list[BaseModel], others: list[BaseModel]) -> Iterator[str]:
    same = [type(v) for v in values] == [type(o) for o in others]
    if not same:
        yield f"{key}={'+'.join(str(tag(type(v))) for v in values)}"
    for value, other in zip(values, others if same else [default(type(v)) for v in values]):
        yield from difference(f"{key}.{tag(type(value))}.", value, other)


def plain_of(field: FieldInfo, value: Any) -> Any:
    """The value as plain JSON types, as the configuration itself would be stored."""
    return in_order(value, json.loads(storing(field).dump_json([value]))[0])


@once_a_field
def storing(field: FieldInfo) -> TypeAdapter[Any]:
    """In a list, since pydantic takes no settings for a model, a dataclass or a TypedDict by itself."""
    annotation: Any = field.annotation
    return TypeAdapter(list[annotation], config=PLAIN)


PLAIN: Any = {"ser_json_inf_nan": "strings"}


def written(plain: Any, field: FieldInfo) -> str:
    """A JSON value as the shortest text that reads back to it."""
    if plain is None:
        return "none"
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < 1e15:
        return str(int(plain))
    if isinstance(plain, str) and reads_back(plain, field):
        return plain
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def reads_back(text: str, field: FieldInfo) -> bool:
    try:
        return expand("", text) == [text] and plain_of(field, read(text, adapter(field))) == text
    except (ValueError, RequestError):
        return False
