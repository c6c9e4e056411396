"""SalesforceClient against the sandbox: what each method costs, gives, adopts and refuses."""

import ssl
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from integrations import correlation, gateway
from integrations.errors import Misconfigured, Rejected, Unavailable
from integrations.salesforce.client import SalesforceClient
from integrations.salesforce.schemas import AccountRecord, NewAccount, NewOrder, NewOrderItem, OrderOutcome, PlacedOrder
from sandbox.demo import verdict
from tests.org import save
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def salesforce(sandbox: Sandbox) -> SalesforceClient:
    return gateway.salesforce()


@pytest.fixture
def calls(sandbox: Sandbox) -> Callable[[], list[str]]:
    """The operations Salesforce got since the last time one asked, sign-ins and parts of Composites aside."""
    seen = [max((int(row["number"]) for row in sandbox.ledger()), default=0)]

    def asked() -> list[str]:
        rows = sandbox.ledger(system="salesforce", after=seen[0])
        seen[0] = max([seen[0], *(int(row["number"]) for row in rows)])
        return [row["operation"] for row in rows if row["operation"] not in {"token", "composite/subrequest"}]

    return asked


def new_account(**changes: Any) -> NewAccount:
    ref = str(uuid.uuid4())
    values = {"given_name": "愛子", "family_name": "佐藤", "email": f"Aiko.{ref[:8]}@Example.jp"}
    return NewAccount(**{"ref": ref, "registration_source": "Portal Signup", **values, **changes})


@pytest.fixture
def account(salesforce: SalesforceClient) -> AccountRecord:
    return salesforce.create_account(new_account())


def new_order(salesforce: SalesforceClient, account: AccountRecord, **changes: Any) -> NewOrder:
    entries = {product.fields["StockKeepingUnit"]: product for product in salesforce.catalogue("Portal")}
    items = [
        NewOrderItem(entries["INT-APT-1G"].pricebook_entry_id, 1, 4950, "Monthly", {"router": "wifi6", "名": "O'Hara"}),
        NewOrderItem(entries["ACT-INTERNET"].pricebook_entry_id, 1, 3300, "One-time", {}),
    ]
    values = {
        "ref": f"SX-{uuid.uuid4().hex[:8]}",
        "account_id": account.id,
        "account_name": "佐藤 愛子",
        "commodity": "Personal SonixNet Home Internet",
        "opportunity_id": "",
        "correlation_id": "0198-correlated",
        "effective_date": "2026-11-21",
        "close_date": "2026-12-21",
        "items": items,
    }
    return NewOrder(**{**values, **changes})


@pytest.fixture
def placed(salesforce: SalesforceClient, account: AccountRecord) -> PlacedOrder:
    return salesforce.place_order(new_order(salesforce, account))


@pytest.fixture
def approved(sandbox: Sandbox, placed: PlacedOrder) -> PlacedOrder:
    sandbox.control(f"/control/desk/orders/{placed.id}/approve")
    return placed


def revoke_all(sandbox: Sandbox, salesforce: SalesforceClient) -> None:
    """As an administrator may at any time."""
    context = ssl.create_default_context(cafile=sandbox.urls["ca"])
    data = urllib.parse.urlencode({"token": salesforce._tokens.token().access_token}).encode()
    url = f"{sandbox.urls['salesforce_url']}/services/oauth2/revoke"
    urllib.request.urlopen(url, data, context=context, timeout=10).close()


# --- session and guard


def test_a_dead_session_is_renewed_once_and_the_call_repeated_once(
    sandbox: Sandbox, salesforce: SalesforceClient, calls: Callable[[], list[str]]
) -> None:
    salesforce.check()
    revoke_all(sandbox, salesforce)
    before = max(int(row["number"]) for row in sandbox.ledger())
    salesforce.check()
    assert len(sandbox.ledger(system="salesforce", operation="token", after=before)) == 1


def test_no_call_is_made_inside_a_transaction(salesforce: SalesforceClient, calls: Callable[[], list[str]]) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        salesforce.check()
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        gateway.whmcs().catalogue()
    assert calls() == []


