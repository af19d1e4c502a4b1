"""Which code computes a run, and which computed what it goes on from."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.checkpoint import Checkpoints
from lineshaft.engine.run.description import description
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.store import Folder, folders, storage_error
from lineshaft.engine.spec.code import Code, held
from lineshaft.engine.spec.experiment import Experiment
from lineshaft.engine.spec.frozen import HOME, Kept, keep, relative


def code_of_launch(experiment: Experiment, options: Options) -> Code:
    """What the launcher found, whatever the files hold now; else what this process imported."""
    kept = options.kept
    return kept.code() if kept is not None and kept.is_of(experiment.module) else experiment.code


def earlier_codes(folder: Folder) -> list[str]:
    """The codes that computed what a run goes on from, oldest first; none where it starts anew."""
    if Checkpoints(folder.dir / "checkpoints").step() < 0:
        return []
    codes = description(folder).get("codes")
    return [str(code) for code in codes] if isinstance(codes, list) else []


def change_of_code(folder: Folder, code: Code) -> str:
    """What to say where a run goes on with other code than it was computed with; else an empty text."""
    codes = earlier_codes(folder)
    if not codes or codes[-1] == code.hash:
        return ""
    return f"{named(changed_files(folder, codes[-1], code))} changed since this run was computed so far"


def refuse_change(folder: Folder, code: Code) -> None:
    """What --strict asks for."""
    if change := change_of_code(folder, code):
        raise RequestError(
            f"{folder.id}: {change}; without --strict it goes on and is marked, "
            "or remove the run to compute it anew"
        )


def changed_files(folder: Folder, before: str, code: Code) -> list[str]:
    """The files in which a code differs from an earlier one, as far as that was kept."""
    home = folder.dir.parents[1] / HOME / before
    if not home.is_dir():
        return []
    now = {relative(name, file): content for (name, file), content in zip(code.files, code.contents)}
    files = [file for file in home.rglob("*") if file.is_file() and not is_hidden(file.relative_to(home))]
    old: dict[Path, bytes | None] = {file.relative_to(home): held(file) for file in files}
    return sorted(str(file) for file in now.keys() | old.keys() if now.get(file) != old.get(file))


def named(files: list[str]) -> str:
    return ", ".join(files[:5]) or "the code"


@contextmanager
def keeping(code: Code, home: Path, mine: Path | None = None) -> Iterator[Kept]:
    """The code kept for the runs of an experiment, whose folders lie in `home`.

    It is taken away again where the request proves wrong, unless it was there before or another run needs it;
    `mine` is the run whose request this is.
    """
    shared = home.parent / HOME
    missing = [path for path in (shared / code.hash, shared, home, home.parent) if not path.exists()]
    try:
        try:
            kept = keep(code, home.parent)
        except OSError as error:
            raise storage_error(shared, error) from None
        yield kept
    except RequestError:
        if shared / code.hash in missing and not any(needs(folder, code, mine) for folder in runs_in(home)):
            shutil.rmtree(shared / code.hash, ignore_errors=True)
        for path in missing:
            with suppress(OSError):
                path.rmdir()
        raise


def runs_in(home: Path) -> Iterator[Folder]:
    """The runs of one experiment."""
    return folders(home.parent, home.name)


def needs(folder: Folder, code: Code, mine: Path | None) -> bool:
    """Whether a run was or may still be computed with the code; one that is about to be removed is not."""
    if folder.dir == mine and folder.state_unlocked() == "new":
        return False
    codes = description(folder).get("codes")
    return not isinstance(codes, list) or not codes or code.hash in codes


def is_hidden(path: Path) -> bool:
    """Whether it is not a copy: a folder of stand-ins, or bytecode."""
    return any(part.startswith((".", "__pycache__")) for part in path.parts)


def refuse_edited(options: Options) -> None:
    """Refuse to compute where a file that runs read on the disk is not the one of the launch any more."""
    if options.kept is not None and (files := options.kept.edited()):
        raise RequestError(
            f"{named(files)} changed since this sweep began, and runs read such files where they lie; "
            "give the same command again"
        )
