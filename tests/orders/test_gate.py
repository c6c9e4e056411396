"""The task list: a table of situations, and what each asks of the customer."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.identity.standing import Standing
from accounts.models import CustomerLink, IdentityCheck
from accounts.setting_up import Place
from catalog.models import EligibilityRequest
from catalog.pricing import PricedLine, price_line
from catalog.sync import sync
from integrations.errors import Unavailable
from orders import gate
from orders.gate import Situation, Task
from orders.models import Order
from tests.catalog.eligibility.conftest import SHIBAURA
from tests.catalog.goods import products
from tests.orders.doubles import Salesforce, Whmcs, service
from tests.orders.steps import fill, order_now
from tests.people import make_customer, make_user, signed_in

LINK = CustomerLink(state="linked", sf_account_no="1", whmcs_client_id=1, internet_eligibility="Apartment 1G")
REFUSED = IdentityCheck(state=IdentityCheck.State.REJECTED)
GOOD = Situation(
    email="aiko@example.jp",
    email_verified=True,
    link=LINK,
    account=Place.READY,
    has_payment_method=True,
    has_other_internet=False,
)


def lines(*skus: str) -> list[PricedLine]:
    chosen = {"INT": {"router": "none"}, "SIM": {"sim_type": "esim"}, "VPN": {}}
    return [price_line(products=products(), sku=sku, options=chosen[sku[:3]]) for sku in skus]


def link(**values: Any) -> CustomerLink:
    return CustomerLink(**{"state": "linked", "internet_eligibility": "Apartment 1G", **values})


def open_keys(situation: Situation, *skus: str) -> list[tuple[str, str]]:
    return [(task.key, task.state) for task in gate.open_tasks(gate.tasks(situation, lines(*skus)))]


@pytest.mark.parametrize(
    ("changes", "skus", "missing"),
    [
        ({}, ["VPN-US"], []),
        ({}, ["INT-APT-1G", "SIM-D-3", "VPN-US"], []),
        ({"email_verified": False}, ["VPN-US"], [("email", "todo")]),
        ({"link": None, "account": Place.UNDER_WAY}, ["VPN-US"], [("account", "wait")]),
        ({"link": None, "account": Place.LATE}, ["VPN-US"], [("account", "wait")]),
        ({"link": None, "account": Place.SUPPORT}, ["VPN-US"], [("account", "wait")]),
        ({"link": None, "account": Place.NUMBER}, ["VPN-US"], [("account", "todo")]),
        ({"link": None, "account": Place.COMPARING, "has_payment_method": False}, ["INT-APT-1G", "SIM-VD-3"], []),
        ({"has_payment_method": False}, ["VPN-US"], [("payment", "todo")]),
        ({"has_payment_method": None}, ["VPN-US"], [("payment", "wait")]),
        ({"link": link(internet_eligibility="")}, ["INT-APT-1G"], [("eligibility", "todo")]),
        ({"link": link(internet_eligibility="House 10G")}, ["INT-APT-1G"], [("eligibility", "todo")]),
        ({"link": link(internet_eligibility="Apartment 10G")}, ["INT-APT-1G"], []),
        ({"link": link(internet_eligibility_status="Pending")}, ["INT-APT-1G"], [("eligibility", "todo")]),
        ({"check": EligibilityRequest(state="asked")}, ["INT-APT-1G"], [("eligibility", "wait")]),
        ({"check": EligibilityRequest(state="answered", postal_code="1080023", prefecture=13)}, ["INT-APT-1G"], []),
        ({"check": EligibilityRequest(state="asked")}, ["VPN-US"], []),
        ({"link": link(internet_eligibility="")}, ["VPN-US"], []),
        ({"has_other_internet": True}, ["INT-APT-1G"], [("one_internet", "todo")]),
        ({"has_other_internet": None}, ["INT-APT-1G"], [("one_internet", "wait")]),
        ({"has_other_internet": True}, ["VPN-US"], []),
        ({"has_address": False}, ["VPN-US"], [("address", "todo")]),
        ({"link": None, "account": Place.COMPARING, "has_address": False, "has_payment_method": False}, ["VPN-US"], []),
        ({"other_sims": 4}, ["SIM-D-3"], []),
        ({"other_sims": 5}, ["SIM-D-3"], [("sims", "todo")]),
        ({"other_sims": 4}, ["SIM-D-3", "SIM-D-3"], [("sims", "todo")]),
        ({"other_sims": 3}, ["SIM-D-3", "SIM-D-3"], []),
        ({"other_sims": None}, ["SIM-D-3"], [("sims", "wait")]),
        ({"other_sims": 9}, ["VPN-US", "INT-APT-1G"], []),
        ({}, ["SIM-VD-3"], [("identity", "todo")]),
        ({"identity": Standing("open", REFUSED)}, ["SIM-VD-3"], [("identity", "todo")]),
        ({"identity": Standing("checking")}, ["SIM-VD-3"], []),
        ({"identity": Standing("verified")}, ["SIM-VD-3"], []),
        ({}, ["SIM-D-3"], []),
        ({}, ["SIM-VD-50"], []),
        (
            {"email_verified": False, "has_payment_method": False},
            ["SIM-VD-3"],
            [("email", "todo"), ("payment", "todo"), ("identity", "todo")],
        ),
    ],
)
def test_what_is_missing(
    salesforce: Salesforce, changes: dict[str, Any], skus: list[str], missing: list[tuple[str, str]]
) -> None:
    assert open_keys(replace(GOOD, **changes), *skus) == missing


def test_every_missing_thing_has_words_and_a_way_on(salesforce: Salesforce) -> None:
    bad = replace(GOOD, email_verified=False, has_payment_method=False, has_other_internet=True, link=link())
    found: tuple[Task, ...] = gate.tasks(bad, lines("INT-HSE-1G", "SIM-VD-3"))
    assert [task.state for task in found] == sorted((task.state for task in found), key=["todo", "wait", "done"].index)
    for task in gate.open_tasks(found):
        assert task.name
        assert str(task.text)
        assert task.action
        assert task.url.startswith("/")


@pytest.mark.django_db(transaction=True)
def test_the_way_to_the_address_check_and_back_keeps_the_cart(salesforce: Salesforce, whmcs: Whmcs) -> None:
    aiko = make_customer()
    fill(aiko, "INT-APT-1G", router="none")
    browser = signed_in(aiko)
    assert 'href="/internet/check/?next=%2Fcheckout%2F"' in browser.get("/checkout/").content.decode()
    asked = browser.post("/internet/check/", SHIBAURA, follow=True).content.decode()
    assert 'href="/checkout/"' in asked
    checkout = browser.get("/checkout/").content.decode()
    assert "We are checking your address" in checkout
    assert "Home Apartment 1G" in checkout


@pytest.mark.parametrize(
    ("held", "status", "other"),
    [
        (101, "Active", True),
        (101, "Suspended", True),
        (101, "Pending", True),
        (101, "Terminated", False),
        (301, "Active", False),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_whmcs_knows_of_another_home_internet(
    salesforce: Salesforce, whmcs: Whmcs, held: int, status: str, other: bool
) -> None:
    whmcs.held = [service(held, status)]
    aiko = make_customer()
    assert gate.situation(user=aiko, lines=lines("INT-APT-1G")).has_other_internet is other


@pytest.mark.django_db(transaction=True)
def test_a_withdrawn_internet_plan_still_counts(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.drop("INT-APT-1G")
    sync()
    whmcs.held = [service(101)]
    assert gate.situation(user=make_customer(), lines=lines("INT-HSE-1G")).has_other_internet is True


@pytest.mark.parametrize(
    ("columns", "counts"),
    [
        ({}, True),
        ({"local_state": "submitted"}, True),
        ({"progress": "Failed"}, True),
        ({"local_state": "refused"}, False),
        ({"sf_status": "Cancelled"}, False),
        ({"progress": "Provisioned"}, False),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_an_order_under_way_is_another_home_internet(
    salesforce: Salesforce, whmcs: Whmcs, columns: dict[str, str], counts: bool
) -> None:
    aiko = make_customer(internet_eligibility="Apartment 1G")
    order_now(aiko, "INT-APT-1G", router="none")
    Order.objects.update(**columns)
    assert gate.situation(user=aiko, lines=lines("INT-APT-1G")).has_other_internet is counts


@pytest.mark.django_db(transaction=True)
def test_only_what_the_cart_needs_is_asked(salesforce: Salesforce, whmcs: Whmcs) -> None:
    aiko = make_customer()
    gate.situation(user=aiko, lines=lines("VPN-US"))
    assert whmcs.calls == ["pay_methods"]
    gate.situation(user=aiko, lines=lines("INT-APT-1G"))
    assert whmcs.calls == ["pay_methods", "pay_methods", "services"]
    whmcs.calls = []
    gate.situation(user=aiko, lines=lines("INT-APT-1G", "SIM-D-3", "VPN-US"))
    assert sorted(whmcs.calls) == ["pay_methods", "services"], "one question for lines and SIMs"
    whmcs.calls = []
    gate.situation(user=make_user("new@example.jp"), lines=lines("INT-APT-1G"))
    assert whmcs.calls == [], "who is no customer yet is not asked about"


@pytest.mark.django_db(transaction=True)
def test_whmcs_down_is_not_no(salesforce: Salesforce, whmcs: Whmcs) -> None:
    whmcs.error = Unavailable("whmcs", "GetPayMethods", "refused")
    found = gate.situation(user=make_customer(), lines=lines("INT-APT-1G"))
    assert (found.has_payment_method, found.has_other_internet) == (None, None)


@pytest.mark.django_db(transaction=True)
def test_sims_that_are_held_and_ordered_count_once_each(salesforce: Salesforce, whmcs: Whmcs) -> None:
    """Two that work, one ended, a VPN; three orders under way, one of which WHMCS knows already."""
    aiko = make_customer()
    orders = order_now(aiko, *["SIM-D-3"] * 3, sim_type="esim")
    Order.objects.filter(pk=orders[0].pk).update(whmcs_order_id=77)
    held = [(205, "Active", 1), (206, "Suspended", 2), (205, "Terminated", 3), (301, "Active", 4), (205, "Pending", 77)]
    whmcs.held = [replace(service(pid, status), order_id=order_id) for pid, status, order_id in held]
    assert gate.situation(user=aiko, lines=lines("SIM-D-3")).other_sims == 5
    Order.objects.filter(pk=orders[1].pk).update(sf_status="Cancelled")
    assert gate.situation(user=aiko, lines=lines("SIM-D-3")).other_sims == 4


def test_who_goes_to_do_what_is_missing_comes_back(salesforce: Salesforce) -> None:
    bad = replace(GOOD, email_verified=False, has_payment_method=False, has_address=False, other_sims=5, link=link())
    found = {task.key: task.url for task in gate.tasks(bad, lines("SIM-VD-3"))}
    back = "?next=%2Fcheckout%2F"
    assert all(found[key].endswith(back) for key in ("email", "address", "payment", "identity")), found
    assert found["sims"] == "/cart/"
