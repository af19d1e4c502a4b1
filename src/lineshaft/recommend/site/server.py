"""Several workers on one socket: forked, watched, reloaded and stopped without a failed request.

    SIGHUP           every worker loads the model that is there now; requests in progress keep the old one
    SIGTERM, SIGINT  no new connections; what is in progress is finished, then the workers end

The parent only watches: it holds no model. A worker that dies is replaced.
"""

import gc
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
from lineshaft.recommend.site.worker import FAILED, Worker

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
AGAIN = 1.0
"""Seconds before a worker that died is replaced."""
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
    failed: bool = False

    def run(self) -> int:
        """Serve until a signal; returns the exit code."""
        log_plainly()
        limits()
        listening = self._bound()
        counters = Counters(self.workers)
        worker = Worker(self.shelf, listening, counters, self.rate, self.proxies)
        gc.collect()
        gc.freeze()  # what is loaded by now stays one copy: a collection in a worker would touch its pages
        for number, handler in zip(SIGNALS, (self._stop, self._stop, self._pass)):
            signal.signal(number, handler)
        for slot in range(self.workers):
            self._fork(slot, worker)
        self._when_ready(worker)
        return self._watch(worker)

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

    def _fork(self, slot: int, worker: Worker) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal that meets a child before it has its own handlers would run its parent's.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        child = os.fork()
        if child:
            self.children[child] = slot
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            return
        code = FAILED
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            worker.counters.worker = slot
            code = worker.run()
        finally:
            os._exit(code)

    def _when_ready(self, worker: Worker) -> None:
        """Wait until each worker has loaded its model."""
        while worker.counters.least("loads") < 1 and self.children and not self.stopping:
            self._reap(worker)
            time.sleep(0.02)
        if self.children and not self.stopping:
            host, port = worker.listening.getsockname()[:2]
            self.ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")

    def _watch(self, worker: Worker) -> int:
        while self.children:
            self._reap(worker)
            time.sleep(0.1)
        worker.listening.close()
        return 1 if self.failed else 0

    def _reap(self, worker: Worker) -> None:
        """Replace workers that have died; where none has ever answered in a worker's place, end all."""
        for child in list(self.children):
            done, status = os.waitpid(child, os.WNOHANG)
            if not done:
                continue
            slot = self.children.pop(child)
            if self.stopping:
                continue
            if not worker.counters.of(slot, "loads"):
                LOG.error("a worker has ended before it answered (status %s)", status)
                self.failed = True
                self._stop(signal.SIGTERM, None)
                continue
            LOG.error("a worker has died (status %s); another one takes its place", status)
            time.sleep(AGAIN)
            self._fork(slot, worker)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True
        self._pass(signal.SIGTERM, frame)

    def _pass(self, number: int, frame: FrameType | None) -> None:
        for child in self.children:
            with suppress(ProcessLookupError):
                os.kill(child, number)


def limits() -> None:
    """No dump of the memory, which would hold requests; as many open connections as the system allows."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


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
