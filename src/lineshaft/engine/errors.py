"""The two ways a request ends without a run being at fault."""

from collections.abc import Iterable


class RequestError(Exception):
    """The request is wrong; nothing was made. The message names the value and the way out (exit code 2)."""


class Busy(Exception):
    """Another process holds the run's lock; it is doing this very work."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "run"), counted(2000, "run"), counted(0, "child", "children")
    ('1 run', '2,000 runs', '0 children')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where some known word is close, else the known words.

    >>> nearest("lrr", ["lr", "epochs"])
    '; did you mean lr?'
    """
    from difflib import get_close_matches

    options = sorted(known)
    lower = {o.lower(): o for o in options}
    close = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {lower[close[0]]}?"
    return f"; known: {', '.join(options[:20])}" if options else ""
