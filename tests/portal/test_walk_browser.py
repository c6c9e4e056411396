"""A real browser finds nothing to refuse by the content security policy, on any page, the admin's too (security.md §3).

The pages are served from here, so that a session needs no signing in; static files come as in production.
"""

from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, sync_playwright

from accounts.models import User
from orders.models import Order
from tests.chromium import chromium
from tests.orders.steps import fill
from tests.people import make_staff, signed_in
from tests.portal.pages import addresses, is_html
from tests.portal.queue_pages import pages_with_a_failed_job
from tests.portal.rows import one_more, pages_of_rows
from tests.portal.test_walk import everywhere

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LISTEN = """addEventListener('securitypolicyviolation', event =>
    console.error('refused: ' + event.violatedDirective + ' ' + event.blockedURI))"""
NOBODYS = "/no-such-page/"


def pages(client: Client, paths: Iterable[str]) -> list[str]:
    """Those of the addresses that are whole pages for this browser, and one that does not exist."""
    shown = {path: client.get(path) for path in paths}
    whole = [path for path, answer in shown.items() if is_html(answer) and answer.content[:9].lower() == b"<!doctype"]
    return [*(path for path in whole if shown[path].status_code == 200), NOBODYS]


def complaints(browser: Browser, site: str, client: Client, paths: Iterable[str]) -> dict[str, list[str]]:
    """Page by page what the policy refused, and whatever else the browser complains of."""
    context = browser.new_context(base_url=site)
    context.add_init_script(LISTEN)
    if "sessionid" in client.cookies:
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
    page, said, found = context.new_page(), list[str](), dict[str, list[str]]()
    page.on(
        "console", lambda told: said.append(f"{told.text} {told.location['url']}") if told.type == "error" else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in paths:
        said.clear()
        page.goto(path)
        heard = [each for each in said if not each.endswith(NOBODYS)]
        found |= {path: heard} if heard else {}
    context.close()
    return found


def test_a_browser_refuses_nothing_and_complains_of_nothing(order: Order, aiko: User, live_server: Any) -> None:
    one_more(order)
    line = fill(aiko, "VPN-US").lines.first()
    assert line is not None
    customers = list(everywhere(order, line.pk).values())
    rows = [path for name, path in pages_of_rows().items() if not name.endswith("_history")]  # which are all the same
    staff = [*(path for path in addresses().values() if path.startswith("/admin/")), *rows]
    operator = make_staff("hal@example.jp", group="Operator").user
    operators = [*staff, *pages_with_a_failed_job()]
    clients = ((Client(), customers), (signed_in(aiko), customers), (signed_in(operator), operators))
    looks = [(client, pages(client, paths)) for client, paths in clients]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        found = [complaints(browser, live_server.url, client, paths) for client, paths in looks]
        browser.close()
    assert found == [{}, {}, {}]
