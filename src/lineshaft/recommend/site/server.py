"""Several workers on one socket: forked, watched, reloaded and stopped without a failed request.

    SIGHUP           every worker loads the model that is there now; requests in progress keep the old one
    SIGTERM, SIGINT  no new connections; what is in progress is finished, then the workers end

The parent only watches: it holds no model. A worker that dies is replaced.
"""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from lineshaft.engine import RequestError
from lineshaft.recommend.site.counters import Counters
from lineshaft.recommend.site.shelf import Shelf

PATIENCE = 10
"""Seconds that requests in progress have to end."""
FAILED = 3
"""Exit code of a worker that could not load its model at the start."""
LOG = logging.getLogger("lineshaft.site")


@dataclass
class Server:
    """Where and with how many workers; `shelf` opens the model in each worker."""

    shelf: Callable[[], Shelf]
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    rate: float = 20.0
    proxies: str = ""
    """Addresses of proxies whose X-Forwarded-For is believed, for the rate limit alone."""
    ready: Callable[[str], None] = lambda address: None
    """Called with the address once every worker answers."""
    children: dict[int, int] = field(default_factory=dict)
    stopping: bool = False

    def run(self) -> int:
        """Serve until a signal; returns the exit code."""
        log_plainly()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump of the memory would hold requests
        listening = self._bound()
        counters = Counters(self.workers)
        for number, handler in (
            (signal.SIGTERM, self._stop),
            (signal.SIGINT, self._stop),
            (signal.SIGHUP, self._pass),
        ):
            signal.signal(number, handler)
        for worker in range(self.workers):
            self._fork(worker, listening, counters)
        self._when_ready(listening, counters)
        return self._watch(listening, counters)

    def _bound(self) -> socket.socket:
        try:
            listening = socket.create_server((self.host, self.port), backlog=2048, reuse_port=False)
        except (OSError, OverflowError) as error:
            raise RequestError(
                f"{self.host}:{self.port} cannot be listened on: {error}; take another --port"
            ) from None
        # Connections inherit it; without it every answer waits 40 ms between its header and its body.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening

    def _fork(self, worker: int, listening: socket.socket, counters: Counters) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child:
            self.children[child] = worker
            return
        code = FAILED
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL if number != signal.SIGHUP else signal.SIG_IGN)
            counters.worker = worker
            code = self._work(listening, counters)
        finally:
            os._exit(code)

    def _work(self, listening: socket.socket, counters: Counters) -> int:
        """One worker: load, answer, end."""
        import uvicorn

        from lineshaft.recommend.site.app import application

        try:
            shelf = self.shelf()
        except RequestError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return FAILED
        app = application(shelf, counters, self.rate)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            proxy_headers=bool(self.proxies),
            forwarded_allow_ips=self.proxies or None,
            timeout_graceful_shutdown=PATIENCE,
            timeout_keep_alive=30,
            limit_concurrency=1000,
        )
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_answer(uvicorn.Server(config), listening, shelf, counters))
        return 0

    def _when_ready(self, listening: socket.socket, counters: Counters) -> None:
        """Wait until each worker has loaded its model."""
        while counters.values[:, -3].min() < 1 and self.children and not self.stopping:
            self._reap(listening, counters)
            time.sleep(0.02)
        if self.children and not self.stopping:
            host, port = listening.getsockname()[:2]
            self.ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")

    def _watch(self, listening: socket.socket, counters: Counters) -> int:
        while self.children:
            self._reap(listening, counters)
            time.sleep(0.1)
        listening.close()
        return 0 if self.stopping else 1

    def _reap(self, listening: socket.socket, counters: Counters) -> None:
        """Replace workers that have died, unless they could not begin or all are to end."""
        for child in list(self.children):
            done, status = os.waitpid(child, os.WNOHANG)
            if not done:
                continue
            worker = self.children.pop(child)
            if self.stopping:
                continue
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == FAILED:
                self._stop(signal.SIGTERM, None)
                self.stopping = False
                continue
            LOG.error("a worker has died (status %s); another one takes its place", status)
            time.sleep(0.2)
            self._fork(worker, listening, counters)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True
        self._pass(signal.SIGTERM, frame)

    def _pass(self, number: int, frame: FrameType | None) -> None:
        for child in self.children:
            with suppress(ProcessLookupError):
                os.kill(child, number)


async def _answer(server: "object", listening: socket.socket, shelf: Shelf, counters: Counters) -> None:
    """Serve, and load anew at each SIGHUP: in a thread, so that requests are answered meanwhile."""
    loop = asyncio.get_running_loop()

    one_at_a_time = asyncio.Lock()  # an older model that takes longer must not come last

    async def reload() -> None:
        async with one_at_a_time:
            done = await asyncio.to_thread(shelf.reload)
        counters.add("loads" if done else "failed_loads")

    tasks: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGHUP, lambda: tasks.add(loop.create_task(reload())))
    counters.add("loads")  # ready only now: a SIGHUP before this line would be lost
    await server.serve(sockets=[listening])  # type: ignore[attr-defined]


def log_plainly() -> None:
    """Errors and warnings on standard error: no address, no request, no client."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_without_traceback)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def _without_traceback(record: logging.LogRecord) -> bool:
    """A traceback's last line is an error's message, which may quote a guest."""
    if record.exc_info:
        kind = record.exc_info[0]
        record.msg, record.args = f"{kind.__name__ if kind else 'error'} in the server", ()
        record.exc_info = record.exc_text = None
    return True
