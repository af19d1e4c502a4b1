"""The house as a picture, drawn from its own folders: `python -m tools.house docs/architecture.svg`."""

import ast
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from lineshaft.engine.claims.ledger import place
from lineshaft.engine.run.store import write

ROOT = Path(__file__).parents[1] / "src/lineshaft"
WIDTH, MARGIN, GAP = 1000, 24, 16
LETTER, LINE = 7.2, 19
CLI_TOP, SYSTEMS_TOP, SYSTEM_HEIGHT, SHAFT, ENGINE_TOP = 20, 138, 258, 454, 494
STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 13px }
text { fill: #20242a }
.mono { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px }
.title { font-size: 17px; font-weight: 600 } .quiet { fill: #636b75 } .key { fill: #2c5f8a }
.paper { fill: #fcfbf9 } .box { fill: #ffffff; stroke: #d9d4cb }
.shaft { stroke: #2c5f8a; stroke-width: 7; fill: none; stroke-linejoin: round }
.wheel { fill: #fcfbf9; stroke: #2c5f8a; stroke-width: 2.5 }
.belt { stroke: #8a9aa8; stroke-width: 1.6; fill: none }
.name { stroke: #8a9aa8; stroke-width: 1.4; stroke-dasharray: 3 5; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #dde1e6 } .quiet { fill: #98a1ac } .key { fill: #83b4e0 }
  .paper { fill: #15181c } .box { fill: #1c2026; stroke: #39404a }
  .shaft, .wheel { stroke: #83b4e0 } .wheel { fill: #15181c }
  .belt, .name { stroke: #66727e }
}
"""


@dataclass(frozen=True)
class Package:
    """A folder: its docstring, its experiments, its other nouns, how often it imports the engine."""

    name: str
    about: str
    experiments: list[str]
    nouns: list[str]
    imports: int


def package(name: str) -> Package:
    home = ROOT / name
    modules = [p.stem for p in home.glob("*.py") if not p.stem.startswith("_")]
    folders = [p.parent.name for p in home.glob("*/__init__.py")]
    nouns = sorted({*modules, *folders} - {"experiments", "peers"})
    about = (ast.get_docstring(ast.parse((home / "__init__.py").read_text())) or "").split("\n")[0]
    experiments = sorted(p.stem for p in home.glob("experiments/*.py") if p.stem != "__init__")
    imports = sum(
        found.startswith("lineshaft.engine") for file in home.rglob("*.py") for found in imported(file)
    )
    return Package(name, about, experiments, nouns, imports)


def imported(file: Path) -> Iterable[str]:
    """The modules a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def systems() -> list[Package]:
    """Every folder with experiments, in the order of the ledger."""
    return [package(name) for name in sorted((p.parent.name for p in ROOT.glob("*/experiments")), key=place)]


def verbs() -> list[str]:
    """What `cli/app.py` registers: the last word of each `verb(file.verb)`."""
    calls = [n for n in ast.walk(ast.parse((ROOT / "cli/app.py").read_text())) if isinstance(n, ast.Call)]
    registering = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "verb"]
    return [a.attr for c in registering for a in c.args if isinstance(a, ast.Attribute)]


def picture() -> str:
    """The whole drawing as SVG that follows the reader's light or dark scheme."""
    engine, parts = package("engine"), systems()
    nouns = lines(engine.nouns, WIDTH - 2 * MARGIN - 32)
    height = ENGINE_TOP + 66 + LINE * len(nouns) + MARGIN
    width = (WIDTH - 2 * MARGIN - GAP * (len(parts) - 1)) / len(parts)
    lefts = [MARGIN + i * (width + GAP) for i in range(len(parts))]
    body = [f'<rect class="paper" width="{WIDTH}" height="{height}"/>', *command_line()]
    for left, part in zip(lefts, parts):
        body += [*belt(left + width / 2, part.imports), *system(left, width, part)]
    body += [*shaft([left + width / 2 for left in lefts]), *engine_box(engine, nouns, height)]
    title = "The command line on four systems on one engine"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{title}</title><style>{STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def command_line() -> list[str]:
    said = lines(verbs(), WIDTH - 2 * MARGIN - 160)
    return [
        box(MARGIN, CLI_TOP, WIDTH - 2 * MARGIN, 78),
        text(MARGIN + 16, CLI_TOP + 32, "lineshaft", "title mono key"),
        text(MARGIN + 16, CLI_TOP + 56, "the command line", "quiet"),
        *(text(MARGIN + 150, CLI_TOP + 32 + LINE * i, line, "mono") for i, line in enumerate(said)),
    ]


def system(left: float, width: float, part: Package) -> list[str]:
    """A box: what the system is, what can be run, what else it holds; known to the command line by name."""
    about = textwrap.wrap(part.about, int((width - 28) / 7.4))
    nouns = lines([n for n in part.nouns if n not in ("claims", "tables", "bench")], width - 28)
    run = ", ".join(f"{part.name}.{name}" for name in part.experiments)
    return [
        f'<path class="name" d="M{left + width / 2} {CLI_TOP + 78}V{SYSTEMS_TOP}"/>',
        text(left + width / 2 + 12, SYSTEMS_TOP - 16, "by name", "quiet"),
        box(left, SYSTEMS_TOP, width, SYSTEM_HEIGHT),
        text(left + 14, SYSTEMS_TOP + 28, part.name, "title"),
        *(text(left + 14, SYSTEMS_TOP + 50 + 17 * i, line, "quiet") for i, line in enumerate(about)),
        text(left + 14, SYSTEMS_TOP + 146, run, "mono key"),
        *(text(left + 14, SYSTEMS_TOP + 172 + 18 * i, line, "mono") for i, line in enumerate(nouns)),
    ]


def belt(x: float, imports: int) -> list[str]:
    """From a system down to its wheel on the shaft; the number is that of its imports from the engine."""
    bottom = SYSTEMS_TOP + SYSTEM_HEIGHT
    return [
        f'<path class="belt" d="M{x - 13} {bottom}V{SHAFT}M{x + 13} {bottom}V{SHAFT}"/>',
        text(x + 24, bottom + 28, f"{imports} imports", "quiet"),
    ]


def shaft(wheels: Sequence[float]) -> list[str]:
    return [
        f'<path class="shaft" d="M{MARGIN + 36} {ENGINE_TOP}V{SHAFT}H{WIDTH - MARGIN - 36}V{ENGINE_TOP}"/>',
        *(f'<circle class="wheel" cx="{x}" cy="{SHAFT}" r="13"/>' for x in wheels),
        *(f'<circle class="wheel" cx="{x}" cy="{SHAFT}" r="2"/>' for x in wheels),
    ]


def engine_box(engine: Package, nouns: Sequence[str], height: int) -> list[str]:
    return [
        box(MARGIN, ENGINE_TOP, WIDTH - 2 * MARGIN, height - ENGINE_TOP - MARGIN),
        text(MARGIN + 16, ENGINE_TOP + 30, "engine", "title"),
        text(MARGIN + 90, ENGINE_TOP + 30, engine.about, "quiet"),
        *(text(MARGIN + 16, ENGINE_TOP + 58 + LINE * i, line, "mono") for i, line in enumerate(nouns)),
    ]


def lines(words: Sequence[str], width: float) -> list[str]:
    """Words in rows that fit a width, in letters of a fixed one."""
    spaced = " ".join(words)
    return [line.replace(" ", "  ") for line in textwrap.wrap(spaced, int(width / (LETTER * 1.17)))]


def box(left: float, top: float, width: float, height: float) -> str:
    return f'<rect class="box" x="{left}" y="{top}" width="{width}" height="{height}" rx="8"/>'


def text(x: float, y: float, content: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" class="{style}" xml:space="preserve">{escape(content)}</text>'


if __name__ == "__main__":
    write(Path(sys.argv[1]), picture())
