"""Whatever WHMCS and Salesforce answer, or do not, one service comes of an order (reliability.md C10 to C18)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from journal.calls import database_clock
from journal.models import RemoteCall
from provisioning import sweepers
from provisioning.models import Attempt
from tests.faults import Faults
from tests.provisioning.shop import Shop
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
Wrong = Callable[[Faults], object]
ADD, ACCEPT = ("whmcs", "AddOrder"), ("whmcs", "AcceptOrder")

# What is wrong; how the attempt ends; how its error begins; how often AddOrder was carried out by then.
TABLE: dict[str, tuple[Wrong, str, str, int]] = {
    "C10 the session expired": (lambda faults: faults.expire_session("query"), "PROVISIONED", "", 1),
    "C11 the API limit is used up": (lambda faults: faults.salesforce_limit("query"), "FAILED", "sf_limit", 0),
    "C13 Salesforce shows a page": (lambda faults: faults.html("salesforce", "query"), "FAILED", "sf_unreachable", 0),
    "C15 WHMCS does not listen": (lambda faults: faults.close_port("whmcs"), "FAILED", "whmcs_unreachable", 0),
    "C16 AddOrder drips": (lambda faults: faults.answer("whmcs", "drip", "AddOrder"), "PROVISIONED", "", 1),
    "C16 AcceptOrder drips": (lambda faults: faults.answer("whmcs", "drip", "AcceptOrder"), "PROVISIONED", "", 1),
    "C17 PHP speaks first": (lambda faults: faults.answer("whmcs", "php_notice", "AddOrder"), "PROVISIONED", "", 1),
    "C17 a page, and it was done": (lambda faults: faults.html(*ADD, status=200, at="after"), "PROVISIONED", "", 1),
    "C17 nothing, and nothing done": (
        lambda faults: faults.answer("whmcs", "empty", "AddOrder"),
        "UNKNOWN",
        "outcome",
        0,
    ),
    "C17 more than anybody reads": (lambda faults: faults.answer("whmcs", "huge", "AddOrder"), "UNKNOWN", "outcome", 0),
    "C17 a refusal": (lambda faults: faults.action_fails("AddOrder", "Out of stock"), "FAILED", "whmcs_error", 0),
    "C18 accepting is refused": (lambda faults: faults.action_fails("AcceptOrder", "No"), "FAILED", "whmcs_error", 1),
    "C5 accepting gets no answer": (lambda faults: faults.lose_answer(*ACCEPT), "PROVISIONED", "", 1),
    "C5 accepting does not arrive": (lambda faults: faults.lose_request(*ACCEPT), "UNKNOWN", "outcome", 1),
}


@pytest.fixture
def shop(sandbox: Sandbox, settings: Any) -> Shop:
    cache.clear()
    settings.ADD_ORDER_DEADLINE_S = settings.ACCEPT_ORDER_DEADLINE_S = 1
    made = Shop(sandbox)
    made.add_card()
    made.desk("approve")
    return made


def time_passes() -> None:
    past = database_clock() - timedelta(seconds=1)
    RemoteCall.objects.update(deadline_at=past, quarantine_until=past)
    Attempt.objects.update(check_at=None)
    sweepers.sweep()


@pytest.mark.parametrize(("wrong", "state", "error", "added"), TABLE.values(), ids=TABLE)
def test_one_service_comes_of_it(shop: Shop, faults: Faults, wrong: Wrong, state: str, error: str, added: int) -> None:
    wrong(faults)
    attempt = shop.deliver()
    faults.clear()
    assert (attempt.state, attempt.error_code[: len(error)], shop.added()) == (state, error, added)
    time_passes()
    if shop.order().activation_status != "Provisioned":
        shop.desk("activate")
        assert shop.deliver().state == "PROVISIONED"
    (order,) = shop.whmcs()["orders"]
    assert (order["status"], shop.added(), shop.order().activation_status) == ("Active", 1, "Provisioned")
