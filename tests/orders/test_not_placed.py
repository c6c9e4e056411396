"""Orders that Salesforce does not take: whose fault it is, who is told, and that no order is lost for it."""

from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.db import DataError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import CustomerLink, User
from audit import trail
from audit.models import AuditEntry
from catalog.eligibility import sending
from catalog.models import EligibilityRequest
from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable, UnknownOutcome
from journal.models import RemoteFact
from notifications.models import Email
from orders import by_support, cancelling, placing
from orders.by_support import Decision
from orders.models import Cancellation, Order
from orders.refresh import refresh
from orders.status import Status, status_of
from portal.metrics.collector import collector
from support.models import Case
from tests.deploy.test_rules import EXPRESSIONS
from tests.orders.doubles import CARD, Salesforce, Whmcs, change
from tests.orders.steps import a_check, lives, order_now
from tests.people import make_customer, make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/orders/order/"
TIMEOUT = UnknownOutcome("salesforce", "place_order", "timeout")
INACTIVE = Rejected("salesforce", "place_order.items", "field_integrity_exception", "pbe inactive")


@pytest.fixture
def aiko(salesforce: Salesforce, whmcs: Whmcs) -> User:
    return lives(make_customer("aiko@example.jp")).user


@pytest.fixture
def carol(aiko: User) -> Client:
    return signed_in(make_staff().user)


def next_round() -> dict[str, int]:
    Order.objects.update(next_try_at=None, lease_until=None)
    return placing.place_due()


# --- whose fault it is


@pytest.mark.parametrize(
    "code",
    [
        "storage_limit_exceeded",
        "cannot_execute_flow_trigger",
        "field_custom_validation_exception",
        "required_field_missing",
        "a_code_nobody_has_seen",
    ],
)
def test_what_is_the_orgs_fault_refuses_no_order(aiko: User, salesforce: Salesforce, code: str) -> None:
    salesforce.fails["place_order"] = Rejected("salesforce", "place_order.order", code, "says the org")
    orders = [*order_now(aiko, "VPN-US"), *order_now(aiko, "VPN-UK")]
    assert [order.local_state for order in orders] == ["submitted", "submitted"]
    assert [case.subject for case in Case.objects.all()] == [f"Orders cannot be placed: {code}"], "one for all"
    salesforce.fails = {}
    assert next_round() == {"tried": 2, "placed": 2, "refused": 0}


@pytest.mark.parametrize("answer", [Rejected("salesforce", "order_by_ref", "field_integrity_exception"), TIMEOUT])
def test_a_look_up_that_fails_refuses_no_order(aiko: User, salesforce: Salesforce, answer: OutsideError) -> None:
    """The answer was lost, and the order may stand there: it does."""
    salesforce.loses_answer = True
    salesforce.fails["order_by_ref"] = answer
    (order,) = order_now(aiko, "VPN-US")
    event = order.events.last()
    assert event is not None
    assert (order.local_state, event.detail["kind"], event.detail["code"]) == ("submitted", "UnknownOutcome", "timeout")
    assert next_round()["placed"] == 0, "the look before the second try fails as well"
    assert Order.objects.get().local_state == "submitted"
    salesforce.fails = {}
    assert next_round()["placed"] == 1
    assert len(salesforce.placed) == 1


def test_a_mistake_in_the_set_up_is_told_when_it_lasts(aiko: User, salesforce: Salesforce) -> None:
    salesforce.fails["place_order"] = Misconfigured("salesforce", "place_order", "pricebook", "no pricebook")
    order_now(aiko, "VPN-US")
    next_round()
    assert not Case.objects.exists(), "it may be mended in the same minute"
    next_round()
    next_round()
    assert Case.objects.get().subject == "Orders cannot be placed: pricebook"


def test_an_outage_is_no_case_of_support(aiko: User, salesforce: Salesforce) -> None:
    salesforce.fails["place_order"] = Unavailable("salesforce", "place_order", "no_connection")
    order_now(aiko, "VPN-US")
    for _ in range(4):
        next_round()
    assert not Case.objects.exists()


# --- a refused order is no dead end


def test_a_refused_order_that_stands_in_salesforce_is_placed(aiko: User, salesforce: Salesforce) -> None:
    salesforce.fails["place_order"] = INACTIVE
    (order,) = order_now(aiko, "VPN-US")
    assert status_of(order) is Status.CANCELLED
    salesforce.changes = [change("801TEST00000009AAA", ref=order.portal_ref, minute=5)]
    refresh()
    seen = Order.objects.get()
    assert (seen.local_state, seen.sf_order_id, seen.refusal) == ("placed", "801TEST00000009AAA", "")
    assert status_of(seen) is Status.PENDING_REVIEW


