"""`python -m lineshaft.engine SYSTEM.EXPERIMENT key=value ...`: runs with torch, numpy and pydantic alone."""

import os
import sys
from pathlib import Path

from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.execute import execute
from lineshaft.engine.experiment import find
from lineshaft.engine.grid import grid
from lineshaft.engine.options import Options, cores, set_threads

EXIT = {"done": 0, "failed": 1, "paused": 130}


def main(words: list[str]) -> int:
    """Each cell of the grid in turn, in this process; the exit code of the last that was not done."""
    if not words or words[0].startswith("-"):
        print("usage: python -m lineshaft.engine SYSTEM.EXPERIMENT key=value ...", file=sys.stderr)
        return 2
    code, runs = 0, Path(os.environ.get("LINESHAFT_RUNS", "runs"))
    options = Options(threads=int(os.environ.get("LINESHAFT_THREADS", cores())))
    set_threads(options.threads)
    try:
        for config in grid(find(words[0]).config, words[1:]):
            folder, state = execute(words[0], config, runs, options)
            print(f"{state:8}{folder.id}", file=sys.stderr, flush=True)
            code = EXIT[state] or code
    except (RequestError, Busy) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
