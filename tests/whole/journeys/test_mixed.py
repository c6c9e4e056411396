"""Internet, a SIM and a VPN in one cart, placed with one press: three orders."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.waiting import until
from tests.whole.journeys import cells
from tests.whole.journeys.becoming import sign_up
from tests.whole.journeys.conftest import Setting
from tests.whole.journeys.shopping import approved, check_out, place, to_cart

pytestmark = [pytest.mark.whole, pytest.mark.browser, pytest.mark.xdist_group("whole")]


@cells.travelled_in()
def test_three_services_in_one_cart_become_three_orders(journey: Callable[[str], Setting]) -> None:
    window, outside, person = journey("mixed")
    window.open("/account/signup/")
    sign_up(window, outside, person)
    to_cart(window, "/plans/internet/INT-HSE-1G/", router="none")
    to_cart(window, "/plans/sim/SIM-VD-10/", sim_type="esim")
    to_cart(window, "/plans/vpn/VPN-UK/")
    window.look("cart-of-three")
    window.follow("/checkout/", "checkout-address-not-checked")
    window.follow("/internet/check/")
    window.fill(postal_code="231-0868")
    if not window.cell.script:
        window.press("button[name=find]")
    expect(window.page.locator("[name=prefecture]")).to_have_value("14")
    window.fill(street="石川町2-61")
    window.choose("home", "house")
    window.press("main form .button:not(.second)", "check-under-way")
    until(outside.has_case("Eligibility Check"), what="the question at support")
    outside.decides("identity", status="Verified")  # by papers shown at the counter
    outside.decides("eligibility", value="House 1G")
    outside.mail("Fibre reaches your home")
    window.open("/cart/")
    check_out(window)
    place(window)
    window.is_at(r"/orders/placed/")
    window.look("placed")

    rows = window.page.locator("main .rows a.cover")
    expect(rows).to_have_count(3)
    paths = [str(row.get_attribute("href")) for row in rows.all()]
    ids = []
    for path in paths:
        window.open(path)
        ids.append(approved(window, outside, path))
    window.open("/overview/", "overview")
    window.open("/orders/?show=active", "orders-active")
    window.open("/services/", "services")
    expect(window.page.locator("main article.card")).to_have_count(3)
    outside.judge(provisioned=ids, cancelled=[])
