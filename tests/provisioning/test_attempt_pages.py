"""What staff see of attempts at night: what happened and what to do, and the few clicks that do it."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from integrations.errors import Rejected
from journal.models import RemoteCall
from orders.models import Order, OrderLine
from provisioning import pause
from provisioning.models import Attempt, Step
from provisioning.situation import Choice, situation_of
from tests.people import make_staff, signed_in
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/provisioning/attempt/"


@pytest.fixture
def carol() -> User:
    return make_staff(group="Operator").user


@pytest.fixture
def operator(carol: User) -> Client:
    return signed_in(carol)


@pytest.fixture
def unknown(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> Attempt:
    whmcs.trouble("add_order", no_answer())
    return arrive_and_run()


def sensible(attempt: Attempt) -> set[str]:
    attempt.refresh_from_db()
    choices: list[Choice] = list(situation_of(attempt).choices)
    assert all(choice.why for choice in choices)
    return {choice.name for choice in choices if choice.sensible}


def page_of(client: Client, attempt: Attempt) -> str:
    return client.get(reverse("admin:provisioning_attempt_change", args=[attempt.pk])).content.decode()


def test_the_page_of_an_unknown_outcome_begins_with_the_four_answers(
    unknown: Attempt, operator: Client, settings: object
) -> None:
    settings.SF_LIGHTNING_URL = "https://sonix.lightning.test"  # type: ignore[attr-defined]
    arrives(key(2))
    page = page_of(operator, unknown)
    until = timezone.localtime(RemoteCall.objects.get().quarantine_until)
    assert f"Wait until {until:%H:%M}, the portal looks again" in page
    assert "Whether WHMCS made an order and an invoice." in page
    assert f"whmcs.AddOrder may be running until {until:%Y-%m-%d %H:%M:%S} JST" in page
    assert f'href="https://sonix.lightning.test/lightning/r/Order/{ORDER}/view"' in page
    assert "Newer request" in page
    assert f">whmcs.AddOrder</a>: outcome unknown ({until:%Y-%m-%d %H:%M:%S} JST)" in page


def test_a_link_to_whmcs_is_made_of_the_order_that_is_known(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client, settings: object
) -> None:
    settings.WHMCS_ADMIN_URL = "https://whmcs.test/admin"  # type: ignore[attr-defined]
    page = page_of(operator, arrive_and_run())
    assert 'href="https://whmcs.test/admin/orders.php?action=view&amp;id=501"' in page


def test_the_page_is_read_in_japanese(unknown: Attempt, carol: User) -> None:
    carol.language = "ja"
    carol.save()
    client = signed_in(carol)
    client.cookies["django_language"] = "ja"
    page = client.get(
        reverse("admin:provisioning_attempt_change", args=[unknown.pk]), headers={"Accept-Language": "ja"}
    ).content.decode()
    assert "ポータルがもう一度確認します" in page


def test_which_buttons_make_sense_follows_from_what_is_known(unknown: Attempt) -> None:
    assert sensible(unknown) == {"look_again", "adopt", "release", "mark_failed"}
    RemoteCall.objects.update(state="DONE")
    assert sensible(unknown) == {"look_again", "adopt", "mark_failed"}


def test_a_failed_attempt_is_asked_for_again_unless_there_is_a_newer_one(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    whmcs.methods = []
    first = arrive_and_run()
    assert sensible(first) == {"request_again"}
    salesforce.request_provisioning(ORDER)
    second = arrive_and_run(2)
    assert (sensible(first), sensible(second)) == (set(), {"request_again"})


def test_create_anew_is_offered_when_the_order_was_cancelled_in_whmcs(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    attempt = arrive_and_run()
    Attempt.objects.update(state="FAILED", error_code="cancelled_in_whmcs")
    assert sensible(attempt) == {"request_again", "create_anew"}


def test_a_working_attempt_leaves_nothing_to_decide(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    assert sensible(arrive_and_run()) == set()


def test_a_decision_is_shown_with_its_effect_before_anything_happens(unknown: Attempt, operator: Client) -> None:
    data = {"action": "release", "_selected_action": str(unknown.pk)}
    page = operator.post(LIST, {**data, "reason": "typed too early"}).content.decode()
    assert "If the request is carried out late, WHMCS has two orders." in page
    assert 'name="reason"' in page
    assert not Step.objects.filter(name__startswith="staff:").exists()
    operator.post(LIST, {**data, "confirmed": "yes", "reason": "looked, nothing there"})
    assert Step.objects.get(name="staff:release:1").result["reason"] == "looked, nothing there"


def test_who_may_not_decide_sees_no_buttons(unknown: Attempt) -> None:
    page = page_of(signed_in(make_staff(group="CS agent").user), unknown)
    assert "What happened and what to do" in page
    assert 'name="action"' not in page


def test_pages_say_that_provisioning_is_paused_by_whom_and_why(operator: Client) -> None:
    assert "is paused" not in operator.get(LIST).content.decode()
    pause.pause(by="carol@example.jp", reason="WHMCS upgrade")
    assert "Provisioning is paused by carol@example.jp: WHMCS upgrade" in operator.get(LIST).content.decode()


@pytest.fixture
def many(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> Callable[[int], None]:
    def make(count: int) -> None:
        for _each in range(count):
            event = arrives("", order_id=f"8010000000{Attempt.objects.count():05}AAA")
            Attempt.objects.filter(event=event).update(state="FAILED", error_code="whmcs_error")

    return make


def test_the_list_costs_eight_queries_however_long_it_is(many: Callable[[int], None], operator: Client) -> None:
    counts = []
    for more in (1, 20):
        many(more)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            operator.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 8 + SHELL, [each["sql"] for each in queries]


SHELL = 3  # session, user, permissions: what every page of the admin costs


def test_an_attempt_is_found_by_the_ids_of_whmcs(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client, carol: User
) -> None:
    attempt = arrive_and_run()
    order = Order.objects.create(
        user=carol, number="SX-AAAA-AAA", sf_order_id=ORDER, portal_ref="r", terms_accepted_at=timezone.now()
    )
    OrderLine.objects.create(order=order, whmcs_service_id=1001, unit_price=0, quantity=1, position=1)
    for typed in ("501", "1001", "SX-AAAA-AAA", attempt.correlation_id, ORDER):
        assert operator.get(LIST, {"q": typed}).context["cl"].result_count == 1, typed
    assert operator.get(LIST, {"q": "1002"}).context["cl"].result_count == 0


def test_a_report_that_salesforce_refused_is_seen_on_the_attempt(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, operator: Client
) -> None:
    salesforce.trouble("report_outcome", Rejected("salesforce", "Composite", "locked", "row is locked"))
    assert "row is locked" in page_of(operator, arrive_and_run())
