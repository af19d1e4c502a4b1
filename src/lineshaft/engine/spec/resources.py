"""Files other than Python that a source names beside itself: word lists, templates, settings.

    HERE = Path(__file__).parent
    WORDS = json.loads((HERE / "words.json").read_text())
    PAGE = files(__package__) / "page.html"              # importlib.resources

Found are paths below the project that an expression with `__file__` or `files(...)` spells out, also through
a name such as HERE, and all files of a folder named so; where the last part is computed, all that lie beside
the source. What is read from the working directory or from elsewhere is data: `run.data` keeps its checksums.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 5_000_000
MOST_FILES = 500
JOINING = ("join", "joinpath", "with_name")


def resources(tree: ast.Module, file: Path, root: Path) -> list[Path]:
    """The files that the source `file` names, below `root` and of at most MOST_BYTES each."""
    anchors = anchored(tree)
    folders = [folder for folder in file.parents if folder.is_relative_to(root)]
    places = list(outermost(tree, anchors))
    named = {path for node in places for text in texts(node) for path in lying(text, folders)}
    if any(is_computed(node, anchors) for node in places):
        named |= {path for path in file.parent.iterdir() if path.is_file()}
    return sorted(path for each in named for path in files_of(each) if is_resource(path))


def anchored(tree: ast.Module) -> set[str]:
    """Names that stand for a place beside the source: `__file__`, `files`, and what is assigned from them."""
    anchors = {"__file__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "importlib.resources":
            anchors |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign) and mentions(node.value, anchors):
            anchors |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return anchors


def mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(node))


def outermost(node: ast.AST, anchors: set[str]) -> Iterator[ast.AST]:
    """The largest expressions that mention an anchor, each a path or what is read from one."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.BinOp | ast.Call) and mentions(child, anchors):
            yield child
        else:
            yield from outermost(child, anchors)


def is_computed(node: ast.AST, anchors: set[str]) -> bool:
    """Whether a place beside the source is joined with a name that only running the code would tell."""
    for each in ast.walk(node):
        if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Div) and mentions(each.left, anchors):
            joined = [each.right]
        elif isinstance(each, ast.Call) and called(each.func) in JOINING and mentions(each, anchors):
            joined = [part for part in each.args if not mentions(part, anchors)]
        else:
            continue
        if any(not isinstance(part, ast.Constant) for part in joined):
            return True
    return False


def called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def texts(node: ast.AST) -> Iterator[str]:
    """Each text in an expression, and those that follow each other joined: `HERE / "data" / "words.json"`."""
    found = [each.value for each in in_order(node) if isinstance(each.value, str) and each.value]
    for start in range(len(found)):
        for end in range(start + 1, len(found) + 1):
            yield "/".join(found[start:end])


def in_order(node: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Constant):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from in_order(child)


def lying(text: str, folders: list[Path]) -> Iterator[Path]:
    """What has this path, seen from the source's folder or from one above it."""
    if text.startswith(("/", ".")) or len(text) > 200 or "\0" in text:
        return
    for folder in folders:
        if (folder / text).exists():
            yield folder / text
            return


def files_of(path: Path) -> list[Path]:
    """The file, or those of a folder; none where it has too many to be the source's own."""
    if path.is_file():
        return [path]
    found = []
    for each in path.rglob("*"):
        if each.is_file():
            found.append(each)
        if len(found) > MOST_FILES:
            return []
    return found


def is_resource(path: Path) -> bool:
    if path.suffix in (".py", ".pyc") or any(part.startswith(".") for part in path.parts[-2:]):
        return False
    try:
        return path.stat().st_size <= MOST_BYTES
    except OSError:
        return False
