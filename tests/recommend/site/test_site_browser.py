"""The whole visit in Debian's chromium: by mouse, by keyboard, without JavaScript; and what a machine can
tell of accessibility, of what is asked of other hosts, and of what the browser keeps."""

import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")


@pytest.fixture
def page(browser, served):
    opened = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme="light")
    watched(opened)
    opened.goto(served.address)
    yield opened
    assert opened.messages == []
    assert {url.split("/")[2] for url in opened.asked} == {served.address.split("/")[2]}
    assert all("?" not in url for url in opened.asked), "nothing of a visit is in an address"
    opened.context.close()


def watched(page):
    page.messages, page.asked = [], []
    page.on("console", lambda m: page.messages.append(m.text))
    page.on("pageerror", lambda e: page.messages.append(str(e)))
    page.on("request", lambda r: page.asked.append(r.url))


def titles(page) -> list[str]:
    return page.locator(".card h3").all_inner_texts()


def test_by_mouse(page):
    assert page.locator("h2").first.inner_text() == "Liked by many"
    page.locator("#q").press_sequentially("treasure iland")
    page.locator("#suggestions button", has_text="Treasure Island").click()
    page.get_by_role("button", name="Take Treasure Island out").wait_for()
    assert page.locator("h2").first.inner_text() == "Recommended for you"
    assert page.locator("#q").input_value() == ""
    quote = page.locator("blockquote").first
    assert "Boys, an island and pirates" in quote.inner_text()
    assert "Treasure Island and The Coral Island" in page.locator(".from").first.inner_text()
    first = titles(page)[0]
    page.get_by_role("button", name=f"Seen it: {first}").click()
    page.locator("#done", has_text=f"{first} is marked as known.").wait_for()
    assert first not in titles(page)
    second = titles(page)[0]
    page.get_by_role("button", name=f"Not for me: {second}").click()
    page.locator("#done", has_text=f"{second} will not be shown.").wait_for()
    assert second not in titles(page)
    page.get_by_role("button", name="More").click()
    page.locator("#done", has_text="More titles below.").wait_for()
    assert len(titles(page)) == 20
    page.locator("#filters > summary").click()
    page.locator("#filters fieldset").first.get_by_label("fantasy").check()
    page.wait_for_selector(".card:has-text('Peter and Wendy')")
    assert all("fantasy" in text for text in page.locator(".meta").all_inner_texts())
    assert page.locator("#filters").get_attribute("open") is not None
    page.get_by_label("further parts of series").check()
    page.locator("#import-box > summary").click()
    page.get_by_label("Titles, one a line").fill("Emma\nDracula\nNo such thing at all")
    page.get_by_role("button", name="Take it in").click()
    page.locator("#done", has_text="2 of your titles were found, 1 was not").wait_for()
    assert page.get_by_role("button", name="Take Emma out").is_visible()
    page.get_by_role("button", name="Clear everything").click()
    page.locator("#done", has_text="Everything is cleared.").wait_for()
    page.get_by_role("link", name="How it works").click()
    assert "What is stored about you" in page.locator("main").inner_text()