def test_the_correlation_id_reaches_salesforce(sandbox: Sandbox, salesforce: SalesforceClient) -> None:
    before = max((int(row["number"]) for row in sandbox.ledger()), default=0)
    with correlation.bound("0198-of-this-test"):
        salesforce.account_by_number("no such number")
    assert {row["correlation_id"] for row in sandbox.ledger(operation="query", after=before)} == {"0198-of-this-test"}


# --- accounts


def test_a_new_account_is_one_composite(salesforce: SalesforceClient, calls: Callable[[], list[str]]) -> None:
    new = new_account()
    made = salesforce.create_account(new)
    assert calls() == ["composite"]
    assert (made.name, [each.email for each in made.contacts]) == ("佐藤 愛子", [new.email.casefold()])
    assert made.number.isdecimal()
    assert salesforce.account_by_ref(new.ref) == made
    assert salesforce.account_by_number(made.number) == made
    assert salesforce.accounts([made.id, made.id[:15]]) == [made]


def test_the_same_reference_is_adopted(salesforce: SalesforceClient, calls: Callable[[], list[str]]) -> None:
    new = new_account()
    first = salesforce.create_account(new)
    again = salesforce.create_account(replace(new, given_name="Another"))
    assert again == first
    assert calls() == ["composite", "composite", "query"]


def test_a_refused_contact_takes_the_account_with_it(salesforce: SalesforceClient) -> None:
    new = new_account(family_name="")
    with pytest.raises(Rejected):
        salesforce.create_account(new)
    assert salesforce.account_by_ref(new.ref) is None


def test_registering_is_one_call_and_repeatable(
    salesforce: SalesforceClient, account: AccountRecord, calls: Callable[[], list[str]]
) -> None:
    calls()
    for _ in range(2):
        salesforce.register_account(account_id=account.id, whmcs_client=4711, source="Portal Signup")
    assert calls() == ["composite", "composite"]
    (stored,) = salesforce.accounts([account.id])
    assert (stored.whmcs_client, stored.portal_status) == ("4711", "Active")
    assert account.id in {each.id for each in salesforce.account_changes(since=datetime.now(UTC) - timedelta(hours=1))}
    assert salesforce.account_changes(since=datetime.now(UTC) + timedelta(hours=1)) == []


def test_another_client_is_never_overwritten(salesforce: SalesforceClient, account: AccountRecord) -> None:
    salesforce.register_account(account_id=account.id, whmcs_client=4711, source="Portal Signup")
    with pytest.raises(Rejected, match="client_mismatch"):
        salesforce.register_account(account_id=account.id, whmcs_client=4712, source="Legacy")
    assert salesforce.accounts([account.id])[0].whmcs_client == "4711"


@pytest.mark.parametrize("number", ["x' OR Name LIKE '%", "104882' --", "\\", "%"])
def test_a_number_cannot_leave_its_quotes(salesforce: SalesforceClient, number: str) -> None:
    assert salesforce.account_by_number(number) is None


def test_a_case_is_made_once(salesforce: SalesforceClient, account: AccountRecord) -> None:
    ref = str(uuid.uuid4())

    def make() -> str:
        return salesforce.create_case(
            ref=ref, kind="General Inquiry", subject="s" * 300, description="d" * 40_000, account_id=account.id
        )

    assert make() == make()


# --- orders


def test_the_catalogue_is_one_query_with_yen_prices(
    salesforce: SalesforceClient, calls: Callable[[], list[str]]
) -> None:
    products = {product.fields["StockKeepingUnit"]: product for product in salesforce.catalogue("Portal")}
    assert calls() == ["query"]
    assert int(products["INT-APT-1G"].unit_price) > 0
    assert products["INT-APT-1G"].pricebook_entry_id.startswith("01u")
    assert all(product.unit_price is None for product in salesforce.catalogue("No such book"))


