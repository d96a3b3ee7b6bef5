"""The page of `t2v demo` in a real browser: what a visitor does, with the mouse and without."""

import contextlib
import re
import shutil
import urllib.parse

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from t2v_jax.data.videos.readers import read_pictures
from t2v_jax.inference import metadata

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ONE, OTHER = "digit 3 is up and down.", "the digit 7 is moving left and right"
PATIENCE = 120_000  # milliseconds, of a busy machine

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium found: install Debian's package chromium"),
    pytest.mark.filterwarnings("ignore::t2v_jax.inference.generation.UnknownWord"),
]
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright, contextlib.ExitStack() as stack:
        # Without a sandbox: root, as in a container, cannot have one.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        stack.callback(browser.close)
        yield browser


@pytest.fixture
def visit(browser, server):
    """Opens the page, at an address that ends so; it may ask nobody else and report no error."""
    with contextlib.ExitStack() as stack:
        trouble = []

        def visit(ending="", route=None, **options):
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.on("pageerror", lambda error: trouble.append(str(error)))
            page.on(
                "request",
                lambda request: request.url.startswith(server.address) or trouble.append(request.url),
            )
            if route:
                page.route(*route)
                # An answer that is still under way would otherwise fail the next test.
                stack.callback(page.unroute_all, behavior="ignoreErrors")
            page.goto(server.address + ending)
            expect(video(page)).to_be_visible()
            return page

        yield visit
        assert trouble == []


def video(page):
    """The painted canvas of the one take."""
    return page.locator("figure canvas[role=img]")


def pixels(canvas):
    return canvas.evaluate("canvas => canvas.toDataURL()")


def plays(page):
    """Whether the video moves, within PATIENCE."""
    first = pixels(video(page))
    for _ in range(PATIENCE // 50):
        if pixels(video(page)) != first:
            return True
        page.wait_for_timeout(50)
    return False


def say(page, sentence):
    page.get_by_label("Sentence", exact=True).fill(sentence)
    page.keyboard.press("Enter")


def chosen(page):
    """What the address says of the video."""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).fragment))


def focused(page):
    return page.evaluate("document.activeElement.id || document.activeElement.textContent")


def test_it_plays_at_once_and_follows_the_sentence(visit, exported):
    page = visit()
    expect(video(page)).to_have_accessible_name(ONE)
    assert plays(page) and chosen(page) == {"model": exported, "prompt": ONE, "seed": "0", "speed": "10"}
    say(page, OTHER)
    expect(video(page)).to_have_accessible_name(OTHER)
    assert plays(page) and chosen(page)["prompt"] == OTHER
    page.get_by_role("button", name="Pause").click()
    still = pixels(video(page))
    page.wait_for_timeout(500)
    assert pixels(video(page)) == still


def test_unknown_words_are_marked_while_one_types(visit):
    page = visit()
    page.get_by_label("Sentence", exact=True).fill("the digit 3 is moving up and dwn")
    expect(page.locator("#heard mark")).to_have_text("dwn")
    page.get_by_role("button", name="Put down in place of dwn").click()
    expect(video(page)).to_have_accessible_name("the digit 3 is moving up and down")
    expect(page.locator("#heard")).to_be_empty()
    assert focused(page) == "prompt"


def test_a_sentence_that_is_refused_leaves_the_video_alone(visit):
    page = visit()
    expect(video(page)).to_have_accessible_name(ONE)
    page.get_by_label("Sentence", exact=True).fill("zebra")
    refusal = page.locator("#heard.error")
    expect(refusal).to_contain_text("zebra")  # the line hears what is typed, and then what is asked for
    with page.expect_response(lambda answer: answer.url.endswith("/play") and not answer.ok):
        page.keyboard.press("Enter")
    for _ in range(3):
        page.wait_for_event("requestfinished", lambda request: request.url.endswith("/play"))
        assert plays(page)
    expect(refusal).to_contain_text("zebra")
    assert chosen(page)["prompt"] == "zebra"
    expect(video(page)).to_have_accessible_name(ONE)
    say(page, ONE)
    expect(page.locator("#heard")).to_be_empty()


def test_a_switch_of_models_clears_the_picture(visit):
    page = visit()
    size = "canvas => canvas.width"
    assert video(page).evaluate(size) == 16
    page.route("**/play", lambda route: None)  # no answer yet
    page.get_by_text("moving digits").click()
    expect(page.locator("#waiting")).to_contain_text("Preparing moving-digits")
    expect(video(page)).to_have_count(0)
    assert page.locator("figure canvas").evaluate(size) == 1
    page.unroute("**/play")
    page.get_by_role("button", name="Another take").click()
    expect(video(page)).to_have_accessible_name("the digit 5 is moving up and down")
    expect(page.locator("#waiting")).to_be_empty()
    assert video(page).evaluate(size) == 64 and chosen(page)["seed"] == "1"


def test_one_of_four_takes_is_kept(visit):
    page = visit()
    page.get_by_role("button", name="Four takes").click()
    takes = page.locator("#takes button canvas[role=img]")
    expect(takes).to_have_count(4)
    assert len({pixels(take) for take in takes.all()}) == 4
    page.get_by_role("button", name="Seed 2: keep").click()
    expect(page.get_by_text("Seed 2")).to_be_visible()
    assert plays(page) and chosen(page)["seed"] == "2" and focused(page) == "four"


