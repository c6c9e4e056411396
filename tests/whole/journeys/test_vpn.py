"""A VPN: a cart filled before there is an account, an order that is cancelled, and one that works."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.whole.journeys import cells
from tests.whole.journeys.becoming import sign_up
from tests.whole.journeys.conftest import Setting
from tests.whole.journeys.shopping import (
    ADD,
    approved,
    becomes,
    check_out,
    id_of,
    number_in,
    order_here,
    place,
    to_cart,
)

pytestmark = [pytest.mark.whole, pytest.mark.browser, pytest.mark.xdist_group("whole")]
DEVICES = "option-extra_devices"


@cells.travelled_in(cells.EN_PHONE)
def test_a_visitors_cart_becomes_an_order_that_is_cancelled_and_ordered_again(
    journey: Callable[[str], Setting],
) -> None:
    window, outside, person = journey("vpn")
    window.open("/plans/", "families")
    window.follow("/plans/vpn/", "plans")
    window.follow("/plans/vpn/VPN-US/", "plan")
    window.fill(**{DEVICES: "99"})
    window.press(ADD, "plan-refused")
    expect(window.page.locator(".error-summary")).to_be_visible()
    window.fill(**{DEVICES: "2"})
    if not window.cell.script:
        window.press("[data-unfollowed]", "plan-price-updated")
    window.page.locator(f"[name={DEVICES}]").press("Tab")
    window.shows("#price .sum-total:has-text('770')")
    window.press(ADD, "cart-of-a-visitor")

    window.follow("/checkout/", "sign-in")
    window.follow("/account/signup/")
    sign_up(window, outside, person)
    window.follow("/checkout/")
    window.open("/cart/", "cart-kept")
    expect(window.page.locator("main .rows > li")).to_have_count(1)
    check_out(window)
    place(window)
    first = order_here(window)
    first_id = id_of(window, first)
    window.follow(f"{first}cancel/", "cancel")
    window.press("main form .button.danger")
    becomes(window, "danger")
    window.look("order-cancelled")
    window.letter(outside.mail("Your order %(number)s is cancelled", number=number_in(first)), "cancelled")

    to_cart(window, "/plans/vpn/VPN-UK/")
    window.follow("/checkout/")
    window.follow("/checkout/review/")
    place(window)
    second = order_here(window)
    second_id = approved(window, outside, second)
    window.open("/orders/", "orders")
    window.open("/orders/?show=cancelled", "orders-cancelled")
    expect(window.page.locator("main .rows > li")).to_have_count(1)
    outside.judge(provisioned=[second_id], cancelled=[first_id])
