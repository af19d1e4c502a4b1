"""A polite crawler: one request at a time, as slowly as robots.txt asks, no page twice in a visit.

What a site may answer, and what is then done:
* 200: the page is kept under its content's hash; 304 (ETag, Last-Modified): the stored page still counts;
* 429, 503 with Retry-After: wait as long as asked (seconds or a date), then once more;
* 429, 5xx without it, a time-out, a broken connection: wait twice as long each time, then give up;
* a redirect: its target is queued like a link, so that another site is never asked without its own rules;
* anything else, a body that is too long or no text: dropped, with the reason counted.
"""

import email.utils
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
from protego import Protego

from lineshaft.recommend.pipeline.manners import Manners
from lineshaft.recommend.pipeline.store import Answer, PageStore

TEXT = ("text/html", "application/xhtml+xml", "application/xml", "text/plain", "application/json")
AGAIN = (429, 500, 502, 503, 504)


class TooLong(Exception):
    """A body went on beyond the most bytes."""


@dataclass
class Crawler:
    """Reads a site from its start pages along the links that `links` finds, into a store."""

    store: PageStore
    manners: Manners
    links: Callable[[str, bytes, str], Iterable[str]]
    """(address, body, content type) -> addresses to follow, absolute or relative."""
    visit: int = 1
    """A higher number asks for stored pages again, and only takes what has changed."""
    client: httpx.Client = field(default_factory=httpx.Client)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    asked: Counter[str] = field(default_factory=Counter)
    _robots: dict[str, Protego | None] = field(default_factory=dict)
    _next: dict[str, float] = field(default_factory=dict)

    def crawl(self, starts: Iterable[str], after_page: Callable[[int], None] = lambda count: None) -> None:
        """Breadth first, on the hosts of the start pages; what this visit has already is only read."""
        queue = deque(dict.fromkeys(tidy(url) for url in starts))
        seen, hosts, count = set(queue), {origin(url) for url in queue}, 0
        while queue and count < self.manners.most_pages:
            answer = self.page(queue.popleft())
            count += bool(answer.digest)
            for link in self._found(answer):
                if origin(link) in hosts and link not in seen:
                    seen.add(link)
                    queue.append(link)
            after_page(count)

    def page(self, url: str) -> Answer:
        """The answer of one address, from the store where this visit has it."""
        known = self.store.answers.get(url)
        if known is not None and known.visit >= self.visit:
            return known
        if not self._allowed(url):
            return self.store.save(Answer(url, self.visit, dropped="robots.txt forbids it"))
        return self.store.save(*self._ask(url, known))

    def _found(self, answer: Answer) -> list[str]:
        """Addresses that a page links to, or that a redirect names."""
        if answer.target:
            links: Iterable[str] = [answer.target]
        elif answer.digest:
            links = self.links(answer.url, self.store.body(answer), answer.content_type)
        else:
            return []
        return list(dict.fromkeys(filter(None, (absolute(answer.url, link) for link in links))))

    def _ask(self, url: str, known: Answer | None) -> tuple[Answer, bytes | None]:
        headers = {"User-Agent": self.manners.agent}
        if known is not None and known.digest:
            wanted = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
            headers |= {name: value for name, value in wanted.items() if value}
        reason = ""
        for trial in range(self.manners.tries):
            try:
                response, body = self._get(url, headers)
            except TooLong:
                return Answer(url, self.visit, dropped=f"longer than {self.manners.most_bytes} bytes"), None
            except httpx.TimeoutException:
                reason = "no answer in time"
            except (httpx.TransportError, httpx.DecodingError):
                reason = "connection broken"
            except (httpx.InvalidURL, ValueError):
                return Answer(url, self.visit, dropped="not an address"), None
            else:
                if response.status_code not in AGAIN:
                    return self._judge(url, known, response, body)
                reason = f"status {response.status_code}"
                if (asked := retry_after(response.headers.get("retry-after"), self.now())) is not None:
                    self._wait(asked)
                    continue
            if trial + 1 < self.manners.tries:
                self._wait(self.manners.backoff * 2**trial)
        return Answer(url, self.visit, dropped=reason), None

    def _get(self, url: str, headers: dict[str, str]) -> tuple[httpx.Response, bytes]:
        """One request when its host may be asked again; the body is cut off at the most bytes."""
        host = origin(url)
        self._wait(self._next.get(host, 0.0) - self.now())
        self.asked[url] += 1
        try:
            with self.client.stream("GET", url, headers=headers, timeout=self.manners.timeout) as response:
                body, start = bytearray(), self.now()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > self.manners.most_bytes:
                        raise TooLong
                    if self.now() - start > self.manners.timeout:
                        raise httpx.ReadTimeout("the body trickles")
                return response, bytes(body)
        finally:
            self._next[host] = self.now() + self._pause(host)

    def _judge(
        self, url: str, known: Answer | None, response: httpx.Response, body: bytes
    ) -> tuple[Answer, bytes | None]:
        """What an answer that is not worth another try comes to."""
        status, headers = response.status_code, response.headers
        if status == 304 and known is not None:
            return replace(known, visit=self.visit), None
        if response.is_redirect:
            target = absolute(url, headers["location"])
            return Answer(url, self.visit, status, target=target, dropped="redirected"), None
        if status != 200:
            return Answer(url, self.visit, status, dropped=f"status {status}"), None
        kind = headers.get("content-type", "text/html")
        if kind.partition(";")[0].strip().lower() not in TEXT:
            return Answer(url, self.visit, status, content_type=kind, dropped="not text"), None
        etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
        return Answer(url, self.visit, status, "", kind, etag, modified), body

    def _allowed(self, url: str) -> bool:
        rules = self._rules(origin(url))
        return rules is not None and rules.can_fetch(url, self.manners.agent)

    def _rules(self, host: str) -> Protego | None:
        """robots.txt (RFC 9309): missing allows everything, a server that fails forbids everything."""
        if host not in self._robots:
            self._robots[host] = Protego.parse("")
            answer, body = self._ask(f"{host}/robots.txt", None)
            if body is not None:
                self._robots[host] = Protego.parse(body[:512_000].decode("utf-8", errors="replace"))
            elif not 300 <= answer.status < 500:
                self._robots[host] = None
        return self._robots[host]

    def _pause(self, host: str) -> float:
        rules = self._robots.get(host)
        asked = rules.crawl_delay(self.manners.agent) if rules else None
        return max(self.manners.delay, float(asked or 0))

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.sleep(min(seconds, self.manners.patience))


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for, given as a number or as a date; None without one."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except (TypeError, ValueError):
        return None


def tidy(url: str) -> str:
    """One spelling an address: no fragment, host in lower case, a path."""
    parts = urlsplit(urldefrag(url).url)
    return parts._replace(
        scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), path=parts.path or "/"
    ).geturl()


def absolute(base: str, link: str) -> str:
    """The address a link means on a page; "" where it is none that can be asked for."""
    try:
        url = tidy(urljoin(base, link))
    except ValueError:
        return ""
    return url if url.startswith(("http://", "https://")) else ""


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Nearby(httpx.HTTPTransport):
    """Sends every request to one address, so that a recorded site keeps its name whatever its port."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = httpx.URL(address)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(host=self.address.host, port=self.address.port)
        return super().handle_request(request)
