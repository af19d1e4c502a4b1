"""Best checkpoints started again: which runs, with which parameters, from which state."""

import pytest
from finished import NAN, V2, WALK, finished, grid_of, redescribe, toy_with

from lineshaft.engine import Options, RequestError
from lineshaft.engine.keep.relaunch import children, choose
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import Folder, remove
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.names import name
from lineshaft.engine.table.family import Family
from lineshaft.engine.table.portrait import portrait
from lineshaft.engine.table.read import rows

PROBE = WALK.with_name("probe.py")
ALWAYS = Options(checkpoint_every=0)


def walked(runs, **values):
    return execute(str(WALK), find(str(WALK)).config(**values), runs, ALWAYS)[0]


def with_checkpoints(runs):
    """Stand-ins: choosing looks only whether there is a checkpoint."""
    for row in rows(runs):
        (row.folder.dir / "checkpoints").mkdir()
        (row.folder.dir / "checkpoints" / "best.pt").write_bytes(b"")


def chosen(runs, tune=(), best=False, where=()):
    choice = choose(runs, None, where, tune, best)
    return [(row.values["lr"], row.values["steps"], row.values["seed"]) for row in choice.parents]


def test_best_is_the_best_row_with_all_its_seeds(tmp_path):
    grid_of(tmp_path, {0.1: [1, 2, 3], 0.2: [4, 5, 6], 0.4: [0, 0, 0]})
    finished(tmp_path, 4.5, lr=0.2, steps=9)
    assert chosen(tmp_path, best=True) == [(0.2, 5, 0), (0.2, 5, 1), (0.2, 5, 2)]
    assert chosen(tmp_path, best=True, where=["lr!=0.2"]) == [(0.1, 5, 0), (0.1, 5, 1), (0.1, 5, 2)]
    assert len(chosen(tmp_path)) == 10, "without --best all of them"


def test_tuning_takes_the_best_of_each_group(tmp_path):
    for steps, lr, value in ((3, 0.1, 1), (3, 0.2, 2), (6, 0.1, 4), (6, 0.2, 3)):
        finished(tmp_path, value, lr=lr, steps=steps)
    assert sorted(chosen(tmp_path, tune=["lr"])) == [(0.1, 6, 0), (0.2, 3, 0)]


def test_diverged_and_failed_seeds_are_left_out_and_reported(tmp_path):
    grid_of(tmp_path, {0.1: [4, NAN, 5]})
    finished(tmp_path, state="failed", lr=0.1, seed=3)
    choice = choose(tmp_path, None, (), (), True)
    assert [row.values["seed"] for row in choice.parents] == [0, 2]
    assert choice.notes == ["the only row: 2 of 4 seeds left out (1 failed, 1 diverged)"]


def test_an_edge_is_reported(tmp_path):
    grid_of(tmp_path, {0.1: [1], 0.2: [2]})
    assert choose(tmp_path, None, (), (), True).notes == ["lr=0.2: lr is the least or greatest value tried"]


def test_children_of_the_same_experiment_keep_the_parents_values(tmp_path):
    grid_of(tmp_path, {0.2: [1, 2]})
    with_checkpoints(tmp_path)
    cells = children(choose(tmp_path, None, (), (), True), ["steps=8,9"])
    assert {address for address, _ in cells} == {str(WALK)}
    assert [(c.lr, c.steps, c.seed) for _, c in cells] == [(0.2, 8, 0), (0.2, 9, 0), (0.2, 8, 1), (0.2, 9, 1)]
    assert [c.parent.config["seed"] for _, c in cells] == [0, 0, 1, 1]
    assert len({name(c) for _, c in cells}) == 4
    assert name(cells[0][1]).startswith("parent=walk-")


def test_children_of_another_experiment_take_the_seed_alone(tmp_path):
    grid_of(tmp_path, {0.2: [1, 2]})
    with_checkpoints(tmp_path)
    cells = children(choose(tmp_path, None, (), (), True, str(PROBE)), ["factor=2"])
    assert [(c.factor, c.lr, c.seed) for _, c in cells] == [(2, 7, 0), (2, 7, 1)]
    assert {c.parent.experiment for _, c in cells} == {str(WALK)}
    swept = children(choose(tmp_path, None, (), (), True, str(PROBE)), ["seed=4,5"])
    assert [c.seed for _, c in swept] == [4, 5, 4, 5]


