"""The command line: it knows the engine and, by name only, the systems."""

import sys

from lineshaft.engine.errors import Busy, RequestError

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def main() -> None:
    """Entry point of `lineshaft`; every foreseen error is one screen of text, never a traceback."""
    try:
        from lineshaft.cli.app import app

        code = app(spread(sys.argv[1:]), standalone_mode=False)
    except (RequestError, Busy) as error:
        print(f"error: {error}", file=sys.stderr)
        code = WRONG
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = DONE
    except OSError as error:
        if error.filename is None:
            raise
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        code = WRONG
    except Exception as error:
        if not hasattr(error, "exit_code"):
            raise
        if hasattr(error, "show"):
            error.show()
        code = error.exit_code
    sys.exit(code or DONE)


def spread(words: list[str]) -> list[str]:
    """`--slurm partition=main time=10`: every word up to the next option is a setting.

    An empty setting stands for the option itself: `--slurm` alone submits as well, with the site's defaults.
    """
    spread, taking = [], False
    for word in words:
        taking = word == "--slurm" or (taking and not word.startswith("-"))
        spread += ["--slurm", "" if word == "--slurm" else word] if taking else [word]
    return spread
