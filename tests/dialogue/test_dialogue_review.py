"""The review page in a real browser, and patches that apply again."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, Turn, Value
from lineshaft.dialogue.experiments import review
from lineshaft.dialogue.review.page import page
from lineshaft.dialogue.review.patch import Decision, applied, read_patch
from lineshaft.engine import RequestError, testing

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)
AREA = Slot("inn", "area")
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"


def annotated(count, turns=10):
    """Dialogues whose turn 0 of d7 is the least sure."""
    made = []
    for number in range(count):
        each = [
            Turn(
                HOSTILE if (number, i) == (7, 0) else f"go {i} north \u201cplease\u201d",
                {AREA: Value((f"north {i}",)), Slot("inn", "stars"): Value(("3", "4"), "one_of")},
                (Act("inn", "request", "area"),),
                "auto",
                0.01 if (number, i) == (7, 0) else 0.5 + i / 100,
                original="去北边" if i else None,
                confidence={AREA: 0.4, Slot("inn", "stars"): 0.99},
            )
            for i in range(turns)
        ]
        made.append(Dialogue(f"d{number}", tuple(each), "en"))
    return made


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, tmp_path):
    """A page of 10,000 turns, opened from disk, with every request and message noted."""
    (tmp_path / "review.html").write_text(page(annotated(1000), title="mine"), encoding="utf-8")
    sheet = browser.new_page(viewport={"width": 1000, "height": 900})
    sheet.requests, sheet.messages = [], []
    sheet.on("request", lambda r: sheet.requests.append(r.url))
    sheet.on("console", lambda m: sheet.messages.append(m.text))
    sheet.on("pageerror", lambda e: sheet.messages.append(str(e)))
    start = time.monotonic()
    sheet.goto((tmp_path / "review.html").as_uri())
    sheet.locator("article").first.wait_for()
    sheet.seconds = time.monotonic() - start
    yield sheet
    sheet.close()


@pytest.mark.browser
def test_ten_thousand_turns_open_at_once_the_worst_first(opened):
    first = opened.locator("article").first
    assert "d7 · turn 0" in first.inner_text() and HOSTILE in first.inner_text()
    assert opened.locator("article").count() == 40
    assert "0 of 10000 turns decided" in opened.locator("#count").inner_text()
    assert opened.seconds < 15, "on a busy machine; about one second on a quiet one"
    opened.mouse.wheel(0, 100000)
    opened.wait_for_function("document.querySelectorAll('article').length > 40")
    assert opened.title() == "Review of annotations" and opened.messages == []
    assert len([url for url in opened.requests if not url.startswith(("data:", "blob:"))]) == 1


@pytest.mark.browser
def test_decisions_become_a_patch_that_applies_and_loads_again(opened, tmp_path):
    cards = opened.locator("article")
    cards.nth(0).get_by_role("button", name="accept").click()
    cards.nth(1).get_by_role("button", name="reject").click()
    cards.nth(2).focus()
    opened.keyboard.press("e")
    cards.nth(2).get_by_label("value").first.fill("south")
    cards.nth(2).get_by_role("button", name="drop").nth(1).click()
    cards.nth(2).get_by_role("button", name="keep edit").click()
    with opened.expect_download() as download:
        opened.get_by_role("button", name="save patch").click()
    download.value.save_as(tmp_path / "patch.jsonl")
    decisions = read_patch(tmp_path / "patch.jsonl")
    assert sorted(decision.action for decision in decisions) == ["accept", "edit", "reject"]
    before = annotated(1000)
    after, unfit = applied(before, decisions)
    again, _ = applied(after, decisions)
    assert unfit == [] and again == after
    changed = [(d.id, i) for d, e in zip(before, after) for i in range(10) if d.turns[i] != e.turns[i]]
    assert len(changed) == 3
    edited = next(decision for decision in decisions if decision.action == "edit")
    turn = next(dialogue for dialogue in after if dialogue.id == edited.dialogue).turns[edited.turn]
    assert turn.state == {AREA: Value(("south",))} and turn.provenance == "gold"
    opened.reload()
    opened.wait_for_function("document.getElementById('count').textContent.startsWith('3 of')")
    opened.evaluate("localStorage.clear()")
    opened.reload()
    opened.locator("#load").set_input_files(tmp_path / "patch.jsonl")
    opened.wait_for_function("document.getElementById('count').textContent.startsWith('3 of')")


@pytest.mark.browser
def test_on_a_phone_nothing_is_wider_than_the_screen(opened):
    opened.set_viewport_size({"width": 390, "height": 844})
    opened.locator("article").nth(1).get_by_role("button", name="edit").click()
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.locator("p.said").first.get_attribute("dir") == "auto", "Arabic reads from the right"


@pytest.mark.browser
def test_what_cannot_be_kept_is_said_beside_the_turn(opened):
    card = opened.locator("article").nth(1)
    card.get_by_role("button", name="edit").click()
    card.get_by_label("value").first.fill(" ")
    card.get_by_role("button", name="keep edit").click()
    assert "every slot needs a domain" in card.inner_text()
    opened.locator("#find").fill("d999")
    opened.wait_for_function("document.querySelectorAll('article').length === 10")


def test_findings_come_first_and_are_shown():
    finding = {"dialogue": "d3", "turn": 2, "cause": "lost: 5", "fix": "put it back"}
    text = page(annotated(10), [finding])
    items = json.loads(text.split("const items = ")[1].split(";\nconst title")[0])
    assert (items[0]["dialogue"], items[0]["turn"], items[0]["findings"]) == (
        "d3",
        2,
        ["lost: 5: put it back"],
    )


def test_a_patch_does_not_fit_annotations_that_changed():
    before = annotated(1, 2)
    other = {"inn": {"area": "elsewhere"}}
    decisions = [
        Decision("d0", 0, "accept", other),
        Decision("d0", 1, "edit", other, {"inn": {"area": "south"}}),
        Decision("d0", 9, "reject"),
        Decision("nobody", 0, "reject"),
    ]
    after, unfit = applied(before, decisions)
    assert [each.split(":")[0] for each in unfit] == ["d0 turn 0", "d0 turn 9", "nobody turn 0"]
    assert after[0].turns[0] == before[0].turns[0]
    assert after[0].turns[1].state == {AREA: Value(("south",))}


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("{", "no decision"),
        ('{"dialogue": "d", "turn": 0}', "no decision"),
        ('{"dialogue": "d", "turn": 0, "action": "acept"}', "unknown action 'acept'; did you mean accept"),
        ('{"dialogue": "d", "turn": 0, "action": "edit"}', "`state` must be"),
        (
            '{"dialogue": "d", "turn": 0, "action": "edit", "state": {"a": {"b": [[1]]}}}',
            "a value must be text",
        ),
    ],
)
def test_a_bad_patch_names_its_line(tmp_path, line, cause):
    (tmp_path / "patch.jsonl").write_text(line + "\n")
    with pytest.raises(RequestError, match=rf"patch\.jsonl:1.*{cause}"):
        read_patch(tmp_path / "patch.jsonl")


def test_the_experiment_writes_the_page_and_the_reviewed_corpus(tmp_path):
    jsonl.write(tmp_path / "annotated.jsonl", annotated(3, 2))
    (tmp_path / "patch.jsonl").write_text('{"dialogue": "d1", "turn": 0, "action": "reject"}\n')
    config = review.Config(annotated=str(tmp_path / "annotated.jsonl"), patch=str(tmp_path / "patch.jsonl"))
    result = review.run(config, testing.FakeRun(tmp_path / "run"))
    assert result == {"turns": 6, "patch/reject": 1, "patch/unfit": 0}
    reviewed = jsonl.read(tmp_path / "run/reviewed.jsonl").dialogues
    assert reviewed[1].turns[0].state is None and reviewed[0].turns[0].state
    with pytest.raises(RequestError, match="is not a file"):
        review.run(review.Config(annotated="missing.jsonl"), testing.FakeRun(tmp_path / "run"))


def test_a_turn_without_a_score_ranks_by_its_least_sure_slot():
    dialogue = annotated(1, 1)[0]
    unscored = replace(dialogue, turns=(replace(dialogue.turns[0], score=None),))
    assert '"score":0.4' in page([unscored])
