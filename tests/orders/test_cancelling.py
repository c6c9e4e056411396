"""A customer does not want an order any more: the wish, the page, and everything that may come between."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from integrations.errors import Rejected, Unavailable
from notifications.models import Email
from notifications.rendering import render
from orders import cancelling, jobs, revived
from orders.models import Cancellation, Order
from orders.refresh import refresh
from orders.status import Status, status_of
from support.models import Case
from tests.orders.doubles import Salesforce, Whmcs, change, opportunity
from tests.orders.steps import order_now
from tests.people import make_customer, make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
STAFF_LIST = "/admin/orders/order/"
SOME_DAY = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture
def customer(salesforce: Salesforce, whmcs: Whmcs) -> User:
    return make_customer("aiko@example.jp")


@pytest.fixture
def browser(customer: User) -> Client:
    return signed_in(customer)


@pytest.fixture
def order(customer: User, salesforce: Salesforce, whmcs: Whmcs) -> Order:
    """In review, in Salesforce too."""
    (placed,) = order_now(customer, "VPN-US")
    salesforce.changes = [change(placed.sf_order_id or "", ref=placed.portal_ref)]
    salesforce.calls, whmcs.calls = [], []
    return placed


def page_of(browser: Client, order: Order) -> str:
    return str(browser.get(f"/orders/{order.number}/").content.decode())


def ask(browser: Client, order: Order) -> Cancellation:
    """Through the page; nobody works on it yet."""
    answer = browser.post(f"/orders/{order.number}/cancel/")
    assert answer["Location"] == f"/orders/{order.number}/"
    return Cancellation.objects.get(order=order)


def now_approved(salesforce: Salesforce, order: Order) -> None:
    salesforce.changes = [change(order.sf_order_id or "", status="Approved", activation="Activating", minute=5)]


def events(order: Order) -> list[str]:
    return [event.what for event in order.events.all()][2:]  # after submitted, placed


# --- the page


def test_the_way_there_says_what_cancelling_means(browser: Client, order: Order) -> None:
    assert f'href="/orders/{order.number}/cancel/"' in page_of(browser, order)
    page = browser.get(f"/orders/{order.number}/cancel/").content.decode()
    for words in ("Cancel this order?", "VPN United States", order.number, "cannot be brought back", "Keep the order"):
        assert words in page
    assert not Cancellation.objects.exists()


def test_the_wish_is_no_success_before_salesforce_has_it(browser: Client, order: Order, salesforce: Salesforce) -> None:
    ask(browser, order)
    page = page_of(browser, order)
    assert "Cancellation requested" in page
    assert "Until this page says Cancelled, the order is not cancelled." in page
    assert "data-poll" in page
    assert "Cancel this order" not in page
    answer = browser.get(f"/orders/{order.number}/", headers={"accept": "application/json"}).json()
    assert (answer["status"], answer["label"], answer["final"]) == ("Pending Review", "Cancellation requested", False)
    assert salesforce.calls == []
    assert not Email.objects.filter(template="order_cancelled").exists()


def test_a_double_click_is_one_wish(browser: Client, order: Order) -> None:
    first = ask(browser, order)
    assert ask(browser, order).asked_at == first.asked_at
    assert events(order) == ["cancel_asked"]


@pytest.mark.parametrize(
    "columns",
    [
        {"sf_status": "Approved"},
        {"sf_status": "Activated", "sf_activation_status": "Provisioned"},
        {"sf_status": "Cancelled"},
        {"sf_activation_status": "Activating"},
        {"progress": "Activating"},
        {"local_state": "submitted"},
        {"local_state": "refused"},
        {"sf_account_id": "001TEST00000001AAA"},
    ],
    ids=str,
)
def test_only_an_order_in_review_can_be_cancelled(
    browser: Client, order: Order, customer: User, columns: dict[str, str]
) -> None:
    if "sf_account_id" in columns:
        columns = {"sf_account_id": customer.link.sf_account_id}  # one that support made
    Order.objects.update(**columns)
    assert "/cancel/" not in page_of(browser, order)
    for ask_for in (browser.get, browser.post):
        answer: Any = ask_for(f"/orders/{order.number}/cancel/", follow=True)
        assert "This order cannot be cancelled here." in answer.content.decode()
    with pytest.raises(cancelling.TooLate):
        cancelling.ask(customer, order.number)
    assert not Cancellation.objects.exists()


def test_an_order_of_somebody_else_cannot_be_cancelled(order: Order) -> None:
    stranger = make_customer("ben@example.jp")
    for ask_for in (signed_in(stranger).get, signed_in(stranger).post):
        assert ask_for(f"/orders/{order.number}/cancel/").status_code == 404
    with pytest.raises(Order.DoesNotExist):
        cancelling.ask(stranger, order.number)


# --- what becomes of it


def test_a_cancelled_order_is_told_once(browser: Client, order: Order, salesforce: Salesforce, whmcs: Whmcs) -> None:
    wish = ask(browser, order)
    jobs.cancel(wish.pk)
    jobs.cancel(wish.pk)
    refresh()
    seen = Order.objects.get()
    assert status_of(seen) is Status.CANCELLED
    assert "We cancelled this order, as you asked." in page_of(browser, order)
    assert "if you did not expect this" not in page_of(browser, order)
    assert salesforce.calls[:2] == ["order_in_review", "cancel_order"]
    assert salesforce.calls.count("cancel_order") == 1
    assert whmcs.calls == []
    assert events(order) == ["cancel_asked", "cancel_done", "salesforce"]
    assert seen.events.get(what="salesforce").actor == "customer"
    (mail,) = Email.objects.filter(template="order_cancelled")
    assert (mail.to, mail.context["asked"]) == ("aiko@example.jp", True)


def test_an_approval_that_came_first_wins(browser: Client, order: Order, salesforce: Salesforce) -> None:
    wish = ask(browser, order)
    now_approved(salesforce, order)
    jobs.cancel(wish.pk)
    seen = Order.objects.get()
    assert (status_of(seen), Cancellation.objects.get().state) == (Status.ACTIVATING, "too_late")
    assert "Your cancellation came too late" in page_of(browser, order)
    assert "cancel_order" not in salesforce.calls
    assert not Email.objects.filter(template="order_cancelled").exists()


def test_an_approval_between_look_and_write_wins(browser: Client, order: Order, salesforce: Salesforce) -> None:
    wish = ask(browser, order)
    looks: list[str] = []

    def approve_before_the_write() -> None:
        looks.append(salesforce.calls[-1])
        if looks == ["order_in_review", "cancel_order"]:
            now_approved(salesforce, order)

    salesforce.pause = approve_before_the_write
    jobs.cancel(wish.pk)
    assert looks == ["order_in_review", "cancel_order", "order_in_review"]
    assert (status_of(Order.objects.get()), Cancellation.objects.get().state) == (Status.ACTIVATING, "too_late")


def test_an_approval_between_the_two_tries_wins(browser: Client, order: Order, salesforce: Salesforce) -> None:
    """The first try was refused for the Opportunity; then support approved."""
    salesforce.opportunity_locked = True
    salesforce.opportunity = opportunity(
        "006A", "Post Processing", source="Portal - Order Placement", ref=order.portal_ref
    )
    wish = ask(browser, order)

    def approve_before_the_second() -> None:
        if salesforce.calls.count("cancel_order") == 2:
            now_approved(salesforce, order)

    salesforce.pause = approve_before_the_second
    jobs.cancel(wish.pk)
    assert salesforce.stages == ["Void", ""]
    assert (status_of(Order.objects.get()), Cancellation.objects.get().state) == (Status.ACTIVATING, "too_late")
    assert not Case.objects.exists()


def test_what_support_put_back_to_draft_is_cancelled_and_not_called_approved(
    browser: Client, order: Order, salesforce: Salesforce
) -> None:
    wish = ask(browser, order)
    salesforce.changes = [change(order.sf_order_id or "", status="Draft", minute=5)]
    jobs.cancel(wish.pk)
    assert (status_of(Order.objects.get()), Cancellation.objects.get().state) == (Status.CANCELLED, "done")
    assert "too late" not in page_of(browser, order)


def test_one_may_ask_while_support_has_it_in_draft(browser: Client, order: Order) -> None:
    Order.objects.update(sf_status="Draft")
    assert ask(browser, order).state == "asked"


def test_an_outage_keeps_the_wish(browser: Client, order: Order, salesforce: Salesforce, settings: Any) -> None:
    settings.SWEEP_S = 0
    wish = ask(browser, order)
    salesforce.fails["order_in_review"] = Unavailable("salesforce", "order_in_review", "timeout")
    jobs.cancel(wish.pk)
    wish.refresh_from_db()
    assert (wish.state, wish.last_error) == ("asked", "timeout")
    assert wish.next_try_at > timezone.now()
    assert "Cancellation requested" in page_of(browser, order)
    salesforce.fails = {}
    jobs.cancel_asked()
    assert Cancellation.objects.get().state == "asked", "not before its time"
    Cancellation.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    jobs.cancel_asked()
    assert Cancellation.objects.get().state == "done"


def test_a_lost_job_is_made_up_for(browser: Client, order: Order) -> None:
    ask(browser, order)
    assert cancelling.carry_out_due() == {"tried": 1, "cancelled": 1, "too_late": 0}


def test_a_refusal_goes_to_support_and_is_no_success(browser: Client, order: Order, salesforce: Salesforce) -> None:
    wish = ask(browser, order)
    salesforce.fails["cancel_order"] = Rejected("salesforce", "cancel_order", "field_custom_validation_exception", "no")
    jobs.cancel(wish.pk)
    assert Cancellation.objects.get().state == "refused"
    assert order.number in Case.objects.get().subject
    page = page_of(browser, order)
    assert "Customer support looks at your cancellation" in page
    assert "validation" not in page


@pytest.mark.parametrize(
    ("source", "ref", "stage"),
    [
        ("Portal - Order Placement", "own", "Void"),
        ("Portal - Order Placement", "another's", ""),
        ("Portal - Internet Eligibility Request", "", "Ready"),
        ("Sales - Manual", "", ""),
    ],
)
def test_the_opportunity_goes_where_it_came_from(
    browser: Client, order: Order, salesforce: Salesforce, source: str, ref: str, stage: str
) -> None:
    own = order.portal_ref if ref == "own" else ref
    salesforce.opportunity = opportunity("006A", "Post Processing", source=source, ref=own)
    jobs.cancel(ask(browser, order).pk)
    assert salesforce.stages == [stage]


def test_an_opportunity_that_may_not_be_changed_keeps_no_order(
    browser: Client, order: Order, salesforce: Salesforce
) -> None:
    salesforce.opportunity_locked = True
    salesforce.opportunity = opportunity(
        "006A", "Post Processing", source="Portal - Order Placement", ref=order.portal_ref
    )
    jobs.cancel(ask(browser, order).pk)
    assert salesforce.stages == ["Void", ""]
    assert status_of(Order.objects.get()) is Status.CANCELLED
    assert "Set its stage." in Case.objects.get().description


def test_what_support_cancelled_first_ends_the_wish(browser: Client, order: Order, salesforce: Salesforce) -> None:
    wish = ask(browser, order)
    salesforce.changes = [change(order.sf_order_id or "", status="Cancelled", minute=5)]
    refresh()
    wish.refresh_from_db()
    assert wish.state == "done"
    salesforce.calls = []
    jobs.cancel(wish.pk)
    assert salesforce.calls == []
    assert Email.objects.filter(template="order_cancelled").count() == 1


def test_after_a_return_to_review_one_may_ask_again(browser: Client, order: Order, salesforce: Salesforce) -> None:
    wish = ask(browser, order)
    now_approved(salesforce, order)
    jobs.cancel(wish.pk)
    salesforce.changes = [change(order.sf_order_id or "", minute=6)]
    refresh()
    assert ask(browser, order).state == "asked"
    jobs.cancel(wish.pk)
    assert status_of(Order.objects.get()) is Status.CANCELLED


def test_an_approval_over_a_cancellation_is_told_to_everybody(
    browser: Client, order: Order, salesforce: Salesforce
) -> None:
    """decisions.md 20 lets it be provisioned; the customer holds the e-mail that says cancelled."""
    jobs.cancel(ask(browser, order).pk)
    assert not revived.unwanted().exists()
    now_approved(salesforce, order)
    for _ in range(2):
        refresh()
    assert status_of(Order.objects.get()) is Status.ACTIVATING
    event = order.events.get(what="revived")
    assert (event.detail["status"], event.detail["customer_cancelled"]) == ("Approved", True)
    assert "its customer cancelled it" in Case.objects.get().subject
    told = render(Email.objects.get(template="order_revived"))
    for words in ("as you asked", "That is our mistake", order.number):
        assert words in told.text
        assert words in told.html
    for progress in ("", "Provisioned"):
        Order.objects.update(progress=progress)
        assert "You cancelled this order, and it goes on" in page_of(browser, order)
    assert list(revived.unwanted()) == [order]
    salesforce.changes = [change(order.sf_order_id or "", status="Cancelled", minute=9)]
    Order.objects.update(progress="")
    refresh()
    assert not revived.unwanted().exists()
    assert "it goes on" not in page_of(browser, order)


def test_what_support_cancelled_and_took_up_again_is_told_without_a_case(
    browser: Client, order: Order, salesforce: Salesforce
) -> None:
    for minute, status in enumerate(("Cancelled", "Pending Review", "Cancelled", "Pending Review"), start=3):
        salesforce.changes = [change(order.sf_order_id or "", status=status, minute=minute)]
        refresh()
    assert Email.objects.filter(template="order_revived").count() == 2, "once for each time"
    assert "Customer support has taken it up again" in render(Email.objects.filter(template="order_revived")[0]).text
    assert "You cancelled this order" not in page_of(browser, order)
    assert not Case.objects.exists()


def test_back_in_review_is_no_approval_yet_and_the_approval_is_told_when_it_comes(
    browser: Client, order: Order, salesforce: Salesforce
) -> None:
    jobs.cancel(ask(browser, order).pk)
    salesforce.changes = [change(order.sf_order_id or "", minute=5)]
    refresh()
    told = render(Email.objects.get(template="order_revived"))
    for part in (told.text, told.html):
        assert "It is in review again" in part
        assert "mistake" not in part
    assert "You cancelled this order" not in page_of(browser, order)
    assert "Talk to the customer before anybody approves it" in Case.objects.get().description
    assert list(revived.unwanted()) == [order]
    salesforce.changes = [change(order.sf_order_id or "", status="Approved", minute=5)]
    for _ in range(2):
        refresh()
    again = Email.objects.filter(template="order_revived").order_by("pk").last()
    assert again is not None
    assert "That is our mistake" in render(again).text
    assert "You cancelled this order, and it goes on" in page_of(browser, order)
    assert (Case.objects.count(), Email.objects.filter(template="order_revived").count()) == (2, 2)


def test_an_order_that_its_customer_keeps_after_all_is_settled_by_support(
    browser: Client, order: Order, salesforce: Salesforce
) -> None:
    carol = signed_in(make_staff().user)
    jobs.cancel(ask(browser, order).pk)
    form: dict[str, Any] = {"action": "customer_keeps", "_selected_action": [order.pk]}
    confirmed = {**form, "confirmed": "yes", "reason": "agreed on the phone"}
    said = carol.post(STAFF_LIST, confirmed, follow=True).content.decode()
    assert "This order does not go on against its customer&#x27;s wish." in said
    now_approved(salesforce, order)
    refresh()
    assert "You pay nothing" in page_of(browser, order)
    assert "The customer has agreed" in carol.post(STAFF_LIST, form).content.decode()
    assert list(revived.unwanted()) == [order], "nothing without a reason"
    carol.post(STAFF_LIST, confirmed)
    assert not revived.unwanted().exists()
    page = page_of(browser, order)
    for words in ("You pay nothing", "You cancelled this order", "came too late"):
        assert words not in page
    event = order.events.get(what="customer_keeps")
    assert (event.actor, event.detail) == ("carol@example.jp", {"reason": "agreed on the phone"})
    assert AuditEntry.objects.filter(action="order.customer_keeps", subject=f"order:{order.number}").count() == 1


def test_every_cancellation_of_an_order_is_told_with_its_own_time(
    browser: Client, order: Order, salesforce: Salesforce
) -> None:
    for minute, status in enumerate(("Cancelled", "Pending Review", "Cancelled", "Cancelled"), start=3):
        salesforce.changes = [change(order.sf_order_id or "", status=status, minute=minute)]
        refresh()
    assert Email.objects.filter(template="order_cancelled").count() == 2
    assert Order.objects.get().cancelled_at == SOME_DAY + timedelta(minutes=5), "when it was, not when it was edited"


def test_nobody_works_on_a_wish_twice_at_once(browser: Client, order: Order, salesforce: Salesforce) -> None:
    wish = ask(browser, order)
    Cancellation.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert cancelling.carry_out(wish.pk) == "asked"
    assert salesforce.calls == []