def test_a_child_starts_from_the_best_checkpoint_of_its_parent(tmp_path):
    parent = walked(tmp_path, lr=0.2, steps=4, seed=3)
    ((address, config),) = children(choose(tmp_path, None, (), (), True, str(PROBE)), ["factor=10"])
    child, state = execute(address, config, tmp_path, ALWAYS)
    assert state == "done"
    assert child.result() == {
        "step": 4,
        "place": pytest.approx(10 * parent.result()["val/x"]),
        "relaunched": 1,
        "lr": 7,
    }
    ((address, config),) = children(choose(tmp_path, "walk", (), (), True), ["steps=6"])
    longer, _ = execute(address, config, tmp_path, ALWAYS)
    assert [row["step"] for row in longer.metrics()] == [4, 5]
    assert longer.result()["val/x"] > parent.result()["val/x"]


def test_the_family_is_found_from_files(tmp_path):
    parent = walked(tmp_path, steps=2)
    ((address, config),) = children(choose(tmp_path, None, (), (), True, str(PROBE)), [])
    child, _ = execute(address, config, tmp_path, ALWAYS)
    needy = str(WALK.with_name("needy.py"))
    execute(needy, find(needy).config(data=False), tmp_path, ALWAYS)
    needed = Folder(tmp_path / "walk" / "steps=2,seed=7")
    assert portrait(parent)["children"] == [child.id]
    assert portrait(child)["parents"] == [parent.id]
    assert portrait(needed)["children"] == ["needy/data=false,seed=0"]
    table = rows(tmp_path)
    family = Family(table)
    assert [row.id for row in table if not family.children(row) and not family.parents(row)] == []


def test_only_runs_of_the_version_now_are_started_from(tmp_path):
    runs, new = tmp_path / "runs", toy_with(tmp_path, *V2)
    old = walked(runs, lr=0.2)
    recent = execute(str(new), find(str(new)).config(lr=0.3), runs, ALWAYS)[0]
    redescribe(old, address=str(new))
    choice = choose(runs, None, (), (), True)
    assert [row.id for row in choice.parents] == [recent.id]
    assert choice.notes == ["1 run of another version than 2 left out"]
    assert len(children(choice, [])) == 1
    with pytest.raises(RequestError, match="no run of walk was computed by version 2"):
        choose(runs, None, ["version=1"], (), True)


def test_a_child_belongs_to_the_version_of_its_parent(tmp_path):
    runs, new = tmp_path / "runs", toy_with(tmp_path, *V2)
    old = walked(runs, lr=0.2)
    ((address, config),) = children(choose(runs, None, (), (), True, str(PROBE)), [])
    first, _ = execute(address, config, runs, ALWAYS)
    assert "version" not in config.model_dump()["parent"], "as before versions of parents were told"
    recent, _ = execute(str(new), find(str(new)).config(lr=0.2), runs, ALWAYS)
    ((address, config),) = children(choose(runs, "walk", (), (), True, str(PROBE)), [])
    assert portrait(first)["parents"] == [old.id]
    remove(old)
    second, _ = execute(address, config, runs, ALWAYS)
    assert second.name.startswith("parent=walk-v2-")
    assert config.model_validate(second.config()) == config
    assert portrait(second)["parents"] == [recent.id]


def test_a_moved_file_stays_the_same_experiment(tmp_path, lineshaft):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    for toy in (WALK, PROBE):
        (old / toy.name).write_bytes(toy.read_bytes())
    assert lineshaft("sweep", "old/walk.py", "lr=0.1,0.2", "steps=2").returncode == 0
    words = ("factor=2", "--to")
    assert lineshaft("relaunch", "old/walk.py", "--best", *words, "old/probe.py").returncode == 0
    old.rename(new)
    again = lineshaft("relaunch", "new/walk.py", *words, "new/probe.py")
    assert again.returncode == 0, again.stderr
    assert [row.result["step"] for row in rows(tmp_path / "runs", "probe")] == [2, 2]
    assert "0.2*" in lineshaft("summary", "new/walk.py", "--tune", "lr").stdout
    assert lineshaft("rename", "new/walk.py").returncode == 0


