"""What only a person can do is written down once, in words, and closed with a reason."""

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from audit.models import AuditEntry
from provisioning import tasks
from provisioning.models import Task
from support.models import Case
from tests.people import make_staff, signed_in
from tests.provisioning.doubles import ORDER

pytestmark = pytest.mark.django_db
Kind = Task.Kind


def a_task(kind: Task.Kind = Kind.LIVE_SERVICE, cause: str = "live_service:501") -> Task:
    facts = {"whmcs_order": 501, "services": "service 1001 is Active"}
    task = tasks.raise_task(kind, cause=cause, order_id=ORDER, facts=facts)
    assert task is not None
    return task


@pytest.fixture(params=["CS agent", "CS lead", "Operator"])
def staff(request: pytest.FixtureRequest) -> Client:
    return signed_in(make_staff(group=request.param).user)


def test_a_cause_makes_one_task_even_after_it_was_closed() -> None:
    task = a_task()
    assert tasks.raise_task(Kind.LIVE_SERVICE, cause=task.cause) is None
    tasks.close(task, by="carol@example.jp", reason="the customer keeps it")
    assert tasks.raise_task(Kind.LIVE_SERVICE, cause=task.cause) is None
    assert Task.objects.count() == 1


def test_a_task_goes_with_the_transaction_of_its_cause() -> None:
    with transaction.atomic():
        a_task()
        transaction.set_rollback(True)
    assert (Task.objects.count(), Case.objects.count()) == (0, 0)


def test_a_task_that_salesforce_does_not_show_becomes_a_case_there_with_the_same_sentences() -> None:
    told = tasks.tell(a_task())
    assert "WHMCS order 501 is not: service 1001 is Active." in told.what_happened
    case = Case.objects.get()
    for sentence in (told.what_happened, told.certain, told.uncertain, told.next_step):
        assert sentence in case.description
    a_task(Kind.READY_TO_RETRY, "ready:1")
    assert (Case.objects.count(), len(mail.outbox)) == (1, 0)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_says_four_things_even_if_a_fact_is_missing(kind: Task.Kind, language: str) -> None:
    with translation.override(language):
        told = tasks.tell(Task(kind=kind))
    sentences = {told.what_happened, told.certain, told.uncertain, told.next_step}
    assert len(sentences) == 4
    assert all(sentences)


def test_staff_read_a_task_and_close_it_with_a_reason(staff: Client) -> None:
    task = a_task()
    page = staff.get(reverse("admin:provisioning_task_change", args=[task.pk])).content.decode()
    assert "service 1001 is Active" in page
    assert 'name="_save"' not in page
    chosen = {"action": "close", "_selected_action": str(task.pk)}
    address = reverse("admin:provisioning_task_changelist")
    assert "Give a reason" in staff.post(address, chosen, follow=True).content.decode()
    staff.post(address, {**chosen, "reason": "terminated in WHMCS"})
    task.refresh_from_db()
    assert (task.state, task.closed_by, task.close_reason) == ("done", "carol@example.jp", "terminated in WHMCS")
    entry = AuditEntry.objects.get(action="provisioning.close_task")
    assert (entry.subject, entry.reason) == (f"task:{task.pk}", "terminated in WHMCS")


def test_a_task_whose_cause_is_gone_is_closed_by_the_portal_and_not_counted() -> None:
    task = a_task()
    assert Task.objects.filter(kind="live_service", state="open").count() == 1
    assert tasks.settle(about=task.cause, reason="the service ended") == 1
    assert tasks.settle(about=task.cause, reason="the service ended") == 0
    task.refresh_from_db()
    assert (task.closed_by, Task.objects.filter(kind="live_service", state="open").count()) == ("portal", 0)


def test_what_happens_again_is_raised_again_once_the_task_was_closed() -> None:
    tasks.raise_task(Kind.REPORT_REFUSED, cause="report:12", again=True)
    for _twice in range(2):
        for _each_try in range(3):
            tasks.raise_task(Kind.REPORT_REFUSED, cause="report:1", again=True)
        assert Task.objects.filter(kind="report_refused", state="open").count() == 2
        assert tasks.settle(about="report:1", reason="sent") == 1
    assert Task.objects.count() == 3