def test_support_has_a_refused_order_placed_again(aiko: User, salesforce: Salesforce, carol: Client) -> None:
    salesforce.fails["place_order"] = INACTIVE
    (order,) = order_now(aiko, "VPN-US")
    assert "Not accepted" in page_of(aiko, order)
    form: dict[str, Any] = {"action": "place_again", "_selected_action": [order.pk]}
    asked = carol.post(LIST, form).content.decode()
    assert "at the prices that the customer saw" in asked
    assert "Give a reason" in carol.post(LIST, {**form, "confirmed": "yes", "reason": " "}).content.decode()
    assert Order.objects.get().local_state == "refused", "nothing without a reason"
    carol.post(LIST, {**form, "confirmed": "yes", "reason": "the entry is active again"})
    assert "takes longer than usual" in page_of(aiko, order)
    salesforce.fails, salesforce.calls = {}, []
    assert next_round()["placed"] == 1
    assert salesforce.calls[0] == "order_by_ref", "it might stand there already"
    assert "In review" in page_of(aiko, order)
    event = order.events.get(what="submitted", actor="carol@example.jp")
    assert event.detail == {"reason": "the entry is active again", "refusal": "field_integrity_exception"}
    (entry,) = AuditEntry.objects.filter(action="order.place_again")
    assert (entry.subject, entry.user_id) == (f"order:{order.number}", aiko.pk)
    said = carol.post(LIST, {**form, "confirmed": "yes", "reason": "twice"}, follow=True).content.decode()
    assert "This order was not refused." in said


def test_what_salesforce_refuses_again_is_a_case_again(aiko: User, salesforce: Salesforce) -> None:
    salesforce.fails["place_order"] = INACTIVE
    (order,) = order_now(aiko, "VPN-US")
    for _ in range(2):
        by_support.place_again(order.pk, Decision("carol@example.jp", "it should be active"))
        assert next_round()["refused"] == 1
    assert [case.subject for case in Case.objects.all()] == [f"Order {order.number} was refused"] * 3
    assert not Email.objects.filter(template="order_taken_up").exists(), "nobody wrote that it was not accepted"


