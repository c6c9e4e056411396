"""A look of the clean-up that decides nothing comes again, ever more rarely, and is not kept from people (S12)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from integrations.errors import Rejected, Unavailable
from provisioning import inspections, sweepers, tasks
from provisioning.models import Inspection, Task
from support.models import Case
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble
from tests.provisioning.test_cleaning import a_round_later, add_order_without_answer, left_pending, open_tasks

pytestmark = pytest.mark.django_db(transaction=True)


def a_refused_round(whmcs: WhmcsDouble) -> dict[str, int]:
    whmcs.trouble("services", Rejected("whmcs", "GetClientsProducts", "denied", "no"))
    return a_round_later()


def waits_s() -> float:
    due_at = Inspection.objects.get().due_at
    assert due_at is not None
    return (due_at - timezone.now()).total_seconds()


def test_an_order_that_cannot_be_looked_at_is_told_to_a_person_once(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    salesforce.orders[ORDER] = replace(salesforce.orders[ORDER], whmcs_client="")
    for told in ([], [], ["cannot_look"], ["cannot_look"]):
        assert a_round_later()["undecided"] == 1
        assert open_tasks() == told
    task = Task.objects.get()
    assert (task.order_id, Case.objects.count()) == (ORDER, 1)
    assert "no_whmcs_client" in tasks.tell(task).what_happened


def test_the_task_of_undecided_looks_closes_with_the_look_that_succeeds(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble
) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    for _each in range(inspections.ASKED_AFTER):
        a_refused_round(whmcs)
    assert open_tasks() == ["cannot_look"]
    assert a_round_later() == {"looked": 1, "orders_cancelled": 1}
    assert (open_tasks(), Task.objects.get().closed_by, whmcs.open_invoices()) == ([], "portal", [])
    salesforce.is_cancelled()
    for _each in range(inspections.ASKED_AFTER):
        a_refused_round(whmcs)
    assert open_tasks() == ["cannot_look"]


def test_each_undecided_look_is_waited_for_longer_and_takes_none_of_the_looks_at_a_late_call(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None], settings: Any
) -> None:
    add_order_without_answer(whmcs)
    pass_quarantine()
    sweepers.resolve_unknown()
    settings.QUARANTINE_S = 600
    waits = [(a_refused_round(whmcs), round(waits_s() / 600))[1] for _each in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 144]  # a day at most
    assert Inspection.objects.get().looks == 0


def test_a_system_that_is_away_is_nobodys_task(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    left_pending(whmcs)
    salesforce.is_cancelled()
    for _each in range(inspections.ASKED_AFTER + 1):
        whmcs.trouble("services", Unavailable("whmcs", "GetClientsProducts", "refused"))
        assert a_round_later()["away"] == 1
    assert open_tasks() == []
