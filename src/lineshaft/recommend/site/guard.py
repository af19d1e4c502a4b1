"""What stands around every request: headers, limits, and an error page that repeats nothing.

Outermost, so that it also answers for what the framework would answer in its own words.
"""

import logging
import time
import traceback
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any

from lineshaft.recommend.site import fault
from lineshaft.recommend.site.counters import Counters

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}
BODY = 1_000_000
"""Most bytes of a request."""
LISTS = ("/import", "/api/v1/import")
LIST_BODY = 8_500_000
"""Most bytes where a list is imported."""
LIST_COST = 10
"""Requests that a list counts as: matching its titles takes that much longer."""
HELD = 120_000_000
"""Most bytes of requests that a worker holds in memory at a time."""
DRAINED = 32_000_000
"""Bytes that are read and thrown away before a request that is too long is answered."""
MOST_CLIENTS = 20_000
"""Addresses whose rate is remembered at a time, in memory alone, for a minute at most."""
LOG = logging.getLogger("lineshaft.site")


@dataclass
class Rates:
    """A bucket of requests for each client; an address is forgotten when its bucket is full again."""

    rate: float
    """Requests a second in the long run; 0: no limit."""
    burst: float = 60.0
    clients: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def allow(self, client: str, now: float, cost: float = 1.0) -> bool:
        if not self.rate:
            return True
        client = household(client)
        tokens, last = self.clients.pop(client, (self.burst, now))
        tokens = min(self.burst, tokens + (now - last) * self.rate)
        self._forget(now)
        self.clients[client] = (tokens - cost if tokens >= cost else max(tokens - 1, 0.0), now)
        return tokens >= cost

    def _forget(self, now: float) -> None:
        """Old addresses, oldest first."""
        full = self.burst / self.rate
        while self.clients:
            oldest = next(iter(self.clients))
            if len(self.clients) < MOST_CLIENTS and now - self.clients[oldest][1] < full:
                return
            del self.clients[oldest]


def household(client: str) -> str:
    """What one client may hold of addresses: one of IPv4, a network of 64 bits of IPv6."""
    if ":" in client:
        with suppress(ValueError):
            address = IPv6Address(client)
            return str(address.ipv4_mapped or int(address) >> 64)
    return client


@dataclass
class Guard:
    """An ASGI application around another."""

    app: Callable[..., Awaitable[None]]
    counters: Counters
    rates: Rates
    held: int = 0
    """Bytes of requests that are held at the moment."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = Answer(scope, send, self.counters, time.perf_counter())
        client = (scope.get("client") or ("",))[0]
        operation, is_list = scope["path"] in ("/health", "/metrics"), scope["path"] in LISTS
        cost = LIST_COST if is_list else 1
        if not operation and not self.rates.allow(client, time.monotonic(), cost):
            await answer.plain(429, {"retry-after": "2"})
            return
        body = Body(receive, self)
        try:
            if status := await body.read(LIST_BODY if is_list else BODY):
                await answer.plain(status, {"connection": "close"})
                return
            await self.app(scope, body.receive, answer.send)
        except Exception as error:
            LOG.error("%s at %s", type(error).__name__, place(error))
            await answer.plain(500)
        finally:
            self.held -= body.held


@dataclass
class Body:
    """A request's body, read to its end in memory before anything looks at it, or given up at a limit."""

    source: Receive
    guard: Guard
    whole: bytes = b""
    given: bool = False
    held: int = 0

    async def read(self, limit: int) -> int:
        """0, or the status of the refusal.

        What is beyond is read and thrown away for a while: a client that is still sending would see a broken
        connection instead of the answer.
        """
        parts, size, more, status = list[bytes](), 0, True, 0
        while more and size <= max(limit, DRAINED):
            message = await self.source()
            if message["type"] == "http.disconnect":
                return 400
            size += len(part := message.get("body", b""))
            status = status or (413 if size > limit else 0 if self._has_room(len(part)) else 503)
            if status:
                parts.clear()
            else:
                parts.append(part)
            more = message.get("more_body", False)
        self.whole = b"".join(parts)
        return status

    def _has_room(self, size: int) -> bool:
        """Whether so many bytes more may be held: many long requests at a time would fill the memory."""
        if self.guard.held + size > HELD:
            return False
        self.held += size
        self.guard.held += size
        return True

    async def receive(self) -> Message:
        if self.given:
            return await self.source()
        self.given = True
        return {"type": "http.request", "body": self.whole, "more_body": False}


@dataclass
class Answer:
    """A response with the site's headers; counted when it starts."""

    scope: Message
    out: Send
    counters: Counters
    began: float
    started: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.counters.request(self.scope["path"], message["status"], time.perf_counter() - self.began)
            static = self.scope["path"].startswith("/static/") and message["status"] in (200, 304)
            own = {**HEADERS, "cache-control": "public, max-age=86400" if static else "no-store"}
            kept = [(k, v) for k, v in message.get("headers", []) if k.decode().lower() not in own]
            message["headers"] = kept + [(k.encode(), v.encode()) for k, v in own.items()]
        await self.out(message)

    async def plain(self, status: int, headers: dict[str, str] | None = None) -> None:
        """A short answer in place of the application's; nothing where that has begun already."""
        if self.started:
            return
        accepted = next((v for k, v in self.scope["headers"] if k == b"accept"), b"").decode("latin-1")
        kind, body = fault.answer(self.scope["path"], accepted, status)
        pairs = {"content-type": kind, "content-length": str(len(body)), **(headers or {})}
        start = [(k.encode(), v.encode()) for k, v in pairs.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": start})
        await self.out({"type": "http.response.body", "body": body})


def place(error: BaseException) -> str:
    """File and line of an error; never its message, which may quote the guest."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "?"
