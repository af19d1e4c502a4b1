"""The crawler against a site with every fault, served on this machine."""

import email.utils
import time

import httpx
import pytest

from lineshaft.recommend.pipeline.crawl import Crawler, Manners, absolute, retry_after
from lineshaft.recommend.pipeline.parse import Selectors
from lineshaft.recommend.pipeline.recorded import RecordedSite, Reply
from lineshaft.recommend.pipeline.store import Answer, PageStore

QUICK = Manners(delay=0, backoff=0.01, timeout=0.5, most_bytes=200_000)


def page(*links: str, body: str = "") -> Reply:
    return Reply(f"<h1>t</h1>{body}{''.join(f'<a href={link}>l</a>' for link in links)}".encode())


def crawl(site, folder, manners=QUICK, visit=1, sleep=time.sleep, after=lambda count: None):
    with site.served() as address, httpx.Client() as client:
        crawler = Crawler(PageStore(folder), manners, Selectors().links, visit, client, sleep)
        crawler.crawl([f"{address}/items"], after)
    answers = {url.removeprefix(address): answer for url, answer in crawler.store.answers.items()}
    return answers, crawler


def test_it_follows_links_once_each_and_keeps_equal_bodies_once(tmp_path):
    links = ["/item/a", "/item/a#part", "/item/b", "/elsewhere", "http://127.0.0.1:9/item/c"]
    site = RecordedSite({"/items": [page(*links)], "/item/a": [page("/items")], "/item/b": [page("/items")]})
    answers, _ = crawl(site, tmp_path)
    assert sorted(answers) == ["/item/a", "/item/b", "/items"]
    assert site.visits["/item/a"] == site.visits["/items"] == 1
    assert answers["/item/a"].digest == answers["/item/b"].digest
    assert len([p for p in (tmp_path / "pages").rglob("*") if p.is_file()]) == 2


@pytest.mark.parametrize(
    ("replies", "dropped", "visits"),
    [
        ([Reply(status=429, headers={"Retry-After": "0"}), page()], "", 2),
        ([Reply(status=503), Reply(status=500), page()], "", 3),
        ([Reply(status=503)], "status 503", 4),
        ([Reply(status=404)], "status 404", 1),
        ([Reply(b"x", headers={"Content-Type": "image/png"})], "not text", 1),
        ([Reply(b"x" * 200_001)], "longer than 200000 bytes", 1),
        ([Reply(b"x", stall=2.0)], "no answer in time", 4),
        ([Reply(status=302, headers={"Location": "http://127.0.0.1:9/item/x"})], "redirected", 1),
    ],
)
def test_each_fault_ends_in_a_page_or_in_a_reason(tmp_path, replies, dropped, visits):
    site = RecordedSite({"/items": [page("/item/a")], "/item/a": replies})
    answers, _ = crawl(site, tmp_path, QUICK.model_copy(update={"timeout": 0.2}))
    assert answers["/item/a"].dropped == dropped
    assert bool(answers["/item/a"].digest) == (not dropped)
    assert site.visits["/item/a"] == visits


def test_a_page_of_50_mb_is_not_read_to_its_end(tmp_path):
    """Bounded memory: the body is given up at the limit."""
    site = RecordedSite({"/items": [page("/item/a")], "/item/a": [Reply(b"x" * 50_000_000)]})
    answers, _ = crawl(site, tmp_path)
    assert answers["/item/a"].dropped == "longer than 200000 bytes"
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) < 10_000


