"""The jobs behind sign-up: woken on commit, made up for by a sweep, safe to run twice."""

import django_rq
import pytest
from django.core import mail
from django.db import connection
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from accounts import jobs as account_jobs
from accounts.models import SignupJourney
from notifications import jobs as email_jobs
from notifications.models import Email
from support import cases
from support import jobs as case_jobs
from tests.accounts.conftest import fresh, new_journey
from tests.accounts.doubles import Salesforce, Whmcs

pytestmark = pytest.mark.django_db(transaction=True)
State = SignupJourney.State


def work(queue: str) -> None:
    """Runs what waits on `queue`, in this process."""
    redis = django_rq.get_connection(queue)
    SimpleWorker([django_rq.get_queue(queue)], connection=redis, serializer=JSONSerializer).work(
        burst=True, logging_level="ERROR"
    )
    connection.ensure_connection()


def test_the_verified_email_wakes_a_worker_and_the_welcome_goes_out(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = new_journey()

    work("cases")
    assert fresh(journey).state == State.DONE
    work("emails")
    assert [message.subject for message in mail.outbox] == ["Your Sonix account is ready"]


def test_jobs_carry_a_primary_key_only(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = new_journey()

    (job,) = django_rq.get_queue("cases").jobs
    assert (job.func_name, list(job.args), job.kwargs) == ("accounts.jobs.advance", [journey.pk], {})


def test_everything_happens_although_redis_lost_it_all(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = new_journey()
    case = cases.open_case(cause="x", kind="General Inquiry", subject="S", description="D")
    django_rq.get_connection("cases").flushdb()

    account_jobs.advance_journeys()
    case_jobs.open_due()
    email_jobs.send_due()

    case.refresh_from_db()
    assert (fresh(journey).state, case.state) == (State.DONE, "opened")
    assert Email.objects.get().state == "sent"


def test_a_job_that_runs_twice_changes_nothing(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = new_journey()
    account_jobs.advance(journey.pk)
    before = (list(salesforce.calls), list(whmcs.calls))

    account_jobs.advance(journey.pk)

    assert (salesforce.calls, whmcs.calls) == before
    assert Email.objects.count() == 1


def test_redis_being_away_does_not_undo_the_sign_up(
    salesforce: Salesforce, whmcs: Whmcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(name: str) -> None:
        raise ConnectionError

    monkeypatch.setattr(django_rq, "get_queue", away)

    assert new_journey().state == State.RUNNING


def test_accounts_are_asked_once_for_all_customers(salesforce: Salesforce, whmcs: Whmcs) -> None:
    for email in ("aiko@example.jp", "ben@example.jp"):
        account_jobs.advance(new_journey(email).pk)
    salesforce.calls.clear()

    account_jobs.refresh_accounts()
    account_jobs.refresh_accounts()  # too early: returns at once

    assert salesforce.calls == ["account_changes"]
