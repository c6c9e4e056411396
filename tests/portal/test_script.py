"""portal.js in Chromium: what it adds to pages that work without it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect, sync_playwright

from tests.accounts.identity import files

pytestmark = pytest.mark.browser
SITE = "https://portal.test"
SCRIPT = (Path(__file__).resolve().parents[2] / "static/portal.js").read_text()
FINAL = '<div id="board" data-announce="Active"><p>Active</p><button id="again">Check</button></div>'


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


class Site:
    """Answers the browser: pages by path; remembers what was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, list[tuple[int, str]]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.sent: list[str] = []  # what was posted

    def page(self, path: str, body: str) -> None:
        head = '<!doctype html><html lang="en"><script src="/portal.js" defer></script>'
        self.pages[path] = [(200, f'{head}<body>{body}<p role="status" id="announcer"></p>')]

    def answer(self, route: Route) -> None:
        request = route.request
        path = request.url.removeprefix(SITE)
        if path == "/portal.js":
            route.fulfill(body=SCRIPT, content_type="text/javascript")
            return
        self.asked.append((request.method, path, request.headers.get("if-none-match", "")))
        if request.method == "POST":
            self.sent.append(request.post_data or "")
        answers = self.pages.get(path, [(404, "")])
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        route.fulfill(status=status, body=body, content_type="text/html", headers={"ETag": f'"{len(body)}"'})


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    context = chromium.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    opened.route("**/*", site.answer)
    yield opened
    context.close()


def board(words: str) -> str:
    return (
        f'<div id="board" data-poll="/status/" data-every="0.05" data-announce="{words}"><p>{words}</p>'
        '<button id="again">Check</button><p class="live" data-stale="No connection. Last checked">'
        "<span data-live-words>Updates by itself. Last checked</span> <span data-live-clock>09:41:07</span></p></div>"
    )


def test_the_board_is_replaced_announced_and_left_alone_at_the_end(page: Page, site: Site) -> None:
    site.page("/", board("In review"))
    site.pages["/status/"] = [(200, board("In review")), (304, ""), (200, board("Activating")), (200, FINAL)]
    page.goto(f"{SITE}/")
    page.focus("#again")
    expect(page.locator("#board p").first).to_have_text("Active")
    expect(page.locator("#announcer")).to_have_text("Active")
    expect(page.locator("#again")).to_be_focused()
    polls = [asked for asked in site.asked if asked[1] == "/status/"]
    assert len(polls) == 4
    assert polls[0][2] == ""
    assert polls[1][2]


def test_what_stands_beside_the_board_and_the_title_follow(page: Page, site: Site) -> None:
    def live(words: str, number: str) -> str:
        part = (
            f'<div id="board" data-poll="/status/" data-every="0.05" data-etag="first" data-title="{words}: 1"></div>'
        )
        return f'{part}<aside id="facts" data-beside><a id="ask" href="/">Ask</a><b>{number}</b></aside>'

    site.page("/", f"<title>In review: 1 | Brand</title>{live('In review', '')}")
    site.pages["/status/"] = [(304, ""), (200, live("Active", "00000100")), (304, "")]
    page.goto(f"{SITE}/")
    page.focus("#ask")
    expect(page.locator("#facts b")).to_have_text("00000100")
    expect(page).to_have_title("Active: 1 | Brand")
    expect(page.locator("#ask")).to_be_focused()
    asked = [asked[2] for asked in site.asked if asked[1] == "/status/"]
    assert asked[0] == "first", "what the page has is not sent again"


def test_an_unchanged_state_is_not_read_out(page: Page, site: Site) -> None:
    site.page("/", board("In review"))
    site.pages["/status/"] = [(200, board("In review")), (200, board("In review")), (200, board("In review"))]
    page.goto(f"{SITE}/")
    expect(page.locator("[data-live-clock]")).not_to_have_text("09:41:07")
    expect(page.locator("#announcer")).to_have_text("")


def test_a_part_without_a_clock_is_asked_for_until_the_end(page: Page, site: Site) -> None:
    waiting = '<div id="board" data-poll="/status/" data-every="0.05"><p class="live"><span>Updates</span></p></div>'
    site.page("/", waiting)
    site.pages["/status/"] = [(200, waiting), (503, ""), (200, waiting), (200, FINAL)]
    page.goto(f"{SITE}/")
    expect(page.locator("#board p").first).to_have_text("Active")


def test_without_connection_the_board_says_when_it_was_last_checked(page: Page, site: Site) -> None:
    site.page("/", board("In review"))
    site.pages["/status/"] = [(503, ""), (503, ""), (200, FINAL)]
    page.goto(f"{SITE}/")
    expect(page.locator("[data-live-words]")).to_have_text("No connection. Last checked")
    expect(page.locator("[data-live-clock]")).to_have_text("09:41:07")
    expect(page.locator("#board p").first).to_have_text("Active")


def test_a_form_is_sent_once_and_its_button_says_so(page: Page, site: Site) -> None:
    form = (
        '<form method="post" action="/slow/" target="answer"><button class="button" data-busy="Placing">Place</button>'
    )
    site.page("/", f'{form}</form><iframe name="answer"></iframe>')
    page.goto(f"{SITE}/")
    page.dblclick("button")
    page.keyboard.press("Enter")
    expect(page.locator("button")).to_have_text("Placing")
    expect(page.locator("button")).to_have_attribute("aria-busy", "true")
    assert [asked[0] for asked in site.asked if asked[1] == "/slow/"] == ["POST"]


