"""How fast the site answers, what a worker costs, and what a change of the model does to its visitors.

    python -m benchmarks.site --json [--seconds 60] [--clients 200] [--items N ...]

The benchmark binds the server to one core and itself, the load generator, to the other. Catalogues are
generated: titles of three words, and 400 pruned weights a row for the size that is asked for; a basket has
five items. Time to a usable first page is that of Debian's chromium on the embedded sample, where Playwright
is installed.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.figures import flat, save, stamped
from lineshaft.cli.output import print_json, print_table
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.itemitem import Pruned
from lineshaft.recommend.site.artefact import Extras, build
from lineshaft.recommend.site.serving import Serving, serving

WEIGHTS = 400
RATE = 600
"""Requests a second that all visitors make together where they pause, as people do."""
WORDS = [
    "amber",
    "bitter",
    "broken",
    "crimson",
    "distant",
    "early",
    "golden",
    "hidden",
    "last",
    "northern",
    "quiet",
    "salt",
    "silver",
    "slow",
    "wild",
]
PATH = "/api/v1/recommendations"


def generated(folder: Path, items: int) -> Path:
    """An artefact of so many items with random pruned rows."""
    rng = np.random.default_rng(items)
    columns = np.sort(rng.integers(items, size=(items, WEIGHTS)), axis=1).astype(np.int32)
    values = rng.random((items, WEIGHTS), np.float32)
    weights = csr_matrix(
        (values.ravel(), columns.ravel(), np.arange(0, values.size + 1, WEIGHTS)), (items, items)
    )
    titles = [f"{' '.join(rng.choice(WORDS, 3))} {number}" for number in range(items)]
    tags = [(WORDS[number % len(WORDS)],) for number in range(items)]
    catalogue = Catalogue([str(number) for number in range(items)], titles, titles, tags)
    scorer = Pruned(catalogue, rng.zipf(1.6, items).clip(max=10**6).astype(np.float32), weights)
    return build(folder, scorer, Extras("Bench", sequels=[(0, 1)]))


async def client(
    host: str,
    port: int,
    items: int,
    end: float,
    seed: int,
    pause: float,
    found: list[float],
    wrong: list[str],
) -> None:
    """One visitor on one connection, who asks every `pause` seconds; at once again where that is 0."""
    rng = np.random.default_rng(seed)
    reader, writer = await asyncio.open_connection(host, port)
    due = time.perf_counter() + pause * rng.random()
    while time.perf_counter() < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        due += pause
        body = json.dumps({"basket": [str(i) for i in rng.integers(items, size=5)], "count": 10}).encode()
        kind = f"content-type: application/json\r\ncontent-length: {len(body)}"
        head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\n{kind}\r\n\r\n"
        began = time.perf_counter()
        try:
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            wrong.append(type(error).__name__)
            reader, writer = await asyncio.open_connection(host, port)
            continue
        found.append(time.perf_counter() - began)
        if not answer.startswith(b"HTTP/1.1 200"):
            wrong.append(answer[9:12].decode())
    writer.close()


async def load(
    address: str, clients: int, items: int, seconds: float, rate: float = 0
) -> tuple[list[float], list[str]]:
    """Durations and faults of all visitors; `rate`: requests a second of all together, 0: what they can."""
    pause = clients / rate if rate else 0.0
    host, _, port = address.removeprefix("http://").partition(":")
    found: list[float] = []
    wrong: list[str] = []
    end = time.perf_counter() + seconds
    await asyncio.gather(
        *(client(host, int(port), items, end, n, pause, found, wrong) for n in range(clients))
    )
    return found, wrong


def pinned(site: Serving) -> None:
    """The site on the first core, this process on the second, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        for process in (site.process.pid, *site.workers()):
            os.sched_setaffinity(process, cores[:1])
        os.sched_setaffinity(0, cores[1:2])


def computed(site: Serving) -> float:
    """Seconds that the workers have computed: what a core does in a second, also on a busy machine."""
    ticks = 0
    for worker in site.workers():
        fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(site: Serving) -> dict[str, float]:
    """Megabytes: of all workers together by proportional share, and of one alone."""
    totals: list[dict[str, float]] = []
    for worker in site.workers():
        lines = Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines()[1:]
        totals.append({line.split(":")[0]: int(line.split()[1]) / 1e3 for line in lines})
    return {
        "together_mb": round(sum(t["Pss"] for t in totals), 1),
        "own_of_one_mb": round(statistics.mean(t["Private_Dirty"] for t in totals), 1),
        "resident_of_one_mb": round(statistics.mean(t["Rss"] for t in totals), 1),
    }