def test_a_recording_is_saved_as_it_was_steered(visit, tmp_path):
    page = visit()
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#record")).to_have_text(re.compile(r"Stop \([3-9] frames\)"))
    say(page, OTHER)
    expect(video(page)).to_have_accessible_name(OTHER)
    page.get_by_role("button", name="Stop").click()
    frames = int(re.search(r"(\d+) frames", page.locator("#files").inner_text())[1])
    for name, ending in {"GIF": ".gif", "MP4": ".mp4", "WebP": ".webp", "Sprite sheet": ".png"}.items():
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        path = tmp_path / f"clip{ending}"
        download.value.save_as(path)
        told = metadata.read(path)
        assert re.fullmatch(rf"0: {re.escape(ONE)} \| \d+: {OTHER}", told["prompt"])
        assert told["frames"] == frames and download.value.suggested_filename.endswith(ending)
        if ending != ".png":
            with open(path, "rb") as file:
                seen = [np.asarray(picture.paint()) for picture in read_pictures(file, ending, {})]
            assert 1 < len(seen) <= frames and seen[0].shape[:2] == (256, 256)


def test_a_link_opens_the_same_video(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    say(page, OTHER)
    expect(video(page)).to_have_accessible_name(OTHER)
    page.get_by_role("button", name="Another take").click()
    page.get_by_label("Speed").fill("25")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    other = visit(link.partition("/")[2].partition("/")[2].partition("/")[2])
    expect(video(other)).to_have_accessible_name(OTHER)
    assert chosen(other) == chosen(page) and chosen(page)["seed"] == "1" and chosen(page)["speed"] == "25"


def test_it_works_behind_a_prefix(visit, server):
    def strip(route):
        route.fulfill(response=route.fetch(url=route.request.url.replace("proxy/8000/", "")))

    page = visit("proxy/8000/", route=("**/proxy/8000/**", strip))
    assert plays(page) and "/proxy/8000/#" in page.url


def test_a_link_that_is_wrong_opens_the_first_model(visit, exported):
    page = visit("#model=nosuch&seed=-5&speed=x&prompt=zebra")
    expect(video(page)).to_have_accessible_name(ONE)
    assert chosen(page) == {"model": exported, "prompt": ONE, "seed": "0", "speed": "10"}


def test_the_sentence_stands_above_the_video_on_a_phone(visit):
    page = visit(viewport={"width": 375, "height": 667})
    box, shown = (page.locator(part).bounding_box() for part in ("#prompt", "figure canvas"))
    assert 0 < box["y"] + box["height"] < shown["y"] and shown["y"] + shown["height"] <= 667
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_the_keyboard_is_enough(visit):
    page = visit()
    press = page.keyboard.press
    press("Tab")
    press("ArrowRight")
    press("ArrowLeft")
    expect(video(page)).to_have_accessible_name(ONE)
    assert page.get_by_role("radio", name="small").evaluate("radio => radio === document.activeElement")
    press("Tab")
    assert focused(page) == "prompt"
    press("Control+a")
    page.keyboard.type(OTHER)
    press("Enter")
    expect(video(page)).to_have_accessible_name(OTHER)
    reached = []
    while not reached or reached[-1] != "inside":
        press("Tab")
        reached.append(
            page.evaluate("(document.activeElement.closest('details') ?? document.activeElement).id")
        )
        if reached[-1] in ("pause", "again", "four"):
            press("Space")
            assert focused(page) == reached[-1]  # it stays
    press("Enter")
    expect(page.get_by_role("table")).to_be_visible()
    assert [name for name in reached if name] == ["pause", "again", "four", "copy", "speed", "inside"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, scheme):
    page = visit(color_scheme=scheme)
    say(page, "the digit 3 is moving up and dwn")
    page.get_by_text("What the model reads").click()
    expect(page.get_by_role("columnheader")).to_have_text(["the", "digit", "3", "is", "moving", "up", "and"])
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Four takes").click()
    expect(page.locator("#takes button canvas[role=img]")).to_have_count(4)
    assert Axe().run(page).response["violations"] == []


def test_attention_is_a_table_of_numbers(visit):
    page = visit()
    page.get_by_text("What the model reads").click()
    expect(page.get_by_role("row")).to_have_count(5)
    rows = {row.locator("th").first.inner_text(): row for row in page.get_by_role("row").all()}
    assert rows.keys() == {"word", "tag", "entity", "attention, appearance", "attention, motion"}
    assert rows["word"].get_by_role("columnheader").all_inner_texts() == [
        "digit",
        "3",
        "is",
        "up",
        "and",
        "down",
    ]
    assert rows["entity"].get_by_role("cell").all_inner_texts()[1] == "cardinal"
    assert rows["tag"].get_by_title("number").all_inner_texts() == ["CD"]
    for name in ("attention, appearance", "attention, motion"):
        assert abs(sum(map(int, rows[name].get_by_role("cell").all_inner_texts())) - 100) <= 3
