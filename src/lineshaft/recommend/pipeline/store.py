"""The page store: bodies named by their SHA-256, and a log of what every address answered.

    store/pages/ab/abcdef...        a body, written once however many addresses gave it
    store/log.jsonl                 one line an address and visit; for each address the last line counts

A kill tears at most the last line of the log, which is cut off on opening; a body without a line is written
again under the same name. So a crawl goes on where it stopped, without a lost or a doubled page.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What an address answered at one visit. `dropped` says why there is no page; "" where there is one."""

    url: str
    visit: int
    status: int = 0
    digest: str = ""
    content_type: str = ""
    etag: str = ""
    modified: str = ""
    dropped: str = ""
    target: str = ""
    """Where a redirect points."""


class PageStore:
    """Pages on disk, by address and by content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pages").mkdir(parents=True, exist_ok=True)
        self.answers: dict[str, Answer] = {a.url: a for a in self._read()}

    def save(self, answer: Answer, body: bytes | None = None) -> Answer:
        """Keep a body under its digest, then the line that makes it count."""
        if body is not None:
            answer = replace(answer, digest=self._keep(body))
        line = json.dumps({k: v for k, v in asdict(answer).items() if v}) + "\n"
        with self._log.open("ab") as file:
            file.write(line.encode())
        self.answers[answer.url] = answer
        return answer

    def body(self, answer: Answer) -> bytes:
        return self._place(answer.digest).read_bytes()

    def pages(self) -> list[Answer]:
        """Every address that gave a page, in the order of the addresses."""
        return [self.answers[url] for url in sorted(self.answers) if self.answers[url].digest]

    @property
    def _log(self) -> Path:
        return self.folder / "log.jsonl"

    def _place(self, digest: str) -> Path:
        return self.folder / "pages" / digest[:2] / digest

    def _keep(self, body: bytes) -> str:
        digest = hashlib.sha256(body).hexdigest()
        place = self._place(digest)
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            temporary = place.with_name(f".{digest}.{os.getpid()}.part")
            temporary.write_bytes(body)
            os.replace(temporary, place)
        return digest

    def _read(self) -> Iterator[Answer]:
        if not self._log.exists():
            return
        whole = self._log.read_bytes()
        end = whole.rfind(b"\n") + 1
        if end < len(whole):
            with self._log.open("r+b") as file:
                file.truncate(end)
        for line in whole[:end].splitlines():
            yield Answer(**json.loads(line))
