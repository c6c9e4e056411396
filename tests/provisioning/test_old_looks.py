"""What was seen before a newer request of the same order began says nothing about what that one sends or makes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from journal import facts
from journal.models import RemoteCall
from provisioning import cleaning, remote_orders, staff, sweepers, waiting
from provisioning.claims import claim
from provisioning.models import Attempt
from provisioning.remote_orders import KIND, Found, subject_of
from provisioning.staff import Decision
from tests.provisioning.conftest import arrive_and_run, ask_again
from tests.provisioning.doubles import ORDER, Double, SalesforceDouble, WhmcsDouble, item, no_answer
from tests.provisioning.esim_double import ESimDouble, esim_order

pytestmark = pytest.mark.django_db(transaction=True)
CAROL = Decision("carol@example.jp", "the customer waits")


def once_after(double: Double, operation: str, action: Callable[[], object]) -> None:
    """Does `action` when the next call of `operation` is answered, and before its caller works with the answer."""

    def watch(called: str) -> None:
        if called == operation:
            double.watch_after = lambda _operation: None
            action()

    double.watch_after = watch


def unanswered(whmcs: WhmcsDouble, operation: str = "add_order") -> Attempt:
    whmcs.trouble(operation, no_answer())
    attempt = arrive_and_run()
    assert attempt.state == "UNKNOWN"
    return attempt


def another_without_answer(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.trouble("add_order", no_answer())
    assert ask_again(salesforce).state == "UNKNOWN"


def still_open() -> list[str]:
    return list(RemoteCall.objects.filter(state__in=["INTENT", "UNKNOWN"]).values_list("operation", flat=True))


def test_a_look_of_the_clean_up_leaves_open_what_was_sent_while_it_looked(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    unanswered(whmcs)
    pass_quarantine()
    sweepers.resolve_unknown()
    once_after(whmcs, "services", lambda: another_without_answer(salesforce, whmcs))
    cleaning.clean_up()
    assert still_open() == ["whmcs.AddOrder"]
    assert (sweepers.resolve_unknown(), Attempt.objects.filter(state="UNKNOWN").count()) == (0, 1)


def test_a_look_at_an_unknown_attempt_leaves_open_what_the_next_one_sent(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    first = unanswered(whmcs)
    pass_quarantine()

    def meanwhile() -> None:
        staff.mark_failed(first, CAROL)
        another_without_answer(salesforce, whmcs)

    once_after(whmcs, "services", meanwhile)
    sweepers.resolve_unknown()
    assert still_open() == ["whmcs.AddOrder"]
    assert Attempt.objects.filter(state="UNKNOWN").count() == 1


def test_a_look_at_an_attempt_that_ended_meanwhile_does_not_bring_its_whmcs_order_back(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    pass_quarantine: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = unanswered(whmcs, "accept_order")
    pass_quarantine()

    def meanwhile() -> None:
        staff.mark_failed(first, CAROL)
        salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], items=(item(unit_price=5000),))
        assert ask_again(salesforce).state == "PROVISIONED"

    real_look_up = remote_orders.look_up

    def look_up(order_id: str, client_id: int) -> Found | None:
        monkeypatch.setattr(remote_orders, "look_up", real_look_up)
        found = real_look_up(order_id, client_id)
        meanwhile()
        return found

    monkeypatch.setattr(remote_orders, "look_up", look_up)
    sweepers.resolve_unknown()
    fact = facts.recall(subject_of(ORDER), KIND)
    assert (fact and fact.remote_id, whmcs.statuses()) == ("502", {501: "Cancelled", 502: "Active"})


def test_a_ticket_that_ended_while_it_was_asked_for_is_not_given_up_under_its_worker(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    salesforce.orders[ORDER], provider.pace = esim_order(), "accepted"
    stale = arrive_and_run()
    assert stale.state == "WAITING"
    stale.give_up_at = stale.started_at

    def meanwhile() -> None:
        provider.finish("T1")
        Attempt.objects.update(check_at=stale.started_at)
        assert sweepers.requeue_waiting() == 1
        assert claim() is not None

    once_after(provider, "ticket", meanwhile)
    waiting.check(stale)
    assert Attempt.objects.get().state == "RUNNING"