def test_the_place_of_a_parents_file_is_no_part_of_a_name(tmp_path):
    parent = walked(tmp_path, lr=0.2)
    here, away = (
        find(str(PROBE)).config(parent={"experiment": place, "config": parent.config()}, factor=2)
        for place in (str(WALK), "/nowhere/walk.py")
    )
    walks = find(str(WALK)).config
    spelled = (name(walks(text="a/b", parent=config.parent)) for config in (here, away))
    assert len(set(spelled)) == 1
    child, state = execute(str(PROBE), away, tmp_path, ALWAYS)
    assert (state, child.result()["step"]) == ("done", 5), "found beside the child's file"
    assert execute(str(PROBE), here, tmp_path, ALWAYS)[0] == child


@pytest.mark.parametrize("best", [True, False])
@pytest.mark.parametrize("to", [None, str(WALK)])
def test_the_same_command_again_does_what_is_left(tmp_path, best, to):
    for seed in (0, 1):
        walked(tmp_path, steps=2, seed=seed)

    def planned(where=(), word="steps=3"):
        return children(choose(tmp_path, "walk", where, (), best, to), [word])

    cells = planned()
    assert len(cells) == 2
    execute(*cells[0], tmp_path, ALWAYS)
    assert planned() == cells, "interrupted"
    execute(*cells[1], tmp_path, ALWAYS)
    assert planned() == cells
    assert choose(tmp_path, "walk", (), (), best, to).notes == [
        "2 relaunched runs left out; --where parent=walk takes them"
    ]
    grandchildren = planned(["parent.parent=none"], "steps=4")
    assert [c.parent.config["steps"] for _, c in grandchildren] == [3, 3]
    execute(*grandchildren[0], tmp_path, ALWAYS)
    assert planned(["parent.parent=none"], "steps=4") == grandchildren
    with pytest.raises(RequestError, match="all of these runs were relaunched; --where parent=walk"):
        planned(["steps=3"])
    probes = children(choose(tmp_path, "walk", (), (), False, str(PROBE)), [])
    assert len(probes) == 5, "in another experiment nothing starts from its own children"


def test_what_cannot_be_relaunched_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(RequestError, match="no runs below"):
        choose(tmp_path, None, (), (), True)
    finished(tmp_path, state="failed", lr=0.1)
    with pytest.raises(RequestError, match="of 1 run of walk none is done and finite"):
        choose(tmp_path, None, (), (), True)
    folder = finished(tmp_path, 1.0, lr=0.2)
    choice = choose(tmp_path, None, ["lr=0.2"], (), True)
    with pytest.raises(RequestError, match="kept no checkpoint"):
        children(choice, [])
    with_checkpoints(tmp_path)
    with pytest.raises(RequestError, match="unknown key stpes"):
        children(choice, ["stpes=3"])
    folder.dir.rename(folder.dir.with_name("lr=0.3,seed=0"))
    with pytest.raises(RequestError, match=r"would now be called lr=0.2,seed=0.*lineshaft rename"):
        children(choose(tmp_path, None, ["lr=0.2"], (), True), [])
    finished(tmp_path, 1.0, toy=PROBE)
    with pytest.raises(RequestError, match="name one experiment: probe, walk"):
        choose(tmp_path, None, (), (), True)


def test_the_verb_plans_and_launches(tmp_path, lineshaft):
    for seed in (0, 1):
        walked(tmp_path / "runs", steps=2, seed=seed)
        walked(tmp_path / "runs", steps=3, seed=seed)
    plan = lineshaft("relaunch", "walk", "--best", "--to", str(PROBE), "factor=2,3", "--dry-run")
    assert (plan.returncode, plan.stdout.count("probe/parent=walk-")) == (0, 4), plan.stderr
    assert not (tmp_path / "runs" / "probe").exists()
    done = lineshaft("relaunch", "walk", "--best", "--to", str(PROBE), "factor=2,3", "--workers", "2")
    assert done.returncode == 0, done.stderr
    table = rows(tmp_path / "runs", "probe")
    assert sorted((r.values["factor"], r.values["seed"], r.result["step"]) for r in table) == [
        (2, 0, 3),
        (2, 1, 3),
        (3, 0, 3),
        (3, 1, 3),
    ]
