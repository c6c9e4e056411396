"""Submitting: once, at the price seen, with everything needed there; placing: found again, never doubled."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import CustomerLink, User
from catalog.sync import sync
from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable, UnknownOutcome
from notifications.models import Email
from notifications.rendering import render
from orders import checkout, jobs, placing
from orders.models import Cart, CartLine, Order, OrderEvent, OrderLine
from support.models import Case
from tests.orders.doubles import Salesforce, Whmcs, opportunity, service
from tests.orders.steps import ACCEPTED, TERMS, a_check, fill, order_now, seen
from tests.people import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(salesforce: Salesforce, whmcs: Whmcs) -> User:
    return make_customer("aiko@example.jp", internet_eligibility="Apartment 1G", identity_status="Pending")


def submit(user: User, cart: Cart, **changes: Any) -> UUID:
    given: dict[str, Any] = {"seen": seen(user, cart), "accepted": ACCEPTED}
    return checkout.submit(user=user, cart_id=cart.pk, **{**given, **changes})


def make_due() -> None:
    Order.objects.update(next_try_at=None, lease_until=None)


def test_one_service_is_one_order_placed_in_one_composite(customer: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    cart = fill(customer, "INT-APT-1G", router="wifi6")
    CartLine.objects.update(add_ons=["ADD-PHONE"], price_seen={"monthly": 5830, "yearly": 0, "one_time": 3300})
    submission = submit(customer, cart)
    order = Order.objects.get(submission=submission)
    assert (order.local_state, order.sf_order_id, order.sf_order_number) == ("placed", "801TEST00000001AAA", "00000001")
    assert salesforce.calls == ["open_opportunities", "place_order"]
    assert whmcs.calls == ["pay_methods", "services"]
    (new,) = salesforce.asked
    assert [(item.unit_price, item.quantity, item.billing_cycle) for item in new.items] == [
        (5280, 1, "Monthly"),
        (3300, 1, "One-time"),
        (550, 1, "Monthly"),
    ]
    assert new.items[0].options == {"router": {"value": "wifi6", "whmcs_option_id": 11, "whmcs_value": 113}}
    assert (new.commodity, new.account_name) == ("Personal SonixNet Home Internet", "Sato Aiko")
    assert new.ref == order.portal_ref
    assert new.ref.startswith(f"{order.number}:")
    assert len(new.ref) <= 64
    assert [line.sf_order_item_id != "" for line in order.lines.all()] == [True] * 3
    assert (order.terms_version, order.terms_accepted_at is not None) == (TERMS, True)
    assert [event.what for event in order.events.all()] == ["submitted", "placed"]
    assert Cart.objects.get().closed_at is not None
    assert Email.objects.get().context["numbers"] == [order.number]


@pytest.mark.parametrize(("language", "subject"), [("en", "We have your 2 orders"), ("ja", "お申し込み2件")])
def test_the_customer_is_told_once_in_their_language(customer: User, language: str, subject: str) -> None:
    User.objects.update(language=language)
    orders = order_now(User.objects.get(), "VPN-US", "SIM-D-3", sim_type="esim")
    mail = render(Email.objects.get())
    assert subject in mail.subject
    for order in orders:
        assert order.number in mail.text
        assert order.number in mail.html
    assert f"/orders/placed/{orders[0].submission}/" in mail.text


def test_several_services_are_several_orders_of_one_submit(customer: User, salesforce: Salesforce) -> None:
    orders = order_now(customer, "SIM-D-3", "VPN-US", "SIM-D-3", sim_type="esim")
    assert [order.local_state for order in orders] == ["placed"] * 3
    assert len({order.number for order in orders}) == len({order.sf_order_id for order in orders}) == 3
    assert len({order.cart_hash for order in orders}) == 1
    assert sorted(new.commodity for new in salesforce.asked) == ["SIM", "SIM", "VPN"]
    assert Email.objects.count() == 1


def test_the_newest_open_opportunity_is_taken_unless_another_order_has_it(
    customer: User, salesforce: Salesforce
) -> None:
    older = opportunity("006OLDER0000000AAA", "Introduction")
    salesforce.opportunities = [older, opportunity("006NEWEST000000AAA", minute=1)]
    orders = order_now(customer, "SIM-D-3", "SIM-D-3", "SIM-D-3", sim_type="esim")
    assert [order.sf_opportunity_id for order in orders] == [
        "006NEWEST000000AAA",
        "006OLDER0000000AAA",
        "006TEST00000003AAA",
    ]


def test_the_opportunity_of_the_address_check_is_taken_without_asking(customer: User, salesforce: Salesforce) -> None:
    check = a_check(customer)
    (order,) = order_now(customer, "INT-APT-1G", router="none")
    assert salesforce.calls == ["place_order"]
    assert order.sf_opportunity_id == salesforce.asked[0].opportunity_id == check.sf_opportunity_id


@pytest.mark.parametrize(
    "check",
    [
        {"offered": False},
        {"sf_opportunity_id": ""},
        {"sf_account_id": "001OTHER0000000AAA"},
    ],
)
def test_another_check_is_no_known_opportunity(customer: User, salesforce: Salesforce, check: dict[str, Any]) -> None:
    a_check(customer, **check)
    order_now(customer, "INT-APT-1G", router="none")
    assert salesforce.calls == ["open_opportunities", "place_order"]


def test_a_known_opportunity_that_another_order_has_is_not_taken_again(customer: User, salesforce: Salesforce) -> None:
    check = a_check(customer)
    (first,) = order_now(customer, "INT-APT-1G", router="none")
    Order.objects.update(category="VPN")  # as if the customer might have a second line
    (second,) = order_now(customer, "INT-APT-1G", router="none")
    assert (first.sf_opportunity_id, second.sf_opportunity_id != check.sf_opportunity_id) == (
        check.sf_opportunity_id,
        True,
    )


# --- once


def test_the_same_cart_twice_makes_one_order(customer: User, salesforce: Salesforce, settings: Any) -> None:
    cart = fill(customer, "VPN-US")
    given = seen(customer, cart)
    first = submit(customer, cart, seen=given)
    assert submit(customer, cart, seen=given) == first
    settings.TERMS_VERSION = "2027-04-01"
    again = checkout.submit(user=customer, cart_id=cart.pk, seen=given, accepted=ACCEPTED)
    assert again == first, "what was ordered is not judged by texts that came later"
    assert (Order.objects.count(), len(salesforce.placed)) == (1, 1)


def test_two_tabs_at_the_same_moment_make_one_order(customer: User, salesforce: Salesforce) -> None:
    cart = fill(customer, "VPN-US", "SIM-D-3", sim_type="esim")
    given, gate, results = seen(customer, cart), threading.Barrier(6), []

    def press() -> None:
        try:
            gate.wait(timeout=10)
            results.append(submit(User.objects.get(pk=customer.pk), Cart.objects.get(pk=cart.pk), seen=given))
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(results) == 6
    assert len(set(results)) == 1
    assert (Order.objects.count(), len(salesforce.placed), salesforce.calls.count("place_order")) == (2, 2, 2)
    assert Email.objects.count() == 1


def test_one_order_is_placed_by_one_worker_at_a_time(customer: User, salesforce: Salesforce) -> None:
    salesforce.fails["place_order"] = Unavailable("salesforce", "place_order", "connect")
    (order,) = order_now(customer, "VPN-US")
    salesforce.fails, salesforce.calls = {}, []
    make_due()
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        go_on.wait(timeout=10)

    salesforce.pause = hold

    def first() -> None:
        try:
            placing.place(order.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(timeout=10)
    calls = len(salesforce.calls)
    assert placing.place(order.pk).local_state == "submitted"
    assert len(salesforce.calls) == calls, "the second worker asked nobody"
    go_on.set()
    thread.join(timeout=10)
    assert Order.objects.get().local_state == "placed"


def test_the_unique_constraint_stands_behind_the_lock(customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    names = [constraint.name for constraint in Order._meta.constraints]
    assert "order_once_per_cart_line" in names
    order.pk, order.number, order.portal_ref, order.sf_order_id = None, "SX-0000-000", "other", None
    order._state.adding = True
    with pytest.raises(Exception, match="order_once_per_cart_line"):
        order.save()


def test_the_same_again_within_a_day_is_asked_about_first(customer: User, salesforce: Salesforce) -> None:
    (first,) = order_now(customer, "VPN-US")
    cart = fill(customer, "VPN-US")
    with pytest.raises(checkout.OrderedBefore) as before:
        submit(customer, cart)
    assert before.value.order == first
    assert Order.objects.count() == 1
    submit(customer, cart, again=True)
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    "became", [{"progress": "Provisioned"}, {"sf_status": "Activated", "sf_activation_status": "Provisioned"}]
)
def test_the_same_again_is_asked_about_whatever_became_of_the_first(customer: User, became: dict[str, str]) -> None:
    order_now(customer, "VPN-US")
    Order.objects.update(**became)
    with pytest.raises(checkout.OrderedBefore):
        submit(customer, fill(customer, "VPN-US"))


@pytest.mark.parametrize(
    "later",
    [{"created_at": timezone.now() - timedelta(hours=25)}, {"sf_status": "Cancelled"}, {"local_state": "refused"}],
)
def test_what_is_older_or_over_is_not_asked_about(customer: User, later: dict[str, Any]) -> None:
    order_now(customer, "VPN-US")
    Order.objects.update(**later)
    submit(customer, fill(customer, "VPN-US"))
    assert Order.objects.count() == 2


def test_another_choice_is_another_order(customer: User) -> None:
    order_now(customer, "VPN-US")
    cart = fill(customer, "VPN-US")
    cart.lines.update(options={"extra_devices": 1})
    submit(customer, cart)
    assert Order.objects.count() == 2


# --- nothing is ordered


def nothing_ordered(cart: Cart, salesforce: Salesforce) -> bool:
    cart.refresh_from_db()
    return not Order.objects.exists() and cart.closed_at is None and "place_order" not in salesforce.calls


def test_a_price_that_changed_is_shown_and_confirmed(customer: User, salesforce: Salesforce) -> None:
    cart = fill(customer, "VPN-US")
    given = seen(customer, cart)
    salesforce.edit("VPN-US", price=Decimal("110"))
    sync()
    with pytest.raises(checkout.CartChanged) as changed:
        submit(customer, cart, seen=given)
    assert changed.value.view.totals.monthly == 110
    assert nothing_ordered(cart, salesforce)
    submit(customer, cart)
    assert OrderLine.objects.get(sku="VPN-US").unit_price == 110
    confirmed = OrderEvent.objects.get(what="price_confirmed").detail
    assert (confirmed["was"]["monthly"], confirmed["now"]["monthly"]) == (550, 110)


@pytest.mark.parametrize("given", ["", "0" * 64, "x" * 5000, "' OR 1=1"])
def test_a_forged_digest_orders_nothing(customer: User, salesforce: Salesforce, given: str) -> None:
    cart = fill(customer, "VPN-US")
    with pytest.raises(checkout.CartChanged):
        submit(customer, cart, seen=given)
    assert nothing_ordered(cart, salesforce)


def test_a_vanished_plan_orders_nothing(customer: User, salesforce: Salesforce) -> None:
    cart = fill(customer, "VPN-US", "SIM-D-3", sim_type="esim")
    given = seen(customer, cart)
    salesforce.drop("VPN-US")
    sync()
    with pytest.raises(checkout.CartChanged):
        submit(customer, cart, seen=given)
    assert nothing_ordered(cart, salesforce)


@pytest.mark.parametrize("version", ["", "2020-01-01"])
@pytest.mark.parametrize("text", ["terms", "matters"])
def test_without_the_texts_in_force_nothing_is_ordered(
    customer: User, salesforce: Salesforce, text: str, version: str
) -> None:
    cart = fill(customer, "VPN-US")
    with pytest.raises(checkout.TermsNotAccepted) as refused:
        submit(customer, cart, accepted=replace(ACCEPTED, **{text: version}))
    assert refused.value.missing == (text,)
    assert nothing_ordered(cart, salesforce)


@pytest.mark.parametrize("empty", [True, False])
def test_somebody_elses_or_an_empty_cart_orders_nothing(customer: User, salesforce: Salesforce, empty: bool) -> None:
    if empty:
        cart = Cart.objects.create(user=customer)
        with pytest.raises(checkout.CartChanged):
            submit(customer, cart)
    else:
        cart = fill(make_customer("ben@example.jp"), "VPN-US")
        with pytest.raises(checkout.CartGone):
            submit(customer, cart)
    assert nothing_ordered(cart, salesforce)


def test_the_gate_is_asked_again_at_submit(customer: User, salesforce: Salesforce, whmcs: Whmcs) -> None:
    cart = fill(customer, "INT-APT-1G", router="none")
    down = Unavailable("whmcs", "GetPayMethods", "timeout")
    sound = {name: getattr(whmcs, name) for name in ("methods", "held", "error")}
    for name, value, key in (
        ("methods", [], "payment"),
        ("held", [service(102)], "one_internet"),
        ("error", down, "pay"),
    ):
        setattr(whmcs, name, value)
        with pytest.raises(checkout.NotReady, match=key):
            submit(customer, cart)
        setattr(whmcs, name, sound[name])
    assert nothing_ordered(cart, salesforce)


# --- placing


def test_a_lost_answer_is_found_again_at_once(customer: User, salesforce: Salesforce) -> None:
    salesforce.loses_answer = True
    (order,) = order_now(customer, "VPN-US")
    assert (order.local_state, order.sf_order_id) == ("placed", "801TEST00000001AAA")
    assert salesforce.calls == ["open_opportunities", "place_order", "order_by_ref"]


def test_a_lost_answer_and_a_blind_look_up_are_found_by_the_sweep(customer: User, salesforce: Salesforce) -> None:
    salesforce.loses_answer = True
    salesforce.fails["order_by_ref"] = Unavailable("salesforce", "order_by_ref", "timeout")
    (order,) = order_now(customer, "VPN-US")
    assert (order.local_state, order.tries, order.lease_until) == ("submitted", 1, None)
    assert order.next_try_at is not None
    salesforce.fails, salesforce.calls = {}, []
    assert placing.place_due() == {"tried": 0, "placed": 0, "refused": 0}, "not due yet"
    make_due()
    assert placing.place_due() == {"tried": 1, "placed": 1, "refused": 0}
    assert salesforce.calls == ["order_by_ref"], "found, so nothing was sent"
    assert (len(salesforce.placed), Order.objects.get().sf_order_id) == (1, "801TEST00000001AAA")


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("salesforce", "place_order", "sf_limit"),
        UnknownOutcome("salesforce", "place_order", "timeout"),
        Misconfigured("salesforce", "place_order", "pricebook", "no pricebook"),
    ],
)
@pytest.mark.parametrize("operation", ["open_opportunities", "place_order"])
def test_an_outage_keeps_the_order_and_the_sweep_places_it(
    customer: User, salesforce: Salesforce, error: OutsideError, operation: str
) -> None:
    salesforce.fails[operation] = error
    (order,) = order_now(customer, "VPN-US")
    assert order.local_state == "submitted"
    event = order.events.last()
    assert event is not None
    assert (event.what, event.detail["code"]) == ("not_placed_yet", error.code)
    salesforce.fails = {}
    make_due()
    jobs.place_submitted()
    assert Order.objects.get().local_state == "placed"
    assert len(salesforce.placed) == 1


def test_a_crash_between_submit_and_placing_is_made_good(
    customer: User, salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(submission: UUID) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(placing, "place_submission", die)
    cart = fill(customer, "VPN-US")
    given = seen(customer, cart)
    with pytest.raises(KeyboardInterrupt):
        submit(customer, cart, seen=given)
    assert Order.objects.get().local_state == "submitted"
    assert placing.place_due()["placed"] == 1
    assert submit(customer, cart, seen=given) == Order.objects.get().submission


def test_a_refusal_is_final_told_to_staff_and_never_raw(customer: User, salesforce: Salesforce) -> None:
    salesforce.fails["place_order"] = Rejected("salesforce", "place_order", "field_integrity_exception", "pbe inactive")
    (order,) = order_now(customer, "VPN-US")
    assert (order.local_state, order.refusal) == ("refused", "field_integrity_exception")
    assert Case.objects.get().subject == f"Order {order.number} was refused"
    make_due()
    assert placing.place_due()["tried"] == 0


def test_one_refused_order_does_not_hold_the_others(customer: User, salesforce: Salesforce) -> None:
    place: Callable[[Any], Any] = salesforce.place_order

    def only_vpn_is_refused(new: Any) -> Any:
        if new.commodity == "VPN":
            raise Rejected("salesforce", "place_order.items", "field_integrity_exception")
        return place(new)

    salesforce.place_order = only_vpn_is_refused  # type: ignore[method-assign]
    orders = order_now(customer, "SIM-D-3", "VPN-US", sim_type="esim")
    assert {order.category: order.local_state for order in orders} == {"SIM": "placed", "VPN": "refused"}


def test_a_provisional_customers_order_waits_until_the_link_is_real(
    customer: User, salesforce: Salesforce, whmcs: Whmcs
) -> None:
    client = customer.link.whmcs_client_id
    CustomerLink.objects.filter(user=customer).update(state="provisional", whmcs_client_id=None)
    aiko = User.objects.get(pk=customer.pk)
    (order,) = order_now(aiko, "INT-APT-1G", router="none")
    assert order.local_state == "submitted"
    assert placing.place_due()["tried"] == 0
    assert (salesforce.calls, whmcs.calls) == ([], []), "nothing of the account is used"
    CustomerLink.objects.update(state="linked", whmcs_client_id=client)
    assert placing.place_due()["placed"] == 1


def test_the_hash_depends_on_everything_the_customer_agreed_to(customer: User) -> None:
    cart = fill(customer, "VPN-US")
    found = {seen(customer, cart)}
    cart.lines.update(options={"extra_devices": 1})
    found.add(seen(customer, cart))
    cart.lines.update(options={"extra_devices": 2})
    found.add(seen(customer, cart))
    ben = make_customer("ben@example.jp")
    found.add(seen(ben, cart))
    CartLine.objects.create(cart=cart, sku="SIM-D-3", options={"sim_type": "esim"})
    found.add(seen(customer, cart))
    assert len(found) == 5
    assert OrderEvent.objects.count() == 0