def test_placing_is_one_composite(
    salesforce: SalesforceClient, account: AccountRecord, calls: Callable[[], list[str]]
) -> None:
    new = new_order(salesforce, account)
    calls()
    placed = salesforce.place_order(new)
    assert calls() == ["composite"]
    assert (len(placed.item_ids), placed.opportunity_id[:3]) == (2, "006")
    assert salesforce.order_by_ref(new.ref) == placed
    order = salesforce.order_for_provisioning(placed.id)
    assert order is not None
    assert [(item.sku, item.unit_price, item.quantity) for item in order.items] == [
        ("INT-APT-1G", 4950, 1),
        ("ACT-INTERNET", 3300, 1),
    ]
    assert order.items[0].options == {"router": "wifi6", "名": "O'Hara"}
    assert (order.status, order.activation_status) == ("Pending Review", "Pending Review")


def test_an_order_sent_twice_is_one_order(salesforce: SalesforceClient, account: AccountRecord) -> None:
    new = new_order(salesforce, account)
    assert salesforce.place_order(new) == salesforce.place_order(new)


def an_opportunity(sandbox: Sandbox, account: AccountRecord, stage: str = "Ready") -> str:
    values = {"Name": "SIM", "AccountId": account.id, "StageName": stage, "CloseDate": "2030-01-31"}
    return save(sandbox, "Opportunity", values | {"CommodityType__c": "SIM"})


def test_an_open_opportunity_is_used_in_the_same_call(
    salesforce: SalesforceClient, sandbox: Sandbox, account: AccountRecord, calls: Callable[[], list[str]]
) -> None:
    kept = an_opportunity(sandbox, account)
    new = new_order(salesforce, account, opportunity_id=kept)
    calls()
    assert salesforce.place_order(new).opportunity_id == kept
    assert calls() == ["composite"]


def test_a_closed_or_foreign_opportunity_is_not_used_and_nothing_is_placed(
    salesforce: SalesforceClient, sandbox: Sandbox, account: AccountRecord
) -> None:
    other = salesforce.create_account(new_account())
    for closed in (an_opportunity(sandbox, account, "Void"), an_opportunity(sandbox, other), "006000000000001AAA"):
        new = new_order(salesforce, account, opportunity_id=closed)
        with pytest.raises(Unavailable, match="opportunity_closed"):
            salesforce.place_order(new)
        assert salesforce.order_by_ref(new.ref) is None


def test_a_refused_item_takes_the_order_with_it(salesforce: SalesforceClient, account: AccountRecord) -> None:
    bad = NewOrderItem("01u5j0000000999AAA", 1, 100, "Monthly", {})
    new = new_order(salesforce, account, items=[bad])
    with pytest.raises(Rejected, match=r"place_order\.items"):
        salesforce.place_order(new)
    assert salesforce.order_by_ref(new.ref) is None


def test_a_missing_pricebook_is_a_setting_to_mend(sandbox: Sandbox, account: AccountRecord, settings: Any) -> None:
    settings.PORTAL_PRICEBOOK_NAME = "Nothing"
    gateway.forget()
    with pytest.raises(Misconfigured, match="PORTAL_PRICEBOOK_NAME"):
        gateway.salesforce().place_order(new_order(gateway.salesforce(), account))


def test_changes_come_since_a_moment(salesforce: SalesforceClient, approved: PlacedOrder) -> None:
    now = datetime.now(UTC)
    changes = {change.id: change for change in salesforce.order_changes(since=now - timedelta(minutes=5))}
    assert (changes[approved.id].status, changes[approved.id].activation_status) == ("Approved", "Activating")
    assert changes[approved.id] == salesforce.order_change(approved.id)
    assert salesforce.order_changes(since=now + timedelta(hours=1)) == []
    waiting = salesforce.activating_orders(before=now + timedelta(hours=1))
    assert approved.id in {order.id for order in waiting}
    assert next(order for order in waiting if order.id == approved.id).correlation_id == "0198-correlated"


def test_an_unknown_order_is_none_and_a_malformed_id_is_an_error(salesforce: SalesforceClient) -> None:
    assert salesforce.order_for_provisioning("801000000000001AAA") is None
    with pytest.raises(ValueError, match="Salesforce id"):
        salesforce.order_for_provisioning("801' OR Id != null")


