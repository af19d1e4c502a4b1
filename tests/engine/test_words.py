"""Words are read through types, refused with the way out, and written so that they read back."""

import math
import os
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from lineshaft.engine import Config, Part, RequestError
from lineshaft.engine.spec.config import as_json, described
from lineshaft.engine.spec.grid import commas, expand, grid, grid_over, split
from lineshaft.engine.spec.spelling import words
from lineshaft.engine.spec.words import build


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Si(Part):
    name: Literal["si"] = "si"
    c: float = Field(0.1, ge=0)


class Der(Part):
    name: Literal["der"] = "der"
    alpha: float = 0.3
    size: int | None = 200


Method = Annotated[Si | Der, Field(discriminator="name")]


class Inner(Part):
    depth: int = 2
    label: str = "a"


class Toy(Config):
    lr: float = Field(0.1, gt=0)
    epochs: int = 5
    text: str = "hi"
    maybe: str | None = None
    on: bool = False
    sizes: tuple[int, ...] = (1, 2)
    method: Method = Si()
    methods: tuple[Method, ...] = (Si(),)
    inner: Inner = Inner()
    either: int | str = 3
    table: dict[str, float] = Field({})


def made(*given_words: str) -> Toy:
    (cell,) = grid(Toy, given_words)
    return cell


texts = st.text(max_size=30) | st.sampled_from(
    [
        "none",
        "null",
        "1",
        "1..3",
        "a,b",
        '"',
        '"a',
        "[",
        "]",
        "{}",
        "true",
        "NaN",
        "-rf",
        "../x",
        "a=b",
        " ",
        "\n",
        "é",
    ]
)
floats = st.floats(allow_nan=True, allow_infinity=True)
sis = st.builds(Si, c=st.floats(min_value=0))
ders = st.builds(Der, alpha=floats, size=st.none() | st.integers())
configs = st.builds(
    Toy,
    seed=st.integers(0, 2**32 - 1),
    lr=st.floats(min_value=0, exclude_min=True),
    epochs=st.integers(),
    text=texts,
    maybe=st.none() | texts,
    on=st.booleans(),
    sizes=st.lists(st.integers(), max_size=3).map(tuple),
    method=sis | ders,
    methods=st.tuples(sis) | st.tuples(ders) | st.tuples(ders, sis) | st.just(()),
    inner=st.builds(Inner, depth=st.integers(), label=texts),
    either=st.integers() | texts,
    table=st.dictionaries(texts, floats, max_size=2),
)


@given(configs)
def test_words_read_back_to_the_same_configuration(config: Toy):
    pairs = [word.split("=", 1) for word in words(config)]
    assert all(expand(key, value) == [value] for key, value in pairs)
    assert as_json(build(Toy, dict(pairs))) == as_json(config)


@given(configs)
def test_json_gives_the_configuration_back(config: Toy):
    assert as_json(Toy.model_validate_json(config.model_dump_json())) == as_json(config)


@given(st.text(max_size=40))
def test_commas_lose_nothing(text: str):
    assert ",".join(commas(text)) == text


def test_values_are_read_as_json_then_as_text():
    config = made("lr=1e-3", "epochs=7", "text=12", "maybe=none", "on=true", "sizes=[64,128]", "either=x")
    assert (config.lr, config.epochs, config.text, config.maybe) == (1e-3, 7, "12", None)
    assert (config.on, config.sizes, config.either) == (True, (64, 128), "x")
    assert made("text=none").text == "none"
    assert math.isinf(made("lr=inf").lr)


def test_ranges_and_commas_sweep():
    assert [c.seed for c in grid(Toy, ["seed=0..4"])] == [0, 1, 2, 3, 4]
    assert [(c.lr, c.seed) for c in grid(Toy, ["lr=1,2", "seed=0,1"])] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert [c.text for c in grid(Toy, ['text="a,b",c'])] == ["a,b", "c"]
    assert len(grid(Toy, ["lr=0.1,1e-1"])) == 1, "the same configuration is one cell"


def test_a_variant_starts_from_its_own_defaults_and_is_edited_after_it():
    assert made("method=der").method == Der()
    assert made("method.alpha=0.5", "method=der").method == Der(alpha=0.5)
    assert made("method.c=0.7").method == Si(c=0.7)


def test_variants_combine():
    config = made("methods=si+der", "methods.der.alpha=0.5")
    assert config.methods == (Si(), Der(alpha=0.5))
    assert made("methods=der", "methods.alpha=1").methods == (Der(alpha=1),)


def test_a_grid_around_a_configuration_keeps_what_it_does_not_name():
    base = made("method=der", "method.alpha=0.7", "epochs=9")
    cells = grid_over(base, ["lr=1,2"])
    assert [c.lr for c in cells] == [1, 2]
    assert all(c.method == Der(alpha=0.7) and c.epochs == 9 for c in cells)


