"""Where lists are read: one at a time, in a thread, and with a short queue, whatever guests bring.

A list of ten thousand titles takes a second or more. Read in the loop it would hold up every other guest;
many at a time would take a core from them and the memory from the worker.
"""

import asyncio
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException

from lineshaft.recommend.site.artefact import Artefact
from lineshaft.recommend.site.imports import Imported, entries, matched

QUEUE = 8
"""Lists that may wait; one more is refused."""


@dataclass
class Desk:
    """The desk of one worker."""

    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, raw: bytes, artefact: Artefact) -> Imported:
        """A list as rows; raises `Refused` where it cannot be read, and a 503 where too many are."""
        if self.waiting >= QUEUE:
            raise HTTPException(503, headers={"retry-after": "5"})
        self.waiting += 1
        try:
            async with self.turn:
                return await asyncio.to_thread(read_list, raw, artefact)
        finally:
            self.waiting -= 1


def read_list(raw: bytes, artefact: Artefact) -> Imported:
    """A list as rows."""
    return matched(entries(raw), artefact.scorer.catalogue.row, artefact.index)
