"""Reports to Salesforce arrive, or say why not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.errors import Rejected, Unavailable, UnknownOutcome
from provisioning import outbox, sweepers
from provisioning.models import Attempt, Outbox
from tests.provisioning.conftest import arrive_and_run
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, no_answer

pytestmark = pytest.mark.django_db(transaction=True)


def report() -> Outbox:
    return Outbox.objects.get(kind="sf_outcome")


def make_due() -> None:
    Outbox.objects.update(next_try_at=timezone.now() - timedelta(seconds=1), lease_until=None)


def test_a_report_goes_out_at_once_after_the_outcome(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    arrive_and_run()
    assert (report().state, report().tries, report().last_error) == ("SENT", 1, "")
    assert report().sent_at is not None


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("salesforce", "report_outcome", "refused"),
        UnknownOutcome("salesforce", "report_outcome", "timeout"),
        Rejected("salesforce", "report_outcome", "UNABLE_TO_LOCK_ROW"),
    ],
)
def test_a_report_that_does_not_arrive_is_repeated_later_and_the_attempt_stands(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, error: Exception
) -> None:
    salesforce.trouble("report_outcome", error)
    assert arrive_and_run().state == "PROVISIONED"
    assert (report().state, report().lease_until) == ("PENDING", None)
    assert report().next_try_at > timezone.now()
    assert outbox.drain() == {}
    make_due()
    assert outbox.drain() == {"sent": 1}
    assert salesforce.orders[ORDER].activation_status == "Provisioned"
    assert whmcs.count("add_order") == 1


def test_waits_grow_and_the_api_limit_makes_the_longest(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    salesforce.trouble("report_outcome", Rejected("salesforce", "report", "REQUEST_LIMIT_EXCEEDED"))
    arrive_and_run()
    assert report().next_try_at > timezone.now() + timedelta(minutes=14)
    assert report().refusals == 1


def test_a_report_refused_five_times_waits_for_a_person_who_can_send_it_again(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Rejected("salesforce", "report", "FIELD_CUSTOM_VALIDATION"), times=5)
    arrive_and_run()
    for _each in range(4):
        make_due()
        outbox.drain()
    assert (report().state, report().refusals) == ("REFUSED", 5)
    make_due()
    assert outbox.drain() == {}
    outbox.send_again(report(), by="carol@example.jp", reason="rule corrected")
    assert outbox.drain() == {"sent": 1}


def test_a_newer_decision_of_an_operator_is_not_overwritten(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    whmcs.methods = []
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    salesforce.request_provisioning(ORDER)
    make_due()
    assert outbox.drain() == {"superseded": 1}
    assert salesforce.orders[ORDER].activation_status == "Activating"


def test_a_refused_opportunity_does_not_hide_the_outcome_and_is_reported_by_itself(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.refuse_opportunity = True
    arrive_and_run()
    assert salesforce.orders[ORDER].activation_status == "Provisioned"
    assert salesforce.opportunities == {}
    alone = Outbox.objects.get(kind="sf_opportunity")
    assert alone.state == "PENDING"
    salesforce.refuse_opportunity = False
    make_due()
    outbox.drain()
    assert salesforce.opportunities == {"006000000000001AAA": 1001}


def test_a_later_report_of_an_attempt_replaces_one_that_has_not_gone_out(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None]
) -> None:
    whmcs.trouble("accept_order", no_answer("AcceptOrder"))
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    whmcs.accept_order(501)
    sweepers.resolve_unknown()
    assert list(Outbox.objects.order_by("id").values_list("state", flat=True)) == ["SUPERSEDED", "SENT"]
    assert salesforce.orders[ORDER].activation_status == "Provisioned"


def test_a_report_that_cannot_be_made_does_not_hold_the_others_back(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    Outbox.objects.create(kind="sf_outcome", dedupe_key="a", order_id=ORDER, payload={}, next_try_at=timezone.now())
    Outbox.objects.filter(dedupe_key="a").update(id=0)
    make_due()
    assert outbox.drain() == {"put_off": 1, "sent": 1}


def test_a_leased_report_is_left_to_its_process_until_the_lease_ends(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "refused"))
    arrive_and_run()
    make_due()
    Outbox.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert outbox.drain() == {}
    Outbox.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert outbox.drain() == {"sent": 1}
    assert Attempt.objects.get().state == "PROVISIONED"