@pytest.mark.parametrize(
    ("given_words", "says"),
    [
        (["lrr=1"], "did you mean lr"),
        (["lr"], "key=value"),
        (["lr=-1"], "greater than 0"),
        (["lr=abc"], "lr=abc"),
        (["epochs=true"], "epochs=true"),
        (["epochs=1.5"], "epochs=1.5"),
        (["method=sii"], "did you mean si"),
        (["method=si,der", "method.alpha=1"], "not a parameter of si"),
        (["methods=si+der", "methods.alpha=1"], "methods.si.alpha"),
        (["methods=si+si"], "twice"),
        (["lr.x=1"], "no parts"),
        (["seed=5..2"], "empty range"),
        (["seed=0..9999999"], "10,000,000 values"),
        (["seed=0..999", "epochs=0..999"], "1,000,000 cells"),
        (["lr=1", "lr=2"], "given twice"),
        (["seed=-1"], "greater than or equal to 0"),
        (["inner.deep=1"], "did you mean depth"),
        (["name=x"], "unknown key name"),
    ],
)
def test_wrong_words_are_refused_with_the_way_out(given_words: list[str], says: str):
    with pytest.raises(RequestError, match=says):
        grid(Toy, given_words)


def test_keys_are_identifiers():
    assert split("method.alpha=0.5") == ("method.alpha", ["0.5"])
    for word in ("=1", "a b=1", "-rf", "a.=1", "1a=2"):
        with pytest.raises(RequestError, match="key=value"):
            split(word)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0..20..5", ["0", "5", "10", "15", "20"]),
        ("0..9..5", ["0", "5"]),
        ("0.1..0.5..0.1", ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        ("5..1..-2", ["5", "3", "1"]),
        ("log(1e-4,1e-1,4)", ["0.0001", "0.001", "0.01", "0.1"]),
        ("log(100, 1, 3)", ["100", "10", "1"]),
        ("1,log(10,1000,3),7..8", ["1", "10", "100", "1000", "7", "8"]),
        ("catalog(1,2,3)", ["catalog(1", "2", "3)"]),
        ("log(1,2,x)", ["log(1", "2", "x)"]),
        ("1.5..2", ["1.5..2"]),
    ],
)
def test_series_are_counted_out(text, values):
    assert expand("lr", text) == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0..10..0", "never gets from 0 to 10 in steps of 0"),
        ("0..10..-1", "never gets from 0 to 10"),
        ("0..1..1e-9", "has 1,000,000,001 values"),
        ("log(0,1,3)", "two positive values and 2 or more"),
        ("log(1,10,1)", "two positive values and 2 or more"),
        ("log(1,10,999999999)", "999,999,999 values"),
        ("(0.9,0.99)", r"write lr=\[0.9,0.99\], for a sweep lr=0.9,0.99"),
        ("'a,b'", """for one text write 'lr="a,b"', for a sweep lr=a,b"""),
    ],
)
def test_series_and_quotes_that_cannot_be_meant_are_answered_with_the_words_that_work(text, says):
    with pytest.raises(RequestError, match=says):
        expand("lr", text)


def test_values_counted_out_in_logs_name_runs_as_if_typed():
    cells = grid(Toy, ["lr=log(1e-4,1e-1,4)"])
    assert cells == grid(Toy, ["lr=0.0001,0.001,0.01,0.1"])
    assert [words(c)[:-1] for c in cells] == [["lr=0.0001"], ["lr=0.001"], ["lr=0.01"], []]


@dataclass(frozen=True)
class Adam:
    lr: float = 0.1


class Limits(TypedDict):
    low: float


class Plain(BaseModel):
    lr: float = 0.1


class Foreign(Config):
    """Types that are not ours: as a person has them from elsewhere."""

    adam: Adam = Adam()
    limits: Limits = Limits(low=0.0)
    plain: Plain = Plain()
    words: frozenset[str] = frozenset()
    colour: Colour = Colour.RED
    folder: Path = Path("here")


def test_foreign_types_are_read_written_and_come_back():
    given_words = ['adam={"lr":0.5}', 'limits={"low":1}', "plain.lr=2", 'words=["b","a"]', "colour=blue"]
    (cell,) = grid(Foreign, [*given_words, "folder=/x y"])
    assert (cell.adam, cell.limits, cell.plain) == (Adam(0.5), {"low": 1}, Plain(lr=2))
    assert as_json(cell)["words"] == ["a", "b"]
    assert grid(Foreign, words(cell)) == [cell]


def test_the_order_of_a_set_is_no_part_of_a_name():
    program = (
        "from lineshaft.engine import Config\n"
        "class Sets(Config):\n    tags: frozenset[str] = frozenset()\n    usual: set[str] = set('abcdefgh')\n"
        "from lineshaft.engine.spec.names import name\nfrom lineshaft.engine.spec.config import as_json\n"
        "config = Sets(tags=frozenset('abcdefgh'))\nprint(name(config), as_json(config))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(said) == 1


@pytest.mark.parametrize(
    ("given_words", "says"),
    [
        (["plain.lr=inf"], "plain.lr: .*lineshaft.engine.Part"),
        (["adam.lr=1"], "write adam=.* whole, or derive its class from lineshaft.engine.Part"),
        (["limits.low=1"], "write limits=.* whole"),
    ],
)
def test_what_would_not_come_back_is_refused_with_the_way_out(given_words, says):
    with pytest.raises(RequestError, match=says):
        grid(Foreign, given_words)


class Named(Config):
    """A plain parameter and a plain part's parameter that are called name."""

    name: str = Field("x", description="what it is called")
    part: Inner = Inner()


def test_a_parameter_may_be_called_name():
    (cell,) = grid(Named, ["name=abc", "part.label=b"])
    assert (cell.name, words(cell)) == ("abc", ["name=abc", "part.label=b", "seed=0"])
    assert [key for key, _ in described(Named)] == ["name", "part", "seed"]
    with pytest.raises(RequestError, match="did you mean name"):
        grid(Named, ["nam=abc"])
