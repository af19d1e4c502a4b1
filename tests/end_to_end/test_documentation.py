"""The documentation is executed: files written where it says, commands given as it spells them."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import command

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINESHAFT = [sys.executable, "-c", "from lineshaft.cli import main; main()"]
ADDING = (ROOT / "docs/adding-a-system.md").read_text()


def files(text: str) -> dict[str, str]:
    """Blocks that begin with `# path/of/file`, by that path."""
    bodies = [body for language, body in BLOCK.findall(text) if language in ("python", "toml")]
    named = [body.split("\n", 1) for body in bodies if re.match(r"# [\w/.]+\n", body)]
    return {first[2:]: rest for first, rest in named}


def commands(text: str) -> list[list[str]]:
    bodies = [body for language, body in BLOCK.findall(text) if language == "console"]
    return [line[2:].split() for body in bodies for line in body.splitlines() if line.startswith("$ ")]


def sections(text: str) -> list[str]:
    return text.split("\n## ")[1:]


def give(words: list[str], folder: Path, path: Path | None = None) -> str:
    """One command of the page, which must succeed."""
    assert words[0] == "lineshaft"
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    if path and (path / "lineshaft").exists():
        whole = [*LINESHAFT, *words[1:]]
        done = subprocess.run(whole, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    else:
        done = command(words[1:], folder, 240, environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_plain_file(tmp_path):
    (tmp_path / "mine.py").write_text(files(ADDING)["mine.py"])
    said = [give(words, tmp_path) for words in commands(sections(ADDING)[0])]
    assert "val/error" in said[2]
    page = Path(said[-1].splitlines()[-1]).read_text()
    assert "The last round" in page and "could not be drawn" not in page


def test_an_entry_point_of_another_package(tmp_path):
    site = tmp_path / "site"
    project = tomllib.loads(files(ADDING)["orchard/pyproject.toml"])["project"]
    (site / "orchard").mkdir(parents=True)
    (site / "orchard/__init__.py").write_text('"""Another package."""\n')
    (site / "orchard/darts.py").write_text(files(ADDING)["mine.py"])
    info = site / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    for group, points in project["entry-points"].items():
        text = "".join(f"{name} = {value}\n" for name, value in points.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{text}")
    said = [give(words, tmp_path, site) for words in commands(sections(ADDING)[1])]
    assert "darts a round" in said[0] and said[-1].count("done") == 3


def test_a_system_of_this_repository(tmp_path):
    """A copy of the package with the folder of the example beside the other systems."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    home = tmp_path / "src/lineshaft/orchard"
    (home / "experiments").mkdir(parents=True)
    (home / "__init__.py").write_text('"""Darts in an orchard."""\n')
    (home / "experiments/__init__.py").write_text('"""What can be run."""\n')
    (home / "experiments/darts.py").write_text(files(ADDING)["mine.py"])
    for path, body in files(ADDING).items():
        if path.startswith("src/"):
            (tmp_path / path).write_text(body)
    said = [give(words, tmp_path, tmp_path / "src") for words in commands(sections(ADDING)[2])]
    assert '"id": "orchard.darts"' in said[1] and '"verdict": "reproduced"' in said[1]
    assert "The last round" in Path(said[2].splitlines()[-1]).read_text()


def examples() -> Iterator[tuple[str, list[str]]]:
    """Every `lineshaft ...` line in a block of any page, with the page's name."""
    for page in PAGES:
        for line in page.read_text().splitlines():
            found = re.match(r"^(?: {4}|\$ )lineshaft (.+)$", line)
            if found:
                yield page.name, found[1].partition("  #")[0].split()


def test_every_verb_and_option_of_an_example_exists():
    import typer.main

    from lineshaft.cli.app import app

    verbs = typer.main.get_command(app).commands
    said = list(examples())
    assert len(said) > 20
    for page, (verb, *words) in said:
        assert verb in verbs, f"{page}: {verb}"
        options = {name for p in verbs[verb].params for name in (*p.opts, *p.secondary_opts)} | {"--help"}
        unknown = [w for w in words if re.match(r"--?[a-z]", w) and w.partition("=")[0] not in options]
        assert not unknown, f"{page}: lineshaft {verb} {' '.join(unknown)}"


def test_every_verb_is_on_the_page_of_the_engine():
    import typer.main

    from lineshaft.cli.app import app

    text = (ROOT / "docs/engine.md").read_text()
    for verb in typer.main.get_command(app).commands:
        assert f"lineshaft {verb}" in text, verb


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "CONTRIBUTING.md"])
def test_paths_in_the_prose_exist(page):
    found = re.findall(
        r"`((?:src|docs|tests|examples|benchmarks|tools|\.github|\.ci)/[\w/.-]+)`", (ROOT / page).read_text()
    )
    assert found
    assert not [path for path in found if not (ROOT / path).exists()]


def tree(text: str) -> set[str]:
    """The folders that the tree in README names, as paths."""
    found, above = set(), []
    for line in text.split("## The tree\n")[1].split("\n## ")[0].splitlines():
        if not (match := re.match(r"^( {4}(?: {2})*)([\w/]+/)(.*)$", line)):
            continue
        depth = (len(match[1]) - 4) // 2
        path = "".join([*above[:depth], match[2]])
        above[depth:] = [match[2]]
        inner = re.findall(r"(?<![\w/])(\w+/)", match[3]) if path.startswith("src/") else []
        found |= {path, *(path + name for name in inner)}
    return found


def test_the_tree_in_the_readme_is_true():
    named = tree((ROOT / "README.md").read_text())
    assert not {path for path in named if not (ROOT / path).is_dir()}
    rooms = {p.parent for p in (ROOT / "src/lineshaft").glob("*/*/__init__.py")}
    assert not {r for r in rooms if f"{r.relative_to(ROOT)}/" not in named and r.parts[-2] == "engine"}


def test_the_first_screen_runs(tmp_path):
    """The commands of README's first example, with fewer values."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shown = [words for page, words in examples() if page == "README.md" and "spiral" in " ".join(words)]
    assert [words[0] for words in shown] == ["sweep", "summary"]
    fewer = [w.strip('"').replace("0..4", "0,1").replace("log(1e-3,10,5)", "0.1,1") for w in shown[0]]
    give(["lineshaft", *fewer], tmp_path)
    assert re.match(r"width +lr +val/accuracy +n\n", give(["lineshaft", *shown[1]], tmp_path))


def test_the_first_screen_quotes_the_runs_that_are_kept():
    """`lineshaft summary spiral --tune lr` of the fifty runs in docs/results."""
    said = give(
        ["lineshaft", "summary", "spiral", "--tune", "lr", "--runs", str(ROOT / "docs/results")], ROOT
    )
    (quoted,) = re.findall(r"```text\n(width.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert quoted.strip() in said


def test_the_picture_is_that_of_the_code():
    """Verbs, folders and files as they are; the numbers of imports may be those of the day it was drawn."""
    from tools.house import picture

    kept = (ROOT / "docs/architecture.svg").read_text()
    assert re.sub(r"\d+ imports", "", kept) == re.sub(r"\d+ imports", "", picture()), (
        "draw it again: python -m tools.house docs/architecture.svg"
    )


def test_the_changelog_knows_the_version():
    assert f"## {importlib.metadata.version('lineshaft')}" in (ROOT / "CHANGELOG.md").read_text()
