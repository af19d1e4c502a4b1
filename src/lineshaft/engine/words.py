"""`key=value` words: the one syntax of the command line, of sweeps and of folder names.

A comma outside brackets and quotes makes a sweep, `a..b` an inclusive range of integers. A value is read as JSON first,
then as raw text, both through the field's type; `none` is null. `method=der` starts from that variant's own defaults,
`method.alpha=0.5` edits the current variant, `method=si+der` combines variants.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from lineshaft.engine.config import Config, as_json, combination, default, is_model, members, tag, variants
from lineshaft.engine.errors import RequestError, nearest

KEY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
RANGE = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})")
MOST_CELLS = 100_000
C = TypeVar("C", bound=Config)


# reading ------------------------------------------------------------------------------------------------------------
def split(word: str) -> tuple[str, list[str]]:
    """`lr=0.1,0.2` -> ("lr", ["0.1", "0.2"])."""
    key, equals, text = word.partition("=")
    if not equals or not KEY.fullmatch(key):
        raise RequestError(f"{word[:80]!r} is not a word of the form key=value")
    return key, expand(key, text)


def expand(key: str, text: str) -> list[str]:
    """The values of one word, commas and ranges taken apart."""
    values = []
    for item in commas(text):
        span = RANGE.fullmatch(item)
        values += span_of(key, int(span[1]), int(span[2])) if span else [item]
    return values


def span_of(key: str, first: int, last: int) -> list[str]:
    if last < first:
        raise RequestError(f"{key}={first}..{last} is an empty range; write {last}..{first}")
    if last - first >= MOST_CELLS:
        raise RequestError(f"{key}={first}..{last} has {last - first + 1:,} values; at most {MOST_CELLS:,}")
    return [str(i) for i in range(first, last + 1)]


def commas(text: str) -> list[str]:
    """Split at commas outside brackets and double quotes; a quote opens at the start of a value or in brackets."""
    items, start, depth, i = [], 0, 0, 0
    while i < len(text):
        char = text[i]
        if char == '"' and (depth or i == start):
            i = closing_quote(text, i)
        elif char in "[{":
            depth += 1
        elif char in "]}":
            depth = max(depth - 1, 0)
        elif char == "," and not depth:
            items.append(text[start:i])
            start = i + 1
        i += 1
    return [*items, text[start:]]


def closing_quote(text: str, opening: int) -> int:
    """Index of the quote that closes the JSON string opened at `opening`, or of the last character."""
    i = opening + 1
    while i < len(text) and text[i] != '"':
        i += 2 if text[i] == "\\" else 1
    return min(i, len(text) - 1)


def grid(model: type[C], words: Sequence[str]) -> list[C]:
    """The cells of the product over all words, in the order given, each configuration once."""
    pairs = [split(word) for word in words]
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise RequestError(f"{key} is given twice; write {key}=a,b for a sweep")
    count = 1
    for _, values in pairs:
        count *= len(values)
    if count > MOST_CELLS:
        raise RequestError(f"the grid has {count:,} cells; at most {MOST_CELLS:,}: sweep fewer values")
    cells = (build(model, dict(zip(keys, c))) for c in itertools.product(*(v for _, v in pairs)))
    return list({cell.model_dump_json(): cell for cell in cells}.values())


def build(model: type[C], raw: Mapping[str, str], base: C | None = None) -> C:
    """One configuration: the defaults (or `base`) edited by raw values, whole choices before their parts."""
    values = {k: v for k, v in (base or default(model) or partial(model))}
    values = {k: v.model_dump() if isinstance(v, BaseModel) else v for k, v in values.items()}
    values = {
        k: [i.model_dump() if isinstance(i, BaseModel) else i for i in v]
        if combination(model.model_fields[k].annotation)
        else v
        for k, v in values.items()
    }
    for key in sorted(raw, key=lambda k: k.count(".")):
        edit(model, values, key.split("."), raw[key], key)
    return validated(model, values)


def partial(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """The defaults that exist, for a model with required fields."""
    return (
        (k, f.get_default(call_default_factory=True))
        for k, f in model.model_fields.items()
        if not f.is_required()
    )


def validated(model: type[C], values: Mapping[str, Any]) -> C:
    """The model from values, or an error of one line a fault."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(p) for p in e['loc']) or model.__name__}: {e['msg']}" for e in error.errors()
        ]
        raise RequestError("; ".join(faults[:5])) from None


def edit(model: type[BaseModel], values: dict[str, Any], path: Sequence[str], raw: str, key: str) -> None:
    """Set the value at `path` in a tree of plain dictionaries, guided by the model's annotations."""
    field = model.model_fields.get(path[0])
    if field is None or (path[0] == "name" and tag(model)):
        of = f" of {tag(model)}" if tag(model) else ""
        known = [k for k in model.model_fields if k not in ("name", "parent")]
        raise RequestError(
            f"unknown key {key[:80]}: {path[0][:80]} is no parameter{of}{nearest(path[0], known)}"
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
        if single or several:
            raise RequestError(f"{key}={raw[:80]} is no choice{nearest(raw, single or several)}") from None
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
    if single and isinstance(current, dict):
        return edit(single[current["name"]], current, rest, raw, key)
    models = [m for m in members(field.annotation) if is_model(m)]
    if len(models) == 1:
        values[name] = current if isinstance(current, dict) else {}
        return edit(models[0], values[name], rest, raw, key)
    raise RequestError(f"unknown key {key[:80]}: {name} has no parts")


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


def reason(error: ValueError) -> str:
    return str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)


# writing ------------------------------------------------------------------------------------------------------------
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
    annotation: Any = field.annotation
    kind: TypeAdapter[Any] = TypeAdapter(annotation, config=None if is_model(annotation) else PLAIN)
    return json.loads(kind.dump_json(value))


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