def test_copying_is_offered_where_it_works(page: Page, site: Site) -> None:
    button = '<button hidden data-copy="#code" data-copied="Copied">Copy</button>'
    site.page("/", f'<code id="code">8981-0002</code>{button}')
    page.goto(f"{SITE}/")
    page.click("button")
    expect(page.locator(".toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "8981-0002"


def test_the_error_summary_gets_the_focus(page: Page, site: Site) -> None:
    site.page("/", '<div class="error-summary" role="alert" tabindex="-1"><a href="#x">Postal code</a></div>')
    page.goto(f"{SITE}/")
    expect(page.locator(".error-summary")).to_be_focused()


def test_escape_closes_the_account_menu(page: Page, site: Site) -> None:
    site.page("/", '<details class="menu"><summary>Account</summary><a href="/">Sign out</a></details>')
    page.goto(f"{SITE}/")
    page.click("summary")
    page.keyboard.press("Escape")
    expect(page.locator("details")).not_to_have_attribute("open", "")
    expect(page.locator("summary")).to_be_focused()


def priced(amount: str) -> str:
    dock = f'<div id="price-in-dock"><p class="price">{amount}</p></div>'
    return f'<aside id="price">{amount}</aside>{dock}'


def test_the_price_follows_the_choice(page: Page, site: Site) -> None:
    choices = '<input name="router" type="radio" value="own" checked><input name="router" type="radio" value="wifi6">'
    buttons = '<input type="hidden" name="csrfmiddlewaretoken" value="x"><button data-unfollowed>Update price</button>'
    form = f'<form id="options" method="post" action="/cart/add/" data-follow>{buttons}{choices}</form>'
    site.page("/", form + priced("¥4,730"))
    site.pages["/cart/add/"] = [(200, priced("¥5,280")), (404, "")]
    page.goto(f"{SITE}/")
    expect(page.locator("button")).to_be_hidden()
    page.check("[value=wifi6]")
    expect(page.locator("#price")).to_have_text("¥5,280")
    expect(page.locator("#announcer")).to_have_text("¥5,280")
    assert site.asked[-1][:2] == ("POST", "/cart/add/")
    assert "intent=price" in site.sent[-1]
    page.check("[value=own]")  # the site has no such page
    expect(page.locator("button")).to_be_visible()


PAPER = (
    '<form method="post" data-paper data-large="{size} MB is too much" data-fits="Chosen: {size} MB">'
    '<input type="file" data-most="1048576"><canvas width="32" height="1" hidden></canvas><p data-chosen></p></form>'
)


def test_a_chosen_photo_is_shown_small_and_its_size_is_said(page: Page, site: Site) -> None:
    site.page("/", PAPER)
    page.goto(f"{SITE}/")
    photo = FilePayload(name="card.jpg", mimeType="image/jpeg", buffer=files.picture(size=(800, 500)))
    page.set_input_files("input", photo)
    expect(page.locator("canvas")).to_be_visible()
    expect(page.locator("canvas")).to_have_attribute("height", "20")
    expect(page.locator("[data-chosen]")).to_have_text("Chosen: 0.0 MB")
    assert page.evaluate("document.querySelector('canvas').getContext('2d').getImageData(5, 5, 1, 1).data[2]") > 200

    page.set_input_files(
        "input", {"name": "large.pdf", "mimeType": "application/pdf", "buffer": bytes(3 * 1024 * 1024)}
    )
    expect(page.locator("[data-chosen]")).to_have_text("3.0 MB is too much")
    expect(page.locator("canvas")).to_be_hidden()


def depending(words: str, hidden: str) -> str:
    dependent = f'<div id="depends-name" data-depends{hidden}><input name="option-name" aria-label="Name"></div>'
    return (
        '<form method="post" action="/cart/add/" data-follow>'
        '<input type="checkbox" name="option-static" value="yes" aria-label="Static">'
        f"{dependent}<button data-unfollowed>Update price</button></form>"
        f'<aside id="price">{words}</aside><div id="price-in-dock"><p class="price">{words}</p></div>'
    )


def test_a_choice_brings_its_price_and_the_options_that_depend_on_it_and_keeps_what_was_typed(
    page: Page, site: Site
) -> None:
    site.page("/", depending("¥550", " hidden"))
    answers = [depending("¥880", ""), depending("¥990", ""), depending("¥550", " hidden")]
    site.pages["/cart/add/"] = [(200, answer) for answer in answers]
    page.goto(f"{SITE}/")
    name = page.locator("[name=option-name]")
    expect(name).to_be_hidden()
    page.check("[name=option-static]")
    expect(page.locator("#price")).to_have_text("¥880")
    expect(name).to_be_visible()
    expect(page.locator("[name=option-static]")).to_be_focused()
    name.fill("tokyo")
    name.blur()
    expect(page.locator("#price")).to_have_text("¥990")
    page.uncheck("[name=option-static]")
    expect(name).to_be_hidden()
    expect(page.locator("#price")).to_have_text("¥550")
    expect(name).to_have_value("tokyo")
    assert ["tokyo" in sent for sent in site.sent] == [False, True, True]
    assert not [path for _, path, _ in site.asked if "tokyo" in path], "what is typed stands in no address"
