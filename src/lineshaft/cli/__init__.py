"""The command line: it knows the engine and, by name only, the systems."""

import sys

from lineshaft.engine.errors import Busy, RequestError

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def main() -> None:
    """Entry point of `lineshaft`; every foreseen error is one screen of text, never a traceback."""
    from lineshaft.cli.app import app

    try:
        code = app(standalone_mode=False)
    except (RequestError, Busy) as error:
        print(f"error: {error}", file=sys.stderr)
        code = WRONG
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = DONE
    except Exception as error:
        if not hasattr(error, "exit_code"):
            raise
        if hasattr(error, "show"):
            error.show()
        code = error.exit_code
    sys.exit(code or DONE)