def test_open_opportunities_of_the_commodity(
    salesforce: SalesforceClient, sandbox: Sandbox, account: AccountRecord
) -> None:
    older, newer, _void = (an_opportunity(sandbox, account, stage) for stage in ("Ready", "Introduction", "Void"))
    found = salesforce.open_opportunities(account_id=account.id, commodity="SIM")
    assert [(each.id, each.stage, each.commodity) for each in found] == [
        (newer, "Introduction", "SIM"),
        (older, "Ready", "SIM"),
    ]
    assert salesforce.open_opportunities(account_id=account.id, commodity="VPN") == []


# --- the outcome


def outcome_of(salesforce: SalesforceClient, placed: PlacedOrder, **changes: Any) -> OrderOutcome:
    order = salesforce.order_for_provisioning(placed.id)
    assert order is not None
    values = {
        "order_id": placed.id,
        "idem_key": order.last_idem_key,
        "provisioned": True,
        "attempt_count": 1,
        "at": AT,
        "whmcs_order_id": uuid.uuid4().int % 10**9,
        "services": dict(zip(placed.item_ids, (71, 72), strict=True)),
        "opportunity_id": placed.opportunity_id,
        "opportunity_service_id": 71,
    }
    return OrderOutcome(**{**values, **changes})


def test_a_provisioned_outcome_is_one_composite(
    salesforce: SalesforceClient, approved: PlacedOrder, calls: Callable[[], list[str]]
) -> None:
    outcome = outcome_of(salesforce, approved)
    calls()
    assert salesforce.report_outcome(outcome) == "sent"
    assert calls() == ["composite"]
    order = salesforce.order_for_provisioning(approved.id)
    assert order is not None
    assert (order.status, order.activation_status) == ("Activated", "Provisioned")
    assert (order.whmcs_order_id, order.attempt_count) == (outcome.whmcs_order_id, 1)
    assert [item.whmcs_service_id for item in order.items] == ["71", "72"]


def test_a_failed_outcome_says_why(salesforce: SalesforceClient, approved: PlacedOrder) -> None:
    failed = outcome_of(salesforce, approved, provisioned=False, error="no_payment_method: " + "x" * 300)
    assert salesforce.report_outcome(failed) == "sent"
    change = salesforce.order_change(approved.id)
    assert change is not None
    assert (change.status, change.activation_status) == ("Approved", "Failed")
    assert change.activation_error.startswith("no_payment_method: ")
    assert len(change.activation_error) == 255


def test_an_outcome_sent_again_after_a_lost_answer_counts_as_sent(
    salesforce: SalesforceClient, approved: PlacedOrder
) -> None:
    outcome = outcome_of(salesforce, approved)
    assert [salesforce.report_outcome(outcome) for _ in range(2)] == ["sent", "sent"]


def test_a_late_failure_does_not_overwrite_a_newer_request(salesforce: SalesforceClient, approved: PlacedOrder) -> None:
    late = outcome_of(salesforce, approved, provisioned=False, error="first")
    salesforce.report_outcome(late)
    salesforce.request_provisioning(approved.id)
    assert salesforce.report_outcome(replace(late, attempt_count=2)) == "superseded"
    change = salesforce.order_change(approved.id)
    assert change is not None
    assert change.activation_status == "Activating"


def test_provisioned_may_overwrite_a_stale_failed(salesforce: SalesforceClient, approved: PlacedOrder) -> None:
    done = outcome_of(salesforce, approved)
    salesforce.report_outcome(replace(done, provisioned=False, error="lost", services={}))
    assert salesforce.report_outcome(done) == "sent"
    change = salesforce.order_change(approved.id)
    assert change is not None
    assert (change.activation_status, change.activation_error) == ("Provisioned", "")


def test_an_order_that_awaits_nothing_is_left_alone(salesforce: SalesforceClient, placed: PlacedOrder) -> None:
    assert salesforce.report_outcome(outcome_of(salesforce, placed, idem_key="")) == "superseded"


def test_a_cancelled_order_is_not_revived(
    sandbox: Sandbox, salesforce: SalesforceClient, approved: PlacedOrder
) -> None:
    outcome = outcome_of(salesforce, approved)
    sandbox.control(f"/control/desk/orders/{approved.id}/cancel")
    assert salesforce.report_outcome(outcome) == "superseded"
    change = salesforce.order_change(approved.id)
    assert change is not None
    assert (change.status, change.activation_status) == ("Cancelled", "Activating")


