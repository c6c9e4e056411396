"""One browser window of one journey: it opens pages, presses buttons, and looks at every page it comes through."""

import re
from typing import Any
from urllib.parse import urljoin

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Route, expect

from sandbox.demo.stack import Stack
from tests.waiting import until
from tests.whole.conftest import ARTIFACTS
from tests.whole.journeys.cells import HEIGHT, PHONE, Cell

PICTURES = ARTIFACTS / "journeys"
PATIENCE_MS = 20_000
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")
ASKED_FOR = re.compile(r"status of (409|422)")  # Chromium says so of a page that asks for a correction
READER = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
UNSCRIPTED = {"<noscript>": "<div>", "</noscript>": "</div>"}


class Window:
    """`problems` is what was wrong with the pages so far, each with the name of its picture."""

    def __init__(self, browser: Browser, stack: Stack, journey: str, cell: Cell) -> None:
        self.cell, self.site_url, self.problems = cell, stack.site_url, list[str]()
        self._people_url = stack.ready["people_url"]
        self._name, self._shots, self._heard = f"{journey}-{cell}", 0, list[str]()
        self._context = browser.new_context(**cell.options(self.site_url))
        self._context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._heard.append(f"script failed: {error}"))
        self._reader = None if cell.script else Reader(browser, cell, self.site_url)
        for old in PICTURES.glob(f"{self._name}-*.png"):
            old.unlink()

    def close(self) -> None:
        self._context.close()
        if self._reader:
            self._reader.close()

    # --- going on

    def open(self, path: str, name: str = "") -> None:
        """Opens an address of the portal; with a `name`, looks at the page."""
        self.page.goto(path)
        if name:
            self.look(name)

    def follow(self, address: str, name: str = "") -> None:
        """The first link of the page's main part whose address has this in it."""
        self._go(self._visible(f"main a[href*='{address}']"), name)

    def press(self, button: str, name: str = "") -> None:
        """The first visible button for this CSS selector, which sends its form."""
        self._go(self._visible(button), name)

    def _go(self, control: Locator, name: str) -> None:
        control.click()
        self.page.wait_for_load_state()
        if name:
            self.look(name)

    def _visible(self, selector: str) -> Locator:
        return self.page.locator(selector).locator("visible=true").first

    def fill(self, **values: str) -> None:
        """Types into the fields of these names."""
        for name, value in values.items():
            self.page.locator(f"main [name={name}]").locator("visible=true").fill(value)

    def tick(self, *names: str) -> None:
        for name in names:
            self.page.locator(f"main [name={name}]").check()

    def choose(self, name: str, value: str) -> None:
        """A radio button, or one box of several."""
        self.page.locator(f"main [name='{name}'][value='{value}']").check()

    def has_a_fingerprint_reader(self) -> None:
        """From now on: one that always finds the right finger."""
        session = self._context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": READER})

    def is_at(self, address: str) -> None:
        """Waits until the page's address matches this regular expression."""
        expect(self.page).to_have_url(re.compile(address), timeout=PATIENCE_MS)

    def shows(self, selector: str, count: int = 1) -> None:
        """Waits until so many elements are there. Without a script nothing comes by itself: reloads meanwhile."""
        wanted = self.page.locator(selector)
        if not self.cell.script:
            until(lambda: wanted.count() == count or self.page.reload() is None, what=f"{count} × {selector}")
        expect(wanted).to_have_count(count, timeout=PATIENCE_MS)

    def json(self, path: str) -> dict[str, Any]:
        """The JSON representation of a page, asked with the window's cookies."""
        answer = self.page.request.get(urljoin(self.site_url, path), headers={"Accept": "application/json"})
        assert answer.ok, f"{path}: {answer.status}"
        return dict(answer.json())

    # --- looking

    def look(self, name: str) -> None:
        """Photographs the page and notes what is wrong with it: axe, sideways scrolling, refusals, language."""
        found = [*self._axe(), *self._sideways(), *self._heard, *self._language()]
        self._heard.clear()
        picture = self.shot(name)
        self.problems += [f"{picture}: {problem}" for problem in found]

    def shot(self, name: str) -> str:
        """A picture alone, for pages that are not the portal's."""
        return self._picture(self.page, name, self.cell.width)

    def _picture(self, page: Page, name: str, width: int) -> str:
        """Of the whole page, in a window as high as it, so that what clings to the window's edge is at its end."""
        self._shots += 1
        picture = f"{self._name}-{self._shots:02d}-{name}.png"
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": max(height, HEIGHT)})
        page.screenshot(path=PICTURES / picture)
        page.set_viewport_size({"width": width, "height": HEIGHT})
        return picture

    def letter(self, mail: dict[str, Any], name: str) -> None:
        """A picture of a mail's HTML as the sandbox's mail page shows it, in a narrow column."""
        address = urljoin(self._people_url, f"/mail/{mail['id']}/html")
        page = self._context.new_page()
        page.set_viewport_size({"width": PHONE, "height": HEIGHT})
        page.goto(address)
        if page.evaluate("document.documentElement.scrollWidth") > PHONE:
            self.problems.append(f"the mail {name} is wider than {PHONE} px")
        self._picture(page, f"mail-{name}", PHONE)
        page.close()

    def _hear(self, said: ConsoleMessage) -> None:
        ours = said.location["url"].startswith(self.site_url)
        if ours and said.type in {"error", "warning"} and not ASKED_FOR.search(said.text):
            self._heard.append(f"console: {said.text}")

    def _axe(self) -> list[str]:
        page = self._reader.page_like(self.page) if self._reader else self.page
        violations = Axe().run(page).response["violations"]
        return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in violations]

    def _sideways(self) -> list[str]:
        width = self.page.evaluate("document.documentElement.scrollWidth")
        return [f"{width} px wide"] if width > self.cell.width else []

    def _language(self) -> list[str]:
        told, text = self.page.locator("html").get_attribute("lang"), self.page.locator("main").inner_text()
        is_japanese = len(JAPANESE.findall(text)) > len(LATIN.findall(text)) // 2
        if told == self.cell.language and is_japanese is (told == "ja"):
            return []
        return [f"the page says it is in {told}, its text is {'' if is_japanese else 'not '}Japanese"]


class Reader:
    """axe is a script: what a window without scripts shows is shown to it in one with them, ours left out."""

    def __init__(self, browser: Browser, cell: Cell, site_url: str) -> None:
        self._context = browser.new_context(**cell.options(site_url) | {"java_script_enabled": True})
        self._page, self._html, self._address = self._context.new_page(), "", ""
        self._page.route("**/*", self._answer)

    def page_like(self, shown: Page) -> Page:
        """A page with the same content, whose styles take it for one without scripts."""
        html = re.sub(r"<noscript><meta http-equiv=.refresh.*?</noscript>", "", shown.content())
        for tag, instead in UNSCRIPTED.items():
            html = html.replace(tag, instead)
        self._html, self._address = html, shown.url.partition("#")[0]
        self._page.goto(self._address)
        return self._page

    def _answer(self, route: Route) -> None:
        asked = route.request
        if asked.resource_type == "document":
            route.fulfill(body=self._html, content_type="text/html; charset=utf-8")
        elif asked.resource_type == "script":
            route.fulfill(body="", content_type="text/javascript")
        elif asked.resource_type == "stylesheet":
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.text().replace("(scripting: none)", "all"))
        else:
            route.continue_()

    def close(self) -> None:
        self._context.close()
