"""From a plan to an order that works: options, cart, checkout, review, the order's page."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.waiting import until
from tests.whole.journeys.becoming import add_address, add_card
from tests.whole.journeys.outside import Outside
from tests.whole.journeys.window import Window

ADD = "button[form=options]"
ORDER = re.compile(r"/orders/[A-Z]{2,3}-\d{4}-\d{3}/")


def to_cart(window: Window, plan: str, **options: str) -> None:
    """Opens the plan's page, takes these values of its options, and ends in the cart."""
    window.open(plan)
    for name, value in options.items():
        window.choose(f"option-{name}", value)
    window.press(ADD)
    window.is_at(r"/cart/$")


def check_out(window: Window, papers: Callable[[], None] | None = None) -> None:
    """From the cart over everything that was missing to the review; nobody gets there before by the address.

    `papers` sends them in, where the plan needs them; their page is open.
    """
    window.follow("/checkout/", "checkout-missing")
    window.open("/checkout/review/")
    window.is_at(r"/checkout/$")
    window.follow("/account/address/", "address")
    add_address(window)
    window.is_at(r"/checkout/$")
    window.follow("/account/payment/")
    add_card(window)
    if papers:
        window.follow("/checkout/", "checkout-papers-missing")
        window.follow("/account/identity/")
        papers()
    window.follow("/checkout/", "checkout-complete")
    window.follow("/checkout/review/", "review")


def place(window: Window) -> None:
    """Not without the two boxes, which are said to be missing; then with them."""
    window.press("main form .button.block", "review-not-confirmed")
    expect(window.page.locator(".error-summary")).to_be_visible()
    window.tick("matters", "terms")
    window.press("main form .button.block")
    window.is_at(r"/orders/")


def order_here(window: Window) -> str:
    """The path of the order whose page is open."""
    found = ORDER.search(window.page.url)
    assert found, window.page.url
    return found[0]


def number_in(path: str) -> str:
    return path.split("/")[2]


def id_of(window: Window, path: str) -> str:
    """Its id in Salesforce, as soon as it is there."""
    return str(until(lambda: window.json(path)["sf_order_id"], what=f"{path} in Salesforce"))


def becomes(window: Window, kind: str) -> None:
    """The board turns to `kind` (ok: active; danger: cancelled), and the page stops asking."""
    window.shows(f".board[data-kind={kind}]")
    expect(window.page.locator("[data-poll]")).to_have_count(0)


@contextmanager
def without_a_reload(window: Window) -> Iterator[None]:
    """With a script, what happens within happens on the page that is open."""
    if window.cell.script:
        window.page.evaluate("window.neverReloaded = true")
    yield
    if window.cell.script:
        assert window.page.evaluate("window.neverReloaded") is True


def approved(window: Window, outside: Outside, path: str) -> str:
    """Support approves the order whose page is open, and it becomes active there; returns its id in Salesforce."""
    order_id = id_of(window, path)
    with without_a_reload(window):
        outside.order(order_id, "approve")
        becomes(window, "ok")
    return order_id
