"""The contract that every experiment of this repository keeps; other installed packages are not tested."""

import importlib
import importlib.util
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from lineshaft.engine.spec.config import Config, as_json, combination, is_model, members, variants
from lineshaft.engine.spec.experiment import Experiment, address_of, find, own
from lineshaft.engine.spec.grid import grid
from lineshaft.engine.spec.names import MOST_BYTES, name
from lineshaft.engine.spec.spelling import words

SYSTEMS = sorted({address.partition(".")[0] for address in own()})


@pytest.fixture(params=sorted(own()))
def experiment(request) -> Experiment:
    return find(request.param)


def modules(noun: str) -> list[ModuleType]:
    """`lineshaft.SYSTEM.NOUN` of every system that has one."""
    paths = [f"lineshaft.{system}.{noun}" for system in SYSTEMS]
    return [importlib.import_module(path) for path in paths if importlib.util.find_spec(path)]


def tables() -> Iterator[Any]:
    """Every public function of every system's tables.py."""
    for module in modules("tables"):
        for key, value in vars(module).items():
            if callable(value) and value.__module__ == module.__name__ and not key.startswith("_"):
                yield pytest.param(value, id=f"{module.__name__.split('.')[1]}.{key}")


def models(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """A configuration and every part that it may be built of."""
    yield prefix or model.__name__, model
    for key, field in model.model_fields.items():
        if key != "parent":
            parts = {**variants(field.annotation), **combination(field.annotation)}
            plain = [m for m in members(field.annotation) if is_model(m) and m not in parts.values()]
            for part in [*parts.values(), *plain]:
                yield from models(part, f"{prefix}{key}.")


WITHOUT_EXTRAS = """
import sys
from pathlib import Path
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[2:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from lineshaft.engine.claims.ledger import rows
print(*(row.id for row in rows(Path(sys.argv[1]))))
"""
EXTRAS = ("numba", "llvmlite", "implicit", "sklearn", "threadpoolctl", "PIL", "lark", "wandb", "tensorboard")


def test_the_ledger_is_complete_where_no_extra_is_installed(tmp_path):
    command = [sys.executable, "-c", WITHOUT_EXTRAS, str(tmp_path), *EXTRAS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert {row.partition(".")[0] for row in done.stdout.split()} == {*SYSTEMS, "engine"}


def test_four_systems_are_there():
    assert SYSTEMS == ["continual", "dialogue", "plasma", "recommend"]


def test_it_says_what_it_computes(experiment):
    doc = experiment.config.__doc__ or ""
    assert len(doc.split()) >= 10 and doc != Config.__doc__


def test_every_parameter_says_what_it_is(experiment):
    for where, model in models(experiment.config):
        for key, field in model.model_fields.items():
            assert field.description or key == "name", f"{where}{key} has no description"


def test_the_defaults_are_a_run(experiment):
    config = experiment.config()
    assert words(config) == ["seed=0"]
    assert name(config) == (f"v{config.version},seed=0" if config.version > 1 else "seed=0")
    assert json.loads(json.dumps(as_json(config))) == as_json(config)
    assert experiment.config.model_validate(as_json(config)) == config
    assert address_of(config) == experiment.address


def test_version_and_objective_are_what_the_engine_expects(experiment):
    config = experiment.config
    assert isinstance(config.version, int) and config.version >= 1
    assert config.objective is None or (
        isinstance(config.objective[0], str) and config.objective[1] in ("max", "min")
    )


def test_the_objective_is_no_test_metric(experiment):
    assert experiment.config.objective is None or "test" not in experiment.config.objective[0]


def changed(model: type[Config]) -> Iterator[list[str]]:
    """Words that change one parameter each: choices to every variant, numbers a little."""
    for key, field in model.model_fields.items():
        choices = [
            *variants(field.annotation),
            *(v for v in get_args(field.annotation) if isinstance(v, str)),
        ]
        if key in ("seed", "parent"):
            continue
        if choices:
            yield from ([f"{key}={choice}"] for choice in choices)
        elif isinstance(field.default, bool):
            yield [f"{key}={json.dumps(not field.default)}"]


def test_words_round_trip_and_name_the_run(experiment):
    cells = [grid(experiment.config, [*w, "seed=7"])[0] for w in changed(experiment.config)]
    for config in [experiment.config(seed=7), *cells]:
        assert grid(experiment.config, words(config)) == [config]
        assert len(name(config).encode()) <= MOST_BYTES and "/" not in name(config)
    assert len({name(config) for config in cells}) == len({config.model_dump_json() for config in cells})


@pytest.mark.parametrize("table", list(tables()))
def test_a_table_is_a_list_of_runs_each_once(table):
    rows = table()
    assert rows and all(isinstance(row, Config) for row in rows)
    assert all(table.__module__.split(".")[1] == address_of(row).partition(".")[0] for row in rows)
    assert len({(address_of(row), name(row)) for row in rows}) == len(rows)
    for row in rows:
        assert grid(type(row), words(row)) == [row]
    assert table.__doc__, "a table says what it compares"


def test_data_sets_say_where_they_come_from():
    for module in modules("data"):
        for dataset in module.DATASETS:
            assert dataset.source and dataset.licence and dataset.files
            assert all(len(sum_) == 64 for sum_ in dataset.files.values())
            assert dataset.urls.keys() <= dataset.files.keys()


def test_figures_draw_what_a_run_left(experiment, tmp_path):
    """The embedded demo of each experiment, run once: finite numbers, and pictures that can be drawn."""
    from lineshaft.engine.run.execute import execute

    folder, state = execute(experiment.address, experiment.config(), tmp_path)
    assert state == "done", folder.error()
    result = folder.result()
    assert result and all(math.isfinite(value) for value in result.values())
    assert experiment.config.objective is None or experiment.config.objective[0] in result
    for figure in experiment.figures(folder.dir) if experiment.figures else ():
        assert figure.title and figure.plot.axes
