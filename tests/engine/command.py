"""The command line in a process of its own that has torch already: tests call it hundreds of times."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lineshaft.engine.launch.child import without_main

PRELOAD = [
    "torch",
    "torch._dynamo",
    "torch.distributed",
    "lineshaft.engine.launch.child",
    "lineshaft.cli.app",
    "lineshaft.engine.report.page",
]


def command(
    words: Sequence[str],
    cwd: Path,
    timeout: float = 120,
    environment: Mapping[str, str] | None = None,
    mortal: bool = False,
) -> subprocess.CompletedProcess[str]:
    """`lineshaft WORDS`, forked from a process that has imported what it needs; `mortal`: see `be_mortal`."""
    multiprocessing.set_forkserver_preload(PRELOAD)
    with tempfile.TemporaryDirectory() as home:
        files = [str(Path(home) / name) for name in ("out", "err")]
        given = (
            list(words),
            str(cwd),
            files,
            dict(os.environ if environment is None else environment),
            mortal,
        )
        with without_main():
            process = multiprocessing.get_context("forkserver").Process(target=give, args=given)
            process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(words), timeout)
        out, err = (Path(file).read_text() for file in files)
        return subprocess.CompletedProcess(list(words), process.exitcode, out, err)


def be_mortal() -> None:
    """Take from root, who may read everything, the rights that others do not have; from its children too."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, rights = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, rights)
    for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, right, 0, 0, 0)  # PR_CAPBSET_DROP
        rights[0] &= ~(1 << right)
        rights[1] &= ~(1 << right)
    if libc.capset(header, rights):
        raise OSError(ctypes.get_errno(), "capset")


def give(words: list[str], cwd: str, files: Sequence[str], environment: dict[str, str], mortal: bool) -> None:
    """What the process does: as a shell starts it, with its own folder, environment and files."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["lineshaft", *words]
    sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    for descriptor, file in enumerate(files, 1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    if mortal:
        be_mortal()
    multiprocessing.process._parent_process = None  # a command that a person gives has none
    multiprocessing.set_start_method(None, force=True)  # nor a start method that was chosen for it
    from lineshaft.cli import main
    from lineshaft.engine.launch.child import wind_up

    try:
        main()
    finally:
        wind_up()
