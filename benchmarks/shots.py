"""`make shots`: photographs every page of the running demo, in `.shots/` with an index page.

A page joins by its URL name alone: addresses without arguments are reversed; for the others the first link that leads
there, found on the pages already open, is followed. Pages that send one elsewhere are not photographed.
"""

import argparse
import html
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests import environment

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / ".shots"
WIDTHS, THEMES, LANGUAGES = (390, 1280), ("light", "dark"), ("en", "ja")
HEIGHT = 844
STYLE = "body{font:15px sans-serif;margin:2rem}div{display:flex;gap:1rem;overflow:auto}img{width:260px}"
EXTRA = {"404": "/no-such-page/"}
LEFT_OUT = re.compile(r"metrics|admin:(jsi18n|autocomplete|django_rq.*|.*_history)")  # django_rq: not our pages


@dataclass
class Person:
    """Somebody who looks at the pages; `state` is their browser's cookies."""

    name: str
    state: Any = None
    pages: dict[str, str] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make shots", description="Photographs every page of the running demo.")
    parser.add_argument("--state", type=Path, default=ROOT / ".demo", help="where the demo keeps everything")
    ready = parser.parse_args().state / "ready.json"
    if not ready.is_file():
        sys.stderr.write("shots: the demo is not running. Start it with make demo in another terminal.\n")
        return 2
    demo = json.loads(ready.read_text())
    environment.fill()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        people = [Person("visitor"), customer(browser, demo), staff(browser, demo)]
        for person in people:
            find_pages(browser, person, demo["site_url"])
        problems = [note for person in people for note in photograph(browser, person, demo["site_url"])]
        browser.close()
    write_index(people)
    sys.stdout.write("".join(f"look at: {note}\n" for note in sorted(set(problems))))
    sys.stdout.write(f"{len(list(OUT.rglob('*.png')))} photographs: {OUT.name}/index.html\n")
    return 0


# --- who looks


def signed_in(browser: Browser, demo: dict[str, Any], who: dict[str, str]) -> Page:
    page = browser.new_context(locale="en").new_page()
    page.goto(urljoin(demo["site_url"], "/account/login/"))
    page.fill("[name=login]", who["email"])
    page.fill("[name=password]", who["password"])
    page.locator("[name=password]").press("Enter")
    page.wait_for_load_state("networkidle")
    return page


def customer(browser: Browser, demo: dict[str, Any]) -> Person:
    """The demo's customer, with a plan in the cart so that the checkout has something to show."""
    page = signed_in(browser, demo, demo["customer"])
    page.goto(urljoin(demo["site_url"], "/plans/vpn/"))
    page.locator("main a[href^='/plans/vpn/']").first.click()
    page.locator("button[form]").locator("visible=true").first.click()
    page.wait_for_load_state("networkidle")
    return Person("customer", page.context.storage_state())


def staff(browser: Browser, demo: dict[str, Any]) -> Person:
    from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time

    page = signed_in(browser, demo, demo["staff"])
    code = hotp_value(demo["staff"]["totp_secret"], next(yield_hotp_counters_from_time()))
    page.fill("[name=code]", f"{code:06d}")
    page.locator("[name=code]").press("Enter")
    page.wait_for_load_state("networkidle")
    return Person("staff", page.context.storage_state())


# --- which pages there are


def url_names(patterns: Any = None, namespace: str = "") -> Iterator[str]:
    """Every name of the URLconf, with its namespace."""
    from django.urls import URLResolver, get_resolver

    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from url_names(pattern.url_patterns, inner)
        elif pattern.name:
            yield f"{namespace}{pattern.name}"


def fixed_addresses() -> dict[str, str]:
    """The pages whose address needs no argument."""
    from django.urls import NoReverseMatch, reverse

    found = dict(EXTRA)
    for name in url_names():
        try:
            found.setdefault(name, reverse(name))
        except NoReverseMatch:
            continue
    return {name: path for name, path in found.items() if not LEFT_OUT.fullmatch(name)}


def name_of(path: str) -> str:
    from django.urls import Resolver404, resolve

    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def concerns(person: Person, name: str) -> bool:
    """Staff see the admin, everybody else the rest."""
    return name.startswith("admin:") == (person.name == "staff") and not LEFT_OUT.fullmatch(name)


def find_pages(browser: Browser, person: Person, site: str) -> None:
    """Fills `person.pages`: fixed addresses first, then one link of every name met on the way."""
    page = context(browser, person, 1280, "light", "en", site).new_page()
    waiting = {name: path for name, path in fixed_addresses().items() if concerns(person, name)}
    met = set(waiting)
    while waiting:
        name, path = waiting.popitem()
        if not is_a_page(page, urljoin(site, path)):
            continue
        person.pages[name] = path
        for link in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            target = urlsplit(link)
            linked = name_of(target.path) if link.startswith(site) else ""
            if linked and linked not in met and concerns(person, linked):
                met.add(linked)
                waiting[linked] = target.path


def is_a_page(page: Page, address: str) -> bool:
    """Opens the address if it answers with a page of its own."""
    answer = page.request.get(address, max_redirects=0)
    is_page = answer.text().lstrip().lower().startswith("<!doctype html")  # fragments have none
    if not is_page or not (answer.status == 200 or urlsplit(address).path in EXTRA.values()):
        return False
    page.goto(address)
    return True


# --- the photographs


def context(browser: Browser, person: Person, width: int, theme: str, language: str, site: str) -> BrowserContext:
    made = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
        reduced_motion="reduce",
        storage_state=person.state,
    )
    made.add_cookies([{"name": "language", "value": language, "url": site}])
    return made


def photograph(browser: Browser, person: Person, site: str) -> list[str]:
    """All pages of one person in every combination; returns what looks wrong."""
    folder = OUT / person.name
    folder.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    for width, theme, language in product(WIDTHS, THEMES, LANGUAGES):
        made = context(browser, person, width, theme, language, site)
        page = made.new_page()
        page.on("console", lambda said: problems.extend(refusals(said)))
        for name, path in person.pages.items():
            page.goto(urljoin(site, path))
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                problems.append(f"{path} is wider than {width} px in {language}")
            page.screenshot(path=folder / file_name(name, width, theme, language), full_page=True)
        made.close()
    return problems


def refusals(said: ConsoleMessage) -> list[str]:
    """The page and the words, when the content security policy stopped something."""
    return [f"{said.location['url']}: {said.text}"] if "Content Security Policy" in said.text else []


def file_name(name: str, width: int, theme: str, language: str) -> str:
    return f"{name.replace(':', '-')}.{width}.{theme}.{language}.png"


def write_index(people: list[Person]) -> None:
    """`.shots/index.html`: one row per page, one picture per combination."""
    rows = []
    for person in people:
        rows.append(f"<h2>{person.name}</h2>")
        for name, path in sorted(person.pages.items()):
            pictures = "".join(picture(person.name, name, *each) for each in product(WIDTHS, THEMES, LANGUAGES))
            rows.append(f"<h3>{html.escape(name)} <small>{html.escape(path)}</small></h3><div>{pictures}</div>")
    page = f"<!doctype html><meta charset=utf-8><title>Shots</title><style>{STYLE}</style>{''.join(rows)}"
    (OUT / "index.html").write_text(page)


def picture(who: str, name: str, width: int, theme: str, language: str) -> str:
    source = f"{who}/{file_name(name, width, theme, language)}"
    words = html.escape(f"{name} {width} {theme} {language}")
    return f'<a href="{source}"><img loading="lazy" src="{source}" alt="{words}"></a>'


if __name__ == "__main__":
    sys.exit(main())