def answered(folder: Path, home: Path, items: int, clients: int, seconds: float) -> dict[str, object]:
    """Requests a second and durations of one worker on one core."""
    cores = os.sched_getaffinity(0)
    with serving(home, ["--model", str(folder), "--rate", "0"]) as site:
        pinned(site)
        asyncio.run(load(site.address, clients, items, min(2.0, seconds)))
        before = computed(site)
        found, wrong = asyncio.run(load(site.address, clients, items, seconds))
        spent = computed(site) - before
        paced, missed = asyncio.run(load(site.address, clients, items, seconds, RATE))
        single, _ = asyncio.run(load(site.address, 1, items, min(5.0, seconds)))
        used = memory(site)
    os.sched_setaffinity(0, cores)
    return {
        "requests_per_second_of_computing": round(len(found) / spent, 1),
        "without_a_pause": figures(found, wrong, seconds),
        f"at_{RATE}_a_second": figures(paced, missed, seconds),
        "one_client_p50_ms": round(float(np.percentile(np.array(single) * 1e3, 50)), 2),
        **used,
    }


def figures(found: list[float], wrong: list[str], seconds: float) -> dict[str, float]:
    times = np.array(found) * 1e3
    return {
        "requests": len(found),
        "requests_per_second": round(len(found) / seconds, 1),
        "p50_ms": round(float(np.percentile(times, 50)), 2),
        "p99_ms": round(float(np.percentile(times, 99)), 2),
        "faults": len(wrong),
    }


def changed(folder: Path, home: Path, items: int, clients: int, seconds: float) -> dict[str, object]:
    """Requests that fail while the model is exchanged three times."""
    with serving(home, ["--model", str(folder), "--rate", "0", "--workers", "2"]) as site:

        async def both() -> tuple[list[float], list[str]]:
            asking = asyncio.create_task(load(site.address, clients, items, seconds))
            for _ in range(3):
                await asyncio.sleep(seconds / 4)
                site.process.send_signal(signal.SIGHUP)
            return await asking

        found, wrong = asyncio.run(both())
    return {"changes": 3, "requests": len(found), "failed": len(wrong)}


def first_page(home: Path) -> dict[str, object]:
    """Milliseconds until the search field of a fresh browser can be typed into, and bytes of the page."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        return {}
    chromium = shutil.which("chromium")
    with serving(home) as site, sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        times, size = [], 0
        for _ in range(5):
            context = opened.new_context()
            page = context.new_page()
            sizes: list[int] = []
            page.on("response", lambda r, s=sizes: s.append(len(r.body())))
            began = time.perf_counter()
            page.goto(site.address, wait_until="domcontentloaded")
            page.locator("#q").fill("e")
            times.append((time.perf_counter() - began) * 1e3)
            page.wait_for_load_state("networkidle")
            size = sum(sizes)
            context.close()
        opened.close()
    return {"usable_ms": round(statistics.median(times), 1), "bytes": size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--json", action="store_true", help="print one JSON object; else a table")
    parser.add_argument("--out", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    values: dict[str, object] = {
        "seconds": given.seconds,
        "clients": given.clients,
        "load_average": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        for items in given.items:
            folder = generated(home / f"artefact-{items}", items)
            values[f"items_{items}"] = answered(
                folder, home / f"home-{items}", items, given.clients, given.seconds
            )
            print(json.dumps(values[f"items_{items}"]), file=sys.stderr)
        items = given.items[0]
        folder = home / f"artefact-{items}"
        for workers in (1, 2, 4):
            with serving(
                home / f"workers-{workers}", ["--model", str(folder), "--workers", str(workers)]
            ) as site:
                values[f"memory_workers_{workers}"] = memory(site)
        values["model_change"] = changed(
            folder, home / "change", items, min(given.clients, 50), min(given.seconds, 20)
        )
        values["first_page"] = first_page(home / "page")
    kept = stamped(values)
    if given.out is not None:
        save(given.out, kept)
    if given.json:
        print_json(kept)
    else:
        print_table(flat(kept), ["figure", "value"])


if __name__ == "__main__":
    main()
