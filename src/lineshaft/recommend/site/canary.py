"""The canary: a basket and words that occur nowhere else are sent, right and malformed, then looked for.

Looked through are: everything the site's processes have written or hold open, deleted temporary files too;
its output; its shared memory; its metrics; every answer to a malformed request, headers and all; and the
folder of the artefact, which must be the same to the byte. A successful page may hold the guest's own words:
it goes to the guest alone.
"""

import base64
import itertools
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx

from lineshaft.engine.data.dataset import checksum
from lineshaft.recommend.site.serving import Serving

Send = Callable[[], httpx.Response]


@dataclass(frozen=True)
class Canary:
    """A word, and a basket in an order, that nobody else has."""

    basket: tuple[str, ...]
    word: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}")

    def marks(self) -> list[bytes]:
        """The word and the basket as bytes, in the ways in which software writes them."""
        texts = [
            self.word,
            *(sep.join(self.basket) for sep in (",", ", ", "&basket=", '","', '", "', "', '")),
        ]
        found = [text.encode() for text in texts] + [self.word.encode("utf-16-le"), quote(self.word).encode()]
        found += [base64.b64encode(self.word.encode())[:-4], self.word.encode().hex().encode()]
        return found

    def within(self, data: bytes) -> bool:
        return any(mark in data for mark in self.marks())


@dataclass
class Hunt:
    """What was sent and where the canary was found."""

    statuses: Counter[int] = field(default_factory=Counter)
    malformed: int = 0
    found: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return self.statuses.total()

    @property
    def server_errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500)


def hunt(site: Serving, canary: Canary, artefact: Path, requests: int, malformed: int) -> Hunt:
    """Send so many requests, so many of them malformed, and look for the canary everywhere."""
    before = {path: checksum(path) for path in sorted(artefact.iterdir())}
    done = Hunt()
    with httpx.Client(base_url=site.address, timeout=30) as client:
        for send in itertools.islice(itertools.cycle(_right(client, canary)), requests - malformed):
            done.statuses[send().status_code] += 1
        for send in itertools.islice(itertools.cycle(_wrong(client, canary)), malformed):
            answer = send()
            done.statuses[answer.status_code] += 1
            done.malformed += 1
            if answer.status_code >= 400 and canary.within(str(answer.headers).encode() + answer.content):
                done.found.append(f"the answer {answer.status_code} of {_path(answer)}")
        if canary.within(client.get("/metrics").content):
            done.found.append("/metrics")
    done.found += [place for place, data in _kept(site) if canary.within(data)]
    after = {path: checksum(path) for path in sorted(artefact.iterdir())}
    done.found += [f"{path} was written" for path in after if before.get(path) != after[path]]
    return done


def _path(answer: httpx.Response) -> str:
    return answer.request.url.path if "canary" not in answer.request.url.path else "an address"


def _right(client: httpx.Client, canary: Canary) -> list[Send]:
    """Requests that succeed."""
    basket, word = list(canary.basket), canary.word
    form = {"basket": basket, "q": word, "seen": [word], "members": word}
    lists = f"{word}\n" + "\n".join(basket)
    ask = {"basket": [*basket, word], "only": [word]}
    agent = {"User-Agent": word, "Referer": f"http://{word}.test/?{word}", "Cookie": f"a={word}"}
    return [
        lambda: client.post("/", data={**form, "do": "more"}),
        lambda: client.post("/", data={**form, "do": f"add:{word}"}),
        lambda: client.post("/find", data=form),
        lambda: client.post("/import", data={"list": lists, "basket": basket}),
        lambda: client.post("/import", files={"file": (f"{word}.txt", lists.encode() * 9000)}),
        lambda: client.post("/api/v1/recommendations", json=ask),
        lambda: client.post("/api/v1/search", json={"text": word}),
        lambda: client.post("/api/v1/import", json={"text": lists}),
        lambda: client.get("/", params={"q": word, "basket": basket}, headers=agent),
    ]


def _wrong(client: httpx.Client, canary: Canary) -> list[Send]:
    """Requests that fail: bad JSON, bad types, bad encodings, too long, unknown addresses and methods."""
    basket, word = list(canary.basket), canary.word
    json_type = {"Content-Type": "application/json"}
    api = "/api/v1/recommendations"
    xml = f'<!DOCTYPE a [<!ENTITY b "{word}">]><myanimelist><anime><series_title>&b;{word}'
    return [
        lambda: client.post(api, content=f'{{"basket": ["{word}"', headers=json_type),
        lambda: client.post(api, json={"basket": ",".join(basket), word: word}),
        lambda: client.post(api, json={"basket": [{"id": word}, 5], "count": word}),
        lambda: client.post(api, content=word.encode("utf-16"), headers=json_type),
        lambda: client.post(api, content=b"\xff\xfe" + word.encode(), headers=json_type),
        lambda: client.post(api, json={"basket": basket, "popularity": 99, "only": word}),
        lambda: client.post(api, content=word.encode() * 50_000, headers=json_type),
        lambda: client.post("/api/v1/search", json={"text": word * 40}),
        lambda: client.post("/api/v1/import", json={"text": xml}),
        lambda: client.post("/api/v1/import", json={"text": "{" + word}),
        lambda: client.get(f"/{word}", params={"basket": basket}),
        lambda: client.get(f"/static/../{word}"),
        lambda: client.put(f"/api/v1/{word}", json=basket),
        lambda: client.request("PATCH", "/", content=word),
        lambda: client.post(f"/static/{word}", data={"basket": basket}),
    ]


def _kept(site: Serving) -> Iterator[tuple[str, bytes]]:
    """Everything that the site has written or holds: its folder, open files, shared memory."""
    for path in sorted(p for p in site.home.rglob("*") if p.is_file()):
        yield f"file {path.relative_to(site.home)}", path.read_bytes()
    for process in (site.process.pid, *site.workers()):
        yield f"command line of {process}", Path(f"/proc/{process}/cmdline").read_bytes()
        for handle in sorted(Path(f"/proc/{process}/fd").iterdir()):
            try:
                if handle.is_file():
                    yield f"open file {handle.readlink()}", handle.read_bytes()
            except OSError:
                continue
        yield from _shared(process)


def _shared(process: int) -> Iterator[tuple[str, bytes]]:
    """Memory that is written and shared: counters, and files that are mapped to be written."""
    pattern = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw.s \S+ \S+ \d+ *(.*)")
    with Path(f"/proc/{process}/maps").open() as maps, Path(f"/proc/{process}/mem").open("rb", 0) as memory:
        for found in filter(None, map(pattern.match, maps)):
            start, end = int(found[1], 16), int(found[2], 16)
            memory.seek(start)
            yield f"shared memory {found[3] or 'without a name'}", memory.read(end - start)
