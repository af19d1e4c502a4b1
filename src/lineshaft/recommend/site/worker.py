"""One worker: it opens the model, answers on the socket that it was given, loads anew on SIGHUP, and ends."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from lineshaft.engine import RequestError
from lineshaft.recommend.site.app import application
from lineshaft.recommend.site.connection import Connection, cut_off_late
from lineshaft.recommend.site.counters import Counters
from lineshaft.recommend.site.guard import place
from lineshaft.recommend.site.shelf import Shelf

PATIENCE = 10
"""Seconds that requests in progress have to end."""
FAILED = 3
"""Exit code of a worker that could not load its model."""
CONNECTIONS = 4000
"""Most connections of a worker; beyond, a request is answered by 503."""


@dataclass
class Worker:
    """What the server's parent hands to each of its children."""

    shelf: Callable[[], Shelf]
    listening: socket.socket
    counters: Counters
    rate: float
    proxies: str

    def run(self) -> int:
        """Load, answer, end; returns the exit code."""
        parent, asked = os.getppid(), list[int]()
        signal.signal(signal.SIGHUP, lambda number, frame: asked.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP, signal.SIGTERM, signal.SIGINT))
        try:
            shelf = self.shelf()
        except (RequestError, OSError) as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return FAILED
        except Exception as error:  # a fault of ours; no guest has been here yet, so its message is told
            print(f"error: {type(error).__name__} at {place(error)}: {error}", file=sys.stderr, flush=True)
            return FAILED
        server = self._server(application(shelf, self.counters, self.rate), parent)
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(self._answer(server, shelf, bool(asked)))
        return 0

    def _server(self, app: Callable[..., object], parent: int) -> uvicorn.Server:
        async def each_second() -> None:
            cut_off_late(server.server_state.connections, asyncio.get_running_loop().time())
            server.should_exit |= os.getppid() != parent  # killed: nobody would end this worker

        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            proxy_headers=bool(self.proxies),
            forwarded_allow_ips=self.proxies or None,
            timeout_graceful_shutdown=PATIENCE,
            timeout_keep_alive=30,
            limit_concurrency=CONNECTIONS,
            callback_notify=each_second,
            timeout_notify=1,
        )
        server = uvicorn.Server(config)
        return server

    async def _answer(self, server: uvicorn.Server, shelf: Shelf, again: bool) -> None:
        """Serve, and load anew at each SIGHUP: in a thread, so that requests are answered meanwhile.

        `again`: a SIGHUP came while the first model was being loaded.
        """
        loop = asyncio.get_running_loop()
        one_at_a_time = asyncio.Lock()  # an older model that takes longer must not come last

        async def load() -> None:
            async with one_at_a_time:
                done = await asyncio.to_thread(shelf.reload)
            self.counters.add("loads" if done else "failed_loads")

        tasks: set[asyncio.Task[None]] = set()

        def reload() -> None:
            tasks.add(task := loop.create_task(load()))
            task.add_done_callback(tasks.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
        if again:
            reload()
        self.counters.add("loads")  # ready only now: a SIGHUP before this line would be lost
        await server.serve(sockets=[self.listening])
