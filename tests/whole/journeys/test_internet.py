"""Home internet, from a visitor's question about an address to a line that works."""

from collections.abc import Callable

import pytest

from tests.waiting import until
from tests.whole.journeys import cells
from tests.whole.journeys.becoming import sign_up
from tests.whole.journeys.conftest import Setting
from tests.whole.journeys.people import BRAND
from tests.whole.journeys.shopping import approved, check_out, number_in, order_here, place, to_cart

pytestmark = [pytest.mark.whole, pytest.mark.browser, pytest.mark.xdist_group("whole")]


@cells.travelled_in()
def test_a_visitor_asks_about_an_address_and_orders_what_reaches_it(journey: Callable[[str], Setting]) -> None:
    window, outside, person = journey("internet")
    window.open("/", "home")
    window.follow("/plans/internet/", "plans")
    window.follow("/internet/check/", "address-check")
    window.fill(postal_code="108-0023")
    if not window.cell.script:
        window.press("button[name=find]")
    window.shows("[name=city][value='港区']" if not window.cell.script else "[name=city]")
    window.fill(street="芝浦9-9-9")
    window.choose("home", "flat")
    window.press("main form .button:not(.second)", "check-kept")
    window.follow("/account/signup/")
    sign_up(window, outside, person)

    window.follow("/internet/check/", "check-under-way")
    window.open("/overview/", "overview-check-under-way")
    until(outside.has_case("Eligibility Check"), what="the question at support")
    outside.decides("eligibility", value="Apartment 1G")
    window.letter(outside.mail("Fibre reaches your home"), "fibre-reaches-you")
    window.open("/internet/check/", "check-answered")
    window.open("/overview/", "overview-next-step")
    window.open("/plans/internet/", "plans-that-fit")

    to_cart(window, "/plans/internet/INT-APT-1G/", router="wifi6")
    window.look("cart")
    check_out(window)
    place(window)
    path = order_here(window)
    window.look("order-in-review")
    order_id = approved(window, outside, path)
    window.look("order-active")
    window.follow("/services/", "services")
    window.open(f"{path}agreement/", "agreement")
    number = number_in(path)
    window.letter(outside.mail("We have your order %(number)s", number=number), "order-received")
    window.letter(outside.mail("Your %(brand)s order %(number)s is active", number=number, brand=BRAND), "order-active")
    outside.judge(provisioned=[order_id], cancelled=[])
