"""Catalogue, placing and refresh on the wire: the sandbox's ledger is the judge."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import CustomerLink, User
from catalog.models import Product
from catalog.queries import sound
from catalog.sync import sync
from integrations import correlation, gateway
from integrations.failpoints import arm
from integrations.salesforce.schemas import NewAccount
from orders import placing
from orders.models import Order
from orders.refresh import refresh
from orders.status import Status, status_of
from sandbox import catalogue
from support.models import Case
from tests.faults import Faults
from tests.orders.steps import a_check, order_now
from tests.org import rows, save
from tests.people import make_customer
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
HOME, CORPORATE = "Personal SonixNet Home Internet", "Corporate SonixNet Home Internet"


@pytest.fixture
def customer(sandbox: Sandbox) -> Iterator[User]:
    """Known in all three systems, with a card."""
    sync()
    ref, email = str(uuid.uuid4()), f"{uuid.uuid4().hex[:8]}@example.jp"
    account = gateway.salesforce().create_account(
        NewAccount(ref=ref, given_name="Aiko", family_name="Sato", email=email, registration_source="Portal Signup")
    )
    client = gateway.whmcs().add_client(
        email=email, given_name="Aiko", family_name="Sato", language="en", customer_number=account.number
    )
    sandbox.control(f"/control/whmcs/clients/{client}/paymethods")
    with correlation.bound(""):
        yield make_customer(
            email,
            sf_account_id=account.id,
            sf_account_no=account.number,
            whmcs_client_id=client,
            internet_eligibility="Apartment 1G",
        )


def calls(sandbox: Sandbox, after: int) -> list[tuple[str, str]]:
    """What the outside systems were asked, in order; the parts of a Composite are one call, and no events."""
    asked = [(row["system"], row["operation"]) for row in sandbox.ledger(after=after)]
    return [row for row in asked if row[0] != "pubsub" and row[1] != "composite/subrequest"]


def test_the_whole_catalogue_comes_over(sandbox: Sandbox) -> None:
    report = sync()
    assert report.broken == {}
    assert sound().count() == len(catalogue.load().products)
    plan = Product.objects.get(sku="INT-APT-1G")
    assert (plan.price, plan.whmcs_product_id, plan.name_ja) == (4730, 101, "ホーム マンション 1ギガ")
    assert not sync().changes_something


def test_one_service_is_placed_by_one_composite(customer: User, sandbox: Sandbox) -> None:
    before = sandbox.last_ledger_id()
    (order,) = order_now(customer, "INT-APT-1G", router="wifi6")
    assert order.local_state == Order.Local.PLACED
    assert order.sf_order_id is not None
    assert order.sf_order_id.startswith("801")
    assert calls(sandbox, before) == [
        ("whmcs", "GetPayMethods"),
        ("whmcs", "GetClientsProducts"),
        ("salesforce", "query"),
        ("salesforce", "composite"),
    ]
    change = gateway.salesforce().order_change(order.sf_order_id)
    assert change is not None
    assert (change.status, change.activation_status, change.portal_ref) == (
        "Pending Review",
        "Pending Review",
        order.portal_ref,
    )
    read = gateway.salesforce().order_for_provisioning(order.sf_order_id)
    assert read is not None
    assert [(item.sku, item.unit_price) for item in read.items] == [("INT-APT-1G", 5280), ("ACT-INTERNET", 3300)]
    assert dict(read.items[0].options)["router"]["whmcs_value"] == 113
    assert [item.id for item in read.items] == [line.sf_order_item_id for line in order.lines.all()]


def test_a_second_placing_of_the_same_order_adopts_the_first(customer: User, sandbox: Sandbox) -> None:
    (order,) = order_now(customer, "VPN-US")
    first = order.sf_order_id
    Order.objects.update(local_state="submitted", sf_order_id=None, sf_opportunity_id="", tries=0, next_try_at=None)
    again = placing.place(order.pk)
    assert (again.local_state, again.sf_order_id) == ("placed", first)


def test_the_review_at_the_desk_reaches_the_page(customer: User, sandbox: Sandbox) -> None:
    (order,) = order_now(customer, "VPN-US")
    refresh()
    assert status_of(Order.objects.get()) is Status.PENDING_REVIEW
    press(sandbox, order, "approve")
    refresh()
    seen = Order.objects.get()
    assert status_of(seen) is Status.ACTIVATING
    assert seen.approved_at is not None


def press(sandbox: Sandbox, order: Order, button: str) -> Any:
    return sandbox.control(f"/control/desk/orders/{order.sf_order_id}/{button}")


def an_opportunity(sandbox: Sandbox, user: User, **values: Any) -> str:
    """One that sales or an eligibility check left."""
    fields = {"Name": "Fibre", "AccountId": user.link.sf_account_id, "StageName": "Ready", "CommodityType__c": HOME}
    return save(sandbox, "Opportunity", fields | {"CloseDate": "2030-01-31"} | values)


def stage_and_commodity(sandbox: Sandbox, opportunity: str) -> tuple[str, str]:
    (row,) = rows(sandbox, f"SELECT StageName, CommodityType__c FROM Opportunity WHERE Id = '{opportunity}'")
    return row["StageName"], row["CommodityType__c"]


def test_with_the_address_checks_opportunity_placing_is_one_call(customer: User, sandbox: Sandbox) -> None:
    """performance.md: one Composite, and two questions to WHMCS. A corporate one that is newer stays where it is."""
    known = an_opportunity(sandbox, customer, Portal_Source__c="Portal - Internet Eligibility Request")
    newer = an_opportunity(sandbox, customer, CommodityType__c=CORPORATE)
    a_check(customer, sf_opportunity_id=known)
    before = sandbox.last_ledger_id()
    (order,) = order_now(customer, "INT-APT-1G", router="none")
    assert calls(sandbox, before) == [
        ("whmcs", "GetPayMethods"),
        ("whmcs", "GetClientsProducts"),
        ("salesforce", "composite"),
    ]
    assert order.sf_opportunity_id == known
    assert [stage_and_commodity(sandbox, each)[0] for each in (known, newer)] == ["Post Processing", "Ready"]


def test_an_address_checks_opportunity_that_was_closed_is_not_reopened(customer: User, sandbox: Sandbox) -> None:
    known = an_opportunity(sandbox, customer, StageName="Void")
    a_check(customer, sf_opportunity_id=known)
    (order,) = order_now(customer, "INT-APT-1G", router="none")
    assert order.local_state == Order.Local.PLACED
    assert order.sf_opportunity_id not in {"", known}
    assert stage_and_commodity(sandbox, known)[0] == "Void"


def test_an_open_corporate_opportunity_is_taken_and_stays_corporate(customer: User, sandbox: Sandbox) -> None:
    an_opportunity(sandbox, customer, StageName="Void")
    an_opportunity(sandbox, customer, CommodityType__c="VPN")
    newest = an_opportunity(sandbox, customer, CommodityType__c=CORPORATE)
    (order,) = order_now(customer, "INT-APT-1G", router="none")
    assert order.sf_opportunity_id == newest
    assert stage_and_commodity(sandbox, newest) == ("Post Processing", CORPORATE)
    event = order.events.get(what="placed")
    assert event.detail["opportunity"] == {"id": newest, "was": "open"}


def test_an_opportunity_that_closed_meanwhile_is_left_alone(customer: User, sandbox: Sandbox) -> None:
    older, newest = (an_opportunity(sandbox, customer, CommodityType__c="VPN") for _ in range(2))

    def close_it() -> None:
        save(sandbox, "Opportunity", {"StageName": "Void"}, newest)

    with arm("salesforce.place_order:before=call", close_it):
        (order,) = order_now(customer, "VPN-US")
    assert (order.local_state, order.sf_opportunity_id) == (Order.Local.PLACED, older)
    assert stage_and_commodity(sandbox, newest) == ("Void", "VPN")


@pytest.mark.parametrize("code", ["FIELD_CUSTOM_VALIDATION_EXCEPTION", "INSUFFICIENT_ACCESS_OR_READONLY"])
def test_an_opportunity_that_may_not_be_changed_is_passed_over(
    customer: User, sandbox: Sandbox, faults: Faults, code: str
) -> None:
    older, newest = (an_opportunity(sandbox, customer, CommodityType__c="VPN") for _ in range(2))
    faults.part_fails("opportunity", code, key=newest, always=True)
    (order,) = order_now(customer, "VPN-US")
    assert (order.local_state, order.sf_opportunity_id) == (Order.Local.PLACED, older)
    assert [stage_and_commodity(sandbox, each)[0] for each in (newest, older)] == ["Ready", "Post Processing"]
    assert order.events.get(what="opportunity_passed_over").detail == {"id": newest, "code": code.lower()}
    assert Case.objects.get().sf_opportunity_id == newest


def test_where_none_may_be_changed_the_order_makes_its_own(customer: User, sandbox: Sandbox, faults: Faults) -> None:
    locked = [an_opportunity(sandbox, customer, CommodityType__c="VPN") for _ in range(3)]
    for each in locked:
        faults.part_fails("opportunity", "ENTITY_IS_LOCKED", key=each, always=True)
    (order,) = order_now(customer, "VPN-US")
    assert order.local_state == Order.Local.PLACED
    assert order.sf_opportunity_id not in {"", *locked}
    assert {stage_and_commodity(sandbox, each)[0] for each in locked} == {"Ready"}
    owned = rows(sandbox, f"SELECT Id FROM Order WHERE AccountId = '{customer.link.sf_account_id}'")
    assert len(owned) == 1


def test_two_orders_at_once_take_two_opportunities(
    customer: User, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second chooses when the first has chosen and not sent yet."""
    open_ones = {an_opportunity(sandbox, customer, CommodityType__c="VPN") for _ in range(2)}
    with monkeypatch.context() as later:
        later.setattr(placing, "place_submission", lambda submission: None)
        first, second = order_now(customer, "VPN-US", "VPN-UK")

    def place_the_other() -> None:
        placing.place(second.pk)

    with arm("salesforce.place_order:before=call", place_the_other):
        placing.place(first.pk)
    assert {order.sf_opportunity_id for order in Order.objects.all()} == open_ones


def test_an_order_of_before_the_link_is_asked_about_and_placed_once_it_may(customer: User, sandbox: Sandbox) -> None:
    """decisions.md 2: nothing is placed against a rule, nothing is lost, and WHMCS is asked before Salesforce."""
    client = customer.link.whmcs_client_id
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    (order,) = order_now(User.objects.get(pk=customer.pk), "INT-APT-1G", router="none")
    CustomerLink.objects.update(state="linked", whmcs_client_id=client, internet_eligibility="")
    before = sandbox.last_ledger_id()
    assert placing.place(order.pk).on_hold == ["eligibility"]
    assert calls(sandbox, before) == [("whmcs", "GetPayMethods"), ("whmcs", "GetClientsProducts")]
    CustomerLink.objects.update(internet_eligibility="Apartment 1G")
    Order.objects.update(next_try_at=None)
    assert placing.place(order.pk).local_state == Order.Local.PLACED
    assert [system for system, _ in calls(sandbox, before)] == ["whmcs"] * 4 + ["salesforce"] * 2
    assert len(rows(sandbox, f"SELECT Id FROM Order WHERE AccountId = '{customer.link.sf_account_id}'")) == 1
