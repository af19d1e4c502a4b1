"""What a worker serves at a moment: an artefact and the owner's block list; both can be exchanged whole."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lineshaft.engine import RequestError
from lineshaft.recommend.site.artefact import Artefact, open_artefact

LOG = logging.getLogger("lineshaft.site")


@dataclass
class Shelf:
    """`find` names the artefact's folder each time that one is loaded."""

    find: Callable[[], Path]
    block: Path | None = None
    artefact: Artefact = field(init=False)
    blocked: np.ndarray = field(init=False)
    blocked_rows: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self.load()

    def load(self) -> None:
        """Open the artefact and the block list; requests that have begun keep the old one."""
        artefact = open_artefact(self.find())
        blocked = block_list(self.block, artefact) if self.block else np.zeros(0, np.int64)
        self.artefact, self.blocked, self.blocked_rows = artefact, blocked, frozenset(blocked.tolist())

    def reload(self) -> bool:
        """Load what is there now; the old one stays where that fails."""
        try:
            self.load()
        except (RequestError, OSError) as error:
            LOG.error("the model was not changed: %s", error)
            return False
        return True


def block_list(path: Path, artefact: Artefact) -> np.ndarray:
    """Rows of a file's lines, each an id or a title as it stands in the catalogue; # begins a remark."""
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: the block list cannot be read: {error}") from None
    row = artefact.scorer.catalogue.row
    found = []
    for line in filter(None, lines):
        number = row.get(line, artefact.index.equal(line))
        if number is None:
            raise RequestError(f"{path}: {line[:80]!r} is neither an id nor a title of this catalogue")
        found.append(number)
    return np.unique(np.array(found, np.int64))