def test_a_redirect_is_followed_within_the_site_and_a_loop_ends(tmp_path):
    site = RecordedSite(
        {
            "/items": [page("/item/a")],
            "/item/a": [Reply(status=301, headers={"Location": "/item/b"})],
            "/item/b": [Reply(status=301, headers={"Location": "/item/a"})],
        }
    )
    answers, _ = crawl(site, tmp_path)
    assert {url: a.dropped for url, a in answers.items() if a.dropped} == {
        "/item/a": "redirected",
        "/item/b": "redirected",
    }


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        (
            Reply(b"User-agent: *\nDisallow: /item/a", headers={"Content-Type": "text/plain"}),
            {"/items", "/item/b"},
        ),
        (Reply(b"User-agent: lineshaft\nDisallow: /", headers={"Content-Type": "text/plain"}), set()),
        (Reply(status=404), {"/items", "/item/a", "/item/b"}),
        (Reply(status=500), set()),
    ],
)
def test_robots_txt_is_obeyed(tmp_path, robots, allowed):
    site = RecordedSite({"/items": [page("/item/a", "/item/b")], "/item/a": [page()], "/item/b": [page()]})
    site.replies["/robots.txt"] = [robots]
    answers, _ = crawl(site, tmp_path)
    assert {url for url, a in answers.items() if a.digest} == allowed
    assert {path for path in site.visits if path != "/robots.txt"} == allowed


def test_it_waits_as_long_as_it_is_asked_to(tmp_path):
    slept: list[float] = []
    site = RecordedSite(
        {
            "/robots.txt": [Reply(b"User-agent: *\nCrawl-delay: 3", headers={"Content-Type": "text/plain"})],
            "/items": [Reply(status=429, headers={"Retry-After": "17"}), Reply(status=503), page()],
        }
    )
    crawl(site, tmp_path, QUICK.model_copy(update={"backoff": 1.0}), sleep=slept.append)
    assert 17 in slept and 2.0 in slept
    assert sum(2.5 < s <= 3 for s in slept) == 2, "the delay of robots.txt between any two requests"


def test_unchanged_pages_of_a_later_visit_are_not_sent_again(tmp_path):
    tagged = Reply(page("/item/a").body, headers={"ETag": '"1"'})
    site = RecordedSite({"/items": [tagged], "/item/a": [page(), page(body="new")]})
    port_site = site.served()
    with port_site as address, httpx.Client() as client:
        for visit in (1, 2):
            crawler = Crawler(PageStore(tmp_path), QUICK, Selectors().links, visit, client)
            crawler.crawl([f"{address}/items"])
            first = crawler.store.answers[f"{address}/items"]
            assert (first.visit, bool(first.digest), first.dropped) == (visit, True, "")
    assert b"new" in crawler.store.body(crawler.store.answers[f"{address}/item/a"])


def test_a_killed_crawl_goes_on_without_a_lost_or_doubled_page(tmp_path):
    paths = [f"/item/{n}" for n in range(30)]
    site = RecordedSite({"/items": [page(*paths)], **{p: [page(body=p)] for p in paths}})

    def die(count: int) -> None:
        if count == 11:
            raise KeyboardInterrupt

    with site.served() as address, httpx.Client() as client:
        with pytest.raises(KeyboardInterrupt):
            Crawler(PageStore(tmp_path), QUICK, Selectors().links, 1, client).crawl([f"{address}/items"], die)
        with (tmp_path / "log.jsonl").open("ab") as log:
            log.write(b'{"url": "http://torn')
        store = PageStore(tmp_path)
        Crawler(store, QUICK, Selectors().links, 1, client).crawl([f"{address}/items"])
    assert len(store.pages()) == 31
    assert all(site.visits[path] == 1 for path in paths)
    assert PageStore(tmp_path).answers == store.answers


def test_dates_and_numbers_of_retry_after():
    now = 1_800_000_000.0
    assert retry_after("120", now) == 120
    assert retry_after(email.utils.formatdate(now + 60, usegmt=True), now) == 60
    assert retry_after(email.utils.formatdate(now - 60, usegmt=True), now) == 0
    assert retry_after("soon", now) is None and retry_after(None, now) is None


def test_links_that_are_no_addresses_are_no_links():
    assert absolute("http://a/b", "http://[broken") == ""
    assert absolute("http://a/b", "javascript:alert(1)") == ""
    assert absolute("http://A/b", "c#d") == "http://a/c"


def test_a_store_is_read_back_as_written(tmp_path):
    store = PageStore(tmp_path)
    kept = store.save(Answer("http://a/", 1, 200), b"body")
    again = PageStore(tmp_path)
    assert again.answers == {"http://a/": kept} and again.body(kept) == b"body"