def test_an_order_that_is_placed_again_passes_the_gate_again(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    """Meanwhile the customer ordered anew, and there can be one line."""
    CustomerLink.objects.update(internet_eligibility="Apartment 1G")
    aiko = User.objects.get(pk=aiko.pk)
    salesforce.fails["place_order"] = INACTIVE
    (first,) = order_now(aiko, "INT-APT-1G", router="none")
    salesforce.fails = {}
    (second,) = order_now(aiko, "INT-APT-1G", router="none")
    by_support.place_again(first.pk, Decision("carol@example.jp", "the entry is active again"))
    assert next_round() == {"tried": 1, "placed": 0, "refused": 1}
    assert Order.objects.get(pk=first.pk).refusal == "one_internet"
    assert list(salesforce.placed) == [second.portal_ref]

    salesforce.changes = [change(second.sf_order_id or "", status="Cancelled", minute=5)]
    refresh()
    whmcs.methods, salesforce.calls = [], []
    by_support.place_again(first.pk, Decision("carol@example.jp", "the other one is cancelled"))
    assert next_round()["placed"] == 0
    assert Order.objects.get(pk=first.pk).on_hold == ["payment"]
    whmcs.methods = [CARD]
    assert next_round()["placed"] == 1
    assert salesforce.calls[0] == "order_by_ref", "waiting for the customer does not make it forget that it was sent"


# --- an order that was deleted in Salesforce


def test_an_order_that_is_gone_from_salesforce_is_ended_by_support(
    aiko: User, salesforce: Salesforce, carol: Client
) -> None:
    (order,) = order_now(aiko, "VPN-US")
    salesforce.changes = [change(order.sf_order_id or "")]
    form: dict[str, Any] = {"action": "mark_cancelled", "_selected_action": [order.pk]}
    confirmed = {**form, "confirmed": "yes", "reason": "deleted as a duplicate"}
    assert "Cancel this one there." in carol.post(LIST, confirmed, follow=True).content.decode()
    salesforce.changes = []
    said = carol.post(LIST, {**form, "action": "refresh_from_salesforce"}, follow=True).content.decode()
    assert f"{order.number}: Salesforce does not have this order any more" in said
    assert order.events.filter(what="not_in_salesforce", actor="carol@example.jp").exists()
    assert status_of(Order.objects.get()) is Status.PENDING_REVIEW, "a look decides nothing"

    Order.objects.update(progress="Activating")
    assert "just being provisioned" in carol.post(LIST, confirmed, follow=True).content.decode()
    Order.objects.update(progress="")
    left = {"subject": f"order:{order.sf_order_id}", "kind": "whmcs_order", "remote_id": "4711"}
    fact = RemoteFact.objects.create(**left)
    assert "end that there first" in carol.post(LIST, confirmed, follow=True).content.decode()
    assert status_of(Order.objects.get()) is Status.PENDING_REVIEW, "nobody else would end what WHMCS bills"
    RemoteFact.objects.filter(pk=fact.pk).update(state="gone")
    carol.post(LIST, confirmed)
    seen = Order.objects.get()
    assert (status_of(seen), seen.cancelled_at is None) == (Status.CANCELLED, False)
    assert seen.events.get(what="marked_cancelled").detail == {"reason": "deleted as a duplicate"}
    assert AuditEntry.objects.filter(action="order.mark_cancelled", subject=f"order:{order.number}").exists()
    assert Email.objects.filter(template="order_cancelled").count() == 1
    assert not Order.objects.filter(user=aiko).under_way().exists(), "it keeps the customer from nothing any more"


def test_only_who_may_decide_decides(aiko: User, salesforce: Salesforce) -> None:
    (order,) = order_now(aiko, "VPN-US")
    Order.objects.update(local_state="refused")
    operator = signed_in(make_staff("gus@example.jp", group="Operator").user)
    form = {"action": "place_again", "_selected_action": [order.pk], "confirmed": "yes", "reason": "x"}
    operator.post(LIST, form)
    assert Order.objects.get().local_state == "refused"
    with pytest.raises(by_support.NotPossible):
        by_support.mark_cancelled(order.pk, Decision("carol@example.jp", "over already"))


def test_a_decision_and_its_entry_in_the_trail_are_one(
    aiko: User, salesforce: Salesforce, carol: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    (order,) = order_now(aiko, "VPN-US")
    Order.objects.update(local_state="refused", refusal="FIELD_INTEGRITY_EXCEPTION")

    def broken(*args: Any, **kwargs: Any) -> None:
        raise DataError("no entry")

    monkeypatch.setattr(trail, "record_request", broken)
    form = {"action": "place_again", "_selected_action": [order.pk], "confirmed": "yes", "reason": "mended"}
    with pytest.raises(DataError):
        carol.post(LIST, form)
    assert Order.objects.get().local_state == "refused"


# --- rounds while Salesforce hangs


def test_a_round_ends_when_salesforce_is_away(aiko: User, salesforce: Salesforce) -> None:
    salesforce.fails["place_order"] = Unavailable("salesforce", "place_order", "timeout")
    orders = [order_now(aiko, "VPN-US")[0] for _ in range(3)]
    salesforce.calls = []
    assert next_round() == {"tried": 1, "placed": 0, "refused": 0}
    assert salesforce.calls.count("order_by_ref") == 1
    salesforce.fails["place_order"] = Unavailable("salesforce", "place_order", "row_locked")
    assert next_round()["tried"] == 3, "what is about one order holds up no other"

    salesforce.fails = {}
    next_round()
    now = timezone.now()
    for order in orders:
        Cancellation.objects.create(order=order, asked_at=now, next_try_at=now)
    salesforce.fails["order_in_review"] = Unavailable("salesforce", "order_in_review", "timeout")
    assert cancelling.carry_out_due()["tried"] == 1


def test_a_round_of_address_checks_ends_when_salesforce_is_away(salesforce: Salesforce) -> None:
    for name in ("aiko", "ben", "chie"):
        a_check(
            make_customer(f"{name}@example.jp"),
            state="submitted",
            answer="",
            offered=None,
            sf_opportunity_id="",
            next_try_at=timezone.now(),
        )
    calls: list[str] = []

    def hangs(**asked: Any) -> None:
        calls.append(asked["ref"])
        raise Unavailable("salesforce", "check_standing", "timeout")

    salesforce.check_standing = hangs  # type: ignore[attr-defined]
    assert sending.send_due() == {"submitted": 0, "sent": 0}
    assert len(calls) == 1
    assert EligibilityRequest.objects.filter(tries=1).count() == 1


# --- somebody notices


def numbers(client: Client) -> dict[str, float]:
    collector.forget()
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_orders_on_their_way_are_counted_and_alerted_after_fifteen_minutes(
    aiko: User, salesforce: Salesforce, client: Client
) -> None:
    rule = yaml.safe_load(EXPRESSIONS["OrdersNotPlaced"].rpartition(">")[2])
    assert numbers(client)["portal_orders_not_placed_oldest_seconds"] == 0
    salesforce.fails["place_order"] = Unavailable("salesforce", "place_order", "no_connection")
    order_now(aiko, "VPN-US")
    long_ago = timezone.now() - timedelta(minutes=16)
    Order.objects.update(created_at=long_ago, cleared_at=long_ago)
    found = numbers(client)
    assert found["portal_orders_not_placed"] == 1
    assert rule == 900 < found["portal_orders_not_placed_oldest_seconds"] < 1000
    Order.objects.update(on_hold=["payment"])
    assert numbers(client)["portal_orders_not_placed"] == 0, "what waits for its customer is nobody's alarm"
    Order.objects.update(on_hold=[])
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    assert numbers(client)["portal_orders_not_placed"] == 0, "nor what waits for the customer number"


def page_of(user: User, order: Order) -> str:
    return str(signed_in(user).get(f"/orders/{order.number}/").content.decode())