def test_by_keyboard_alone(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "q":
            break
    page.keyboard.type("sherlok")
    page.wait_for_selector("#suggestions button")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take The Adventures of Sherlock Holmes out").wait_for()
    page.wait_for_selector("#q:focus")  # ready for the next title
    page.keyboard.type("dracul")
    page.locator("#suggestions button", has_text="Dracula").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take Dracula out").wait_for()
    page.keyboard.type("zzz")
    page.keyboard.press("Escape")
    assert page.locator("#q").input_value() == ""
    first = titles(page)[0]
    page.get_by_role("button", name=f"Seen it: {first}").focus()
    page.keyboard.press("Enter")
    page.locator("#done", has_text=f"{first} is marked as known.").wait_for()
    page.wait_for_selector(".card button:focus")  # not at the top of the page again
    page.locator("#filters > summary").focus()
    page.keyboard.press("Enter")
    page.locator("#popularity").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#popularity[value='1']")
    page.wait_for_selector("#popularity:focus")


def test_without_javascript(browser, served):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    watched(page)
    page.goto(served.address)
    page.fill("#q", "tresure island")
    page.keyboard.press("Enter")
    page.locator("#suggestions button", has_text="Treasure Island").click()
    assert page.locator(".basket").inner_text().startswith("Treasure Island")
    first = titles(page)[0]
    page.get_by_role("button", name=f"Seen it: {first}").click()
    assert first not in titles(page)
    page.locator("#filters > summary").click()
    page.locator("#filters fieldset").first.get_by_label("sea", exact=True).check()
    page.get_by_role("button", name="Show", exact=True).click()
    assert titles(page) and all("sea" in text for text in page.locator(".meta").all_inner_texts())
    page.locator("#import-box > summary").click()
    page.set_input_files(
        "#file", {"name": "l.txt", "mimeType": "text/plain", "buffer": b"Emma\nnothing like it"}
    )
    page.get_by_role("button", name="Take it in").click()
    assert "1 of your titles was found, 1 was not" in page.locator("#done").inner_text()
    assert all("?" not in url for url in page.asked)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_nothing_serious(browser, served, scheme, width):
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    page = context.new_page()
    for path in ("/", "/how-it-works"):
        page.goto(f"{served.address}{path}")
        if path == "/":
            page.fill("#q", "treasure island")
            page.locator("#suggestions button").first.click()
            page.get_by_role("button", name="Take Treasure Island out").wait_for()
            page.locator("#filters > summary").click()
            page.locator("#import-box > summary").click()
            page.locator("#q").press_sequentially("emma")
            page.wait_for_selector("#suggestions button")
        page.evaluate(AXE)
        found = page.evaluate("axe.run()")["violations"]
        serious = [
            f"{v['id']}: {v['nodes'][0]['html'][:120]}"
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert serious == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_first_page_is_small_and_quick(browser, served):
    context = browser.new_context()
    page = context.new_page()
    size = []
    page.on("response", lambda r: size.append(len(r.body())))
    began = time.monotonic()
    page.goto(served.address)
    page.locator("#q").fill("e")
    took = time.monotonic() - began
    page.wait_for_load_state("networkidle")
    assert sum(size) < 150_000 and took < 3, "1 s on a quiet machine: python -m benchmarks.site"
    context.close()


def test_the_browser_keeps_nothing(page):
    page.locator("#q").fill("emma")
    page.locator("#suggestions button").first.click()
    page.get_by_role("button", name="Take Emma out").wait_for()
    kept = "[localStorage.length, sessionStorage.length, document.cookie, history.state]"
    assert page.evaluate(kept) == [0, 0, "", None]
    assert page.evaluate("location.pathname + location.search + location.hash") == "/"


@pytest.mark.parametrize("script", [True, False])
def test_the_list_outlives_a_look_at_how_it_works_and_the_name_of_the_site(browser, served, script):
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    watched(page)
    page.goto(served.address)
    page.fill("#q", "emma")
    if not script:
        page.keyboard.press("Enter")
    page.locator("#suggestions button").first.click()
    page.get_by_role("button", name="Take Emma out").wait_for()
    page.locator("#filters > summary").click()
    page.locator("#filters fieldset").first.get_by_label("romance").check()
    if not script:
        page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector(".card:has-text('romance')")
    page.get_by_role("button", name="How it works").click()
    page.get_by_role("heading", name="How it works").wait_for()
    assert page.get_by_role("button", name="Take Emma out").count() == 0
    page.get_by_role("button", name="Back to your books").click()
    page.get_by_role("button", name="Take Emma out").wait_for()
    assert page.locator("#filters fieldset").first.get_by_label("romance").is_checked()
    page.get_by_role("button", name="What to read next").click()
    page.get_by_role("button", name="Take Emma out").wait_for()
    assert all("?" not in url for url in page.asked) and page.messages == []
    context.close()


def test_what_happens_is_read_aloud_in_a_place_that_stays(page):
    """A screen reader does not notice a status that is new in the page: the same element has to change."""
    page.evaluate("document.getElementById('live').dataset.same = '1'")
    page.locator("#q").press_sequentially("emma")
    page.locator("#live[data-same]", has_text="found").wait_for(state="attached")
    page.locator("#suggestions button").first.click()
    page.locator("#live[data-same]", has_text="Emma is in your list.").wait_for(state="attached")
    page.get_by_role("button", name="More").focus()
    page.keyboard.press("Enter")
    page.locator("#live[data-same]", has_text="More titles below.").wait_for(state="attached")
    focused = (
        "Array.from(document.querySelectorAll('.card')).indexOf(document.activeElement.closest('.card'))"
    )
    assert page.evaluate(focused) == 10, "the keyboard goes on at the first new title"
