"""A SIM for somebody who was a customer before: papers, support's look at them, an eSIM."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import until
from tests.whole.journeys import cells
from tests.whole.journeys.becoming import send_papers, sign_up
from tests.whole.journeys.conftest import Setting
from tests.whole.journeys.shopping import approved, check_out, order_here, place, to_cart

pytestmark = [pytest.mark.whole, pytest.mark.browser, pytest.mark.xdist_group("whole")]
PAPERS = "ID Verification"  # the type of Case that papers open


@cells.travelled_in(cells.JA_PHONE)
def test_an_earlier_customer_orders_an_esim_and_sends_papers(journey: Callable[[str], Setting], tmp_path: Path) -> None:
    window, outside, person = journey("sim")
    person = outside.was_a_customer(person)
    window.open("/account/login/", "sign-in")
    window.follow("/account/signup/")
    sign_up(window, outside, person)
    window.follow("/overview/", "overview")

    window.open("/plans/sim/", "plans")
    to_cart(window, "/plans/sim/SIM-VD-3/", sim_type="esim")
    window.look("cart")
    check_out(window, lambda: send_papers(window, tmp_path))
    place(window)
    path = order_here(window)
    window.look("order-in-review")

    until(outside.has_case(PAPERS), what="the papers at support")
    outside.decides("identity", status="Rejected", message="The photo cannot be read.")
    window.letter(outside.mail("Please send your identity documents again"), "papers-refused")
    window.open("/overview/", "overview-papers-again")
    window.follow("/account/identity/", "identity-refused")
    send_papers(window, tmp_path)
    until(outside.has_case(PAPERS), what="the papers at support once more")
    outside.decides("identity", status="Verified")
    window.letter(outside.mail("Your identity is confirmed"), "identity-confirmed")
    window.open("/account/identity/", "identity-confirmed")

    window.open(path)
    order_id = approved(window, outside, path)
    window.look("order-active")
    window.follow("/services/", "services")
    outside.judge(provisioned=[order_id], cancelled=[])
