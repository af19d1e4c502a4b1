"""The command line: it knows the engine and, by name only, the systems."""

import sys
from difflib import get_close_matches
from pathlib import Path

from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.streams import drop_output, prepare_streams

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def main() -> None:
    """Entry point of `lineshaft`; every foreseen error is one screen of text, never a traceback."""
    prepare_streams()
    try:
        code = answer(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        code = DONE
    sys.exit(code)


def answer(words: list[str]) -> int:
    """Do what the words ask for; the exit code."""
    from lineshaft.cli.app import app

    try:
        Path.cwd()
    except FileNotFoundError:
        return wrong("the current folder was removed: change to another one")
    try:
        return app(spread(words), standalone_mode=False) or DONE
    except (RequestError, Busy) as error:
        return wrong(str(error))
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # typer would end with exit code 1
            raise error.__context__ from None
        raise
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.filename is None:
            raise
        return wrong(f"{error.filename}: {error.strerror}")
    except Exception as error:
        if not hasattr(error, "exit_code"):
            raise
        if (word := as_word(error)) is not None:
            return wrong(word)
        if hasattr(error, "show"):
            error.show()
        return int(error.exit_code)


def wrong(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return WRONG


def as_word(error: Exception) -> str | None:
    """What to write for an option that was meant as a parameter: `--lr 0.1` or `--lr=0.1`."""
    option, verb = getattr(error, "option_name", ""), sys.argv[1:2]
    if verb not in (["run"], ["sweep"], ["relaunch"]) or not option.startswith("--"):
        return None
    if get_close_matches(option, getattr(error, "possibilities", None) or [], cutoff=0.75):
        return None
    key, given = (
        option[2:].replace("-", "_"),
        [w for w in sys.argv if w == option or w.startswith(f"{option}=")],
    )
    after = sys.argv[sys.argv.index(given[0]) + 1 :] if given else []
    value = given[0].partition("=")[2] if given and "=" in given[0] else (after or ["..."])[0]
    return f"no option {option}; a parameter is written without dashes: write {key}={value}"


def spread(words: list[str]) -> list[str]:
    """`--slurm partition=main time=10`: every word up to the next option is a setting.

    An empty setting stands for the option itself: `--slurm` alone submits as well, with the site's defaults.
    """
    spread, taking = [], False
    for word in words:
        taking = word == "--slurm" or (taking and not word.startswith("-"))
        spread += ["--slurm", "" if word == "--slurm" else word] if taking else [word]
    return spread
