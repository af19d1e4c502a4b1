"""A name is a pure function of the configuration, safe for a file system and never shared."""

import os
from pathlib import Path
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from test_words import configs, made, texts

from lineshaft.engine import Config
from lineshaft.engine.spec.config import Parent, as_json
from lineshaft.engine.spec.names import MOST_BYTES, name


class Texts(Config):
    a: str = ""
    b: str | None = None


class Raised(Texts):
    version: ClassVar[int] = 2


class Grown(Texts):
    new: int = Field(7)


def test_names_hold_the_words_that_are_not_defaults():
    assert name(made()) == "seed=0"
    assert name(made("seed=3", "method=der", "method.alpha=0.5", "lr=0.010")) == (
        "lr=0.01,method=der,method.alpha=0.5,seed=3"
    )
    assert name(made("lr=0.1", "seed=0")) == "seed=0", "a default that is spelt out changes nothing"


def test_the_seed_is_last_and_a_raised_version_before_it():
    assert name(Raised(a="x", seed=4)) == "a=x,v2,seed=4"


def test_a_new_parameter_with_a_default_renames_nothing():
    assert name(Grown(a="x")) == name(Texts(a="x"))


def test_what_is_replaced_or_cut_is_reported_apart_by_a_hash():
    spaced, underscored = name(Texts(a="x y")), name(Texts(a="x_y"))
    assert underscored == "a=x_y,seed=0"
    assert spaced.startswith("a=x_y,seed=0~")
    long_a, long_b = name(Texts(a="x" * 10_000)), name(Texts(a="x" * 10_001))
    assert long_a != long_b
    assert len(long_a.encode()) == len(long_b.encode()) == MOST_BYTES


def test_a_parent_is_named_by_its_configuration():
    one = Texts(parent=Parent(experiment="a.b", config={"lr": 1}))
    two = Texts(parent=Parent(experiment="a.b", config={"lr": 2}))
    assert name(one).startswith("parent=a.b-")
    assert name(one) != name(two) != name(Texts())


@given(configs)
def test_names_fit_and_are_safe(config: Config):
    text = name(config)
    assert len(text.encode()) <= MOST_BYTES
    assert not set(text) & set('/\\[]{}" \n\t\0')
    assert text.isprintable()
    assert not text.startswith(("-", "."))


@given(st.builds(Texts, a=texts, b=st.none() | texts), st.builds(Texts, a=texts, b=st.none() | texts))
def test_different_configurations_have_different_names(one: Texts, two: Texts):
    assert (name(one) == name(two)) == (as_json(one) == as_json(two))


@settings(max_examples=50)
@given(texts)
def test_every_name_can_be_a_folder(tmp_path_factory, text: str):
    folder = Path(tmp_path_factory.mktemp("n")) / name(Texts(a=text))
    folder.mkdir()
    assert os.listdir(folder.parent) == [folder.name]
