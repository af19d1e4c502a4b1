"""`python -m lineshaft.engine SYSTEM.EXPERIMENT key=value ...`: runs with torch, numpy and pydantic alone."""

import os
import sys
from pathlib import Path

from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options, cores, set_threads
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.grid import grid
from lineshaft.engine.spec.names import name
from lineshaft.engine.streams import prepare_streams

EXIT = {"done": 0, "failed": 1, "paused": 130}


def main(words: list[str]) -> int:
    """Each cell of the grid in turn, in this process; the exit code of the last that was not done."""
    if not words or words[0].startswith("-"):
        print("usage: python -m lineshaft.engine SYSTEM.EXPERIMENT key=value ...", file=sys.stderr)
        return 2
    try:
        return compute(words, Path(os.environ.get("LINESHAFT_RUNS") or "runs"))
    except (RequestError, Busy) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def compute(words: list[str], runs: Path) -> int:
    """The cells one after the other; whoever pauses one wants the process to end."""
    code, options = 0, Options(threads=threads())
    set_threads(options.threads)
    experiment = find(words[0])
    for config in grid(experiment.config, words[1:]):
        try:
            folder, state = execute(words[0], config, runs, options)
        except (RequestError, Busy) as error:
            print(f"refused: {experiment.name}/{name(config)}: {error}", file=sys.stderr, flush=True)
            code = 2
            continue
        print(f"{state:8}{folder.id}", file=sys.stderr, flush=True)
        code = EXIT[state] or code
        if state == "paused":
            break
    return code


def threads() -> int:
    """$LINESHAFT_THREADS, else all cores."""
    text = os.environ.get("LINESHAFT_THREADS") or str(cores())
    if not text.isdecimal() or int(text) < 1:
        raise RequestError(f"LINESHAFT_THREADS={text[:40]} is not a number of threads")
    return int(text)


if __name__ == "__main__":
    prepare_streams()
    sys.exit(main(sys.argv[1:]))
