"""One connection of a client, with an end to its patience: who sends slowly or without an end is cut off.

uvicorn waits for a request as long as the client likes, and keeps whatever is sent of a header. Here a header
has a most number of bytes, a request must come in at a least pace, and an answer must be taken.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from lineshaft.recommend.site.fault import WORDS
from lineshaft.recommend.site.guard import HEADERS

HEAD = 32_000
"""Most bytes of a request's line and headers."""
FIRST, PACE = 15.0, 1000.0
"""A request must be here after so many seconds and one more for every so many bytes."""
ANSWERED = 60.0
"""Seconds in which a whole request is answered and the answer is taken."""
SAFE = b"".join(f"{name}: {value}\r\n".encode() for name, value in HEADERS.items())


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with limits."""

    began = 0.0
    """When the request that is coming in began, or the connection."""
    received = 0
    """Bytes of it."""
    in_head = True
    refusal = 400
    """Status of the answer to a request that is none."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.began = self.loop.time()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.began, self.received, self.in_head = self.loop.time(), 0, True

    def on_headers_complete(self) -> None:
        self.in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD:
            self.refusal = 431
            raise ValueError("the parser ends here, and asks for the answer to a bad request")
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        self.began, self.received, self.in_head = self.loop.time(), 0, True
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.received += len(data)
        if self.in_head and self.received > HEAD and not self.transport.is_closing():
            self._refuse(431)

    def send_400_response(self, msg: str) -> None:
        self._refuse(self.refusal)

    def late(self, now: float) -> bool:
        """Whether the client has taken too long with its request, or with its answer."""
        cycle = self.cycle
        quiet = cycle is not None and cycle.response_complete and not self.received  # uvicorn ends it
        whole = cycle is not None and not cycle.response_complete and not cycle.more_body
        patience = ANSWERED if quiet or whole or self.transport.is_closing() else FIRST
        return now - self.began > patience + self.received / PACE

    def _refuse(self, status: int) -> None:
        body = f"{WORDS[status]}\n".encode()
        lines = [STATUS_LINE[status], SAFE, b"cache-control: no-store\r\nconnection: close\r\n"]
        lines.append(
            f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        )
        self.transport.write(b"".join([*lines, body]))
        self.transport.close()


def cut_off_late(connections: Iterable[Any], now: float) -> None:
    """End the connections of clients that are late; asked for once a second."""
    for connection in [one for one in connections if one.late(now)]:
        connection.transport.abort()
