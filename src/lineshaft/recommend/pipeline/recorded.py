"""A recorded site: pages in memory, served on this machine, with the faults that real sites have.

The embedded job crawls one, and so do the tests; nothing leaves the machine.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """What the server says once. `stall`: seconds of silence before the body."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stall: float = 0.0


@dataclass
class RecordedSite:
    """Path (with query) -> what is replied at each visit; the last reply is repeated."""

    replies: dict[str, list[Reply]]
    visits: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    def reply(self, path: str, tag: str | None) -> Reply:
        """The next reply of a path; a page that is unchanged (its ETag is `tag`) has no body."""
        found = self.replies.get(path, [Reply(b"not found", 404)])
        reply = found[min(self.visits[path], len(found) - 1)]
        self.visits[path] += 1
        self.times.append(time.monotonic())
        if reply.status == 200 and tag and reply.headers.get("ETag") == tag:
            return Reply(status=304, headers=reply.headers)
        return reply

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it on a free port; the address without a slash at its end."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.reply))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(reply_of: Callable[[str, str | None], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else every body waits 40 ms for the acknowledgement of its header

        def do_GET(self) -> None:
            reply = reply_of(self.path, self.headers.get("If-None-Match"))
            headers = {"Content-Type": "text/html; charset=utf-8", **reply.headers}
            try:
                self.send_response(reply.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                time.sleep(reply.stall)
                self.wfile.write(reply.body)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
