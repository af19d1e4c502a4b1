"""The report in a real browser: Debian's chromium opens the file and nothing else."""

from pathlib import Path

import pytest

from lineshaft.engine.report.page import write_report
from lineshaft.engine.run.execute import execute
from lineshaft.engine.spec.experiment import find

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
GALLERY = str(Path(__file__).parents[1] / "engine/toys/gallery.py")
LONG = "a_very_long_value_without_any_place_to_break" * 4

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """A page about three groups: two seeds, a hostile value with a figure that fails, a very long name."""
    runs = tmp_path_factory.mktemp("runs")
    model = find(GALLERY).config
    hostile = "<script>document.title='taken'</script>"
    for config in (
        model(seed=0),
        model(seed=1),
        model(text=hostile, lr=0.3, broken=True),
        model(text=LONG, lr=0.01),
    ):
        execute(GALLERY, config, runs)
    return write_report(runs, [], runs / "report.html")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(params=["light", "dark"])
def page(request, browser, report):
    """The page as opened from disk, with every request and message noted."""
    opened = browser.new_page(viewport={"width": 1000, "height": 800}, color_scheme=request.param)
    opened.scheme, opened.requests, opened.messages = request.param, [], []
    opened.on("request", lambda r: opened.requests.append(r.url))
    opened.on("console", lambda m: opened.messages.append(m.text))
    opened.on("pageerror", lambda e: opened.messages.append(str(e)))
    opened.goto(report.as_uri())
    yield opened
    opened.close()


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(page, report):
    outside = [url for url in page.requests if not url.startswith("data:")]
    assert outside == [report.as_uri()]
    assert page.messages == []
    assert page.title().startswith("lineshaft report")


def test_its_policy_stops_what_would_leave_the_page(page):
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
    page.wait_for_function("document.images[document.images.length - 1].complete")
    assert any("Content Security Policy" in text for text in page.messages)


def test_pictures_tables_and_curves_are_seen(page):
    sizes = page.evaluate("Array.from(document.images, i => [i.complete, i.naturalWidth])")
    assert len(sizes) == 6 and all(complete and width > 300 for complete, width in sizes)
    assert page.locator("table.results").first.is_visible() and page.locator("table.claims").is_visible()
    assert page.locator("svg polyline").count() == 6
    assert "no ink left" in page.locator(".note").inner_text()


@pytest.mark.parametrize("width", [1400, 1000, 360])
def test_long_names_stay_in_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("Math.max(...Array.from(document.querySelectorAll('.plots, .pictures, h2, h3'),"
                         " e => e.getBoundingClientRect().right))") <= width  # fmt: skip


def test_a_wide_table_scrolls_in_its_box(page):
    page.set_viewport_size({"width": 360, "height": 800})
    box = page.locator(".scroll").first
    assert box.evaluate("e => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX == 'auto'")


def test_a_verdict_is_read_whole_in_a_narrow_window(page):
    """Beside its claim it would be cut: "not yet measured" to "no"."""
    page.set_viewport_size({"width": 390, "height": 800})
    ends = page.evaluate(
        "Array.from(document.querySelectorAll('.verdict'), e => e.getBoundingClientRect().right)"
    )
    assert ends and max(ends) <= 390


def test_text_stands_out_in_light_and_dark(page):
    ink, paper = (
        page.evaluate(f"getComputedStyle(document.body).{key}") for key in ("color", "backgroundColor")
    )
    assert contrast(ink, paper) > 10
    assert (luminance(paper) < 0.1) == (page.scheme == "dark")
    for quiet in (".meta", ".small", ".about code", "td .verdict"):
        colour = page.locator(quiet).first.evaluate("e => getComputedStyle(e).color")
        assert contrast(colour, paper) > 4.5, quiet


def test_it_prints(page):
    assert page.pdf(format="A4").count(b"/Type /Page\n") >= 2 or len(page.pdf()) > 20_000


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)` (WCAG 2.2)."""
    channels = [int(c) / 255 for c in colour[4:-1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