def test_a_refused_opportunity_is_told_apart_and_nothing_is_written(
    salesforce: SalesforceClient, approved: PlacedOrder
) -> None:
    outcome = outcome_of(salesforce, approved, opportunity_id="0065j0000000999AAA")
    with pytest.raises(Rejected) as caught:
        salesforce.report_outcome(outcome)
    assert caught.value.code == "opportunity"
    change = salesforce.order_change(approved.id)
    assert change is not None
    assert change.activation_status == "Activating"
    assert salesforce.report_outcome(replace(outcome, with_opportunity=False)) == "sent"
    assert activate_opportunity(salesforce, approved, outcome) == "sent"
    assert activate_opportunity(salesforce, approved, outcome) == "sent"  # its answer was lost


def activate_opportunity(salesforce: SalesforceClient, placed: PlacedOrder, outcome: OrderOutcome) -> str:
    assert outcome.whmcs_order_id is not None
    return salesforce.activate_opportunity(
        order_id=placed.id,
        whmcs_order_id=outcome.whmcs_order_id,
        opportunity_id=placed.opportunity_id,
        whmcs_service_id=71,
    )


def test_an_opportunity_is_left_alone_once_its_order_was_cancelled(
    sandbox: Sandbox, salesforce: SalesforceClient, approved: PlacedOrder
) -> None:
    outcome = outcome_of(salesforce, approved, with_opportunity=False)
    salesforce.report_outcome(outcome)
    verdict.salesforce(sandbox.urls).Order.update(approved.id, {"Status": "Cancelled"})
    assert activate_opportunity(salesforce, approved, outcome) == "superseded"


def test_an_opportunity_that_a_person_moved_on_is_left_alone(
    sandbox: Sandbox, salesforce: SalesforceClient, approved: PlacedOrder
) -> None:
    outcome = outcome_of(salesforce, approved, with_opportunity=False)
    salesforce.report_outcome(outcome)
    org = verdict.salesforce(sandbox.urls)
    org.Opportunity.update(approved.opportunity_id, {"StageName": "Void"})
    assert activate_opportunity(salesforce, approved, outcome) == "superseded"
    assert org.Opportunity.get(approved.opportunity_id)["StageName"] == "Void"


def test_what_was_found_out_later_takes_the_place_of_the_attempts_own_failed_alone(
    salesforce: SalesforceClient, approved: PlacedOrder
) -> None:
    first = outcome_of(salesforce, approved, provisioned=False, error="outcome_unknown: no answer")
    later = replace(first, at=AT + timedelta(minutes=20), error="outcome_unknown: looked again", replaces=first.at)
    assert [salesforce.report_outcome(each) for each in (first, later, later)] == ["sent"] * 3
    change = salesforce.order_change(approved.id)
    assert change is not None
    assert (change.activation_status, change.activation_error) == ("Failed", later.error)
    assert salesforce.report_outcome(first) == "superseded"  # a late copy of the older one
    other = replace(later, at=AT + timedelta(hours=1), replaces=AT - timedelta(hours=1))
    assert salesforce.report_outcome(other) == "superseded"  # somebody else's Failed


def test_a_refused_item_is_not_mistaken_for_anything_else(salesforce: SalesforceClient, approved: PlacedOrder) -> None:
    with pytest.raises(Rejected, match=r"report_outcome\.items") as caught:
        salesforce.report_outcome(outcome_of(salesforce, approved, services={"8025j0000000999AAA": 71}))
    assert caught.value.code != "opportunity"


def test_staff_can_ask_again_for_a_failed_order_only(salesforce: SalesforceClient, approved: PlacedOrder) -> None:
    with pytest.raises(Rejected, match="not_failed"):
        salesforce.request_provisioning(approved.id)
    salesforce.report_outcome(outcome_of(salesforce, approved, provisioned=False, error="x"))
    salesforce.request_provisioning(approved.id)
    change = salesforce.order_change(approved.id)
    assert change is not None
    assert change.activation_status == "Activating"
