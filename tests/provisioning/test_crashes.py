"""The worker dies, or gets no answer, around each outside call of the way to a service: one WHMCS order comes of it.

A KeyboardInterrupt stands for kill -9: nothing of ours catches it, so that only what was committed is left.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.errors import Unavailable, UnknownOutcome
from journal.models import RemoteCall, RemoteFact
from provisioning import jobs, outbox, sweepers, worker
from provisioning.models import Attempt, Outbox
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, Double, SalesforceDouble, WhmcsDouble, key
from tests.provisioning.ordered import an_order_in_whmcs

pytestmark = pytest.mark.django_db(transaction=True)
WAY = [
    "order_for_provisioning",
    "catalogue",
    "pay_methods",
    "services",
    "add_order",
    "order",
    "accept_order",
    "services",
    "report_outcome",
]
NOT_REPEATABLE = {"activate", "add_order", "accept_order", "module_create", "cancel_order"}
ACCEPTED = WAY.index("accept_order") + 0.5  # from here on the customer has what was ordered


class Death:
    """Strikes once, at one call of the way: before it is made (.0) or after it was carried out (.5)."""

    def __init__(self, *doubles: Double, at: float, answers: bool) -> None:
        self._at, self._answers, self._made = at, answers, 0
        for double in doubles:
            double.watch, double.watch_after = self._before, self._after

    def _before(self, operation: str) -> None:
        self._strike(operation, self._made)

    def _after(self, operation: str) -> None:
        self._strike(operation, self._made + 0.5)
        self._made += 1

    def _strike(self, operation: str, now: float) -> None:
        if now != self._at:
            return
        self._made, self._at = 0, -1
        if not self._answers:
            raise KeyboardInterrupt
        kind = UnknownOutcome if operation in NOT_REPEATABLE else Unavailable
        raise kind("whmcs", operation, "timeout", "no answer")


def work_off() -> bool:
    """Whether the worker lived through it."""
    try:
        worker.work_off()
    except KeyboardInterrupt:
        return False
    return True


def heal(pass_quarantine: Callable[[], None]) -> None:
    """Time passes: leases run out, quarantines end, the clock's jobs run."""
    long_ago = timezone.now() - timedelta(hours=1)
    Attempt.objects.filter(state="RUNNING").update(lease_until=long_ago)
    sweepers.sweep()
    pass_quarantine()
    sweepers.sweep()
    Outbox.objects.filter(state="PENDING").update(lease_until=None, next_try_at=long_ago)
    outbox.drain()


def ask_until_provisioned(salesforce: SalesforceDouble) -> int:
    """How often an operator had to ask again."""
    for number in range(2, 5):
        if salesforce.orders[ORDER].activation_status == "Provisioned":
            return number - 2
        salesforce.request_provisioning(ORDER)
        arrive_and_run(number)
    raise AssertionError(f"still {salesforce.orders[ORDER].activation_status} after three requests")


def one_of_everything(whmcs: WhmcsDouble) -> None:
    assert list(whmcs.statuses().values()).count("Active") == 1
    assert set(whmcs.statuses().values()) <= {"Active", "Cancelled"}
    (active,) = [number for number, status in whmcs.statuses().items() if status == "Active"]
    assert whmcs.open_invoices() == [active]
    assert {each.status for each in whmcs.service_rows.values() if each.order_id != active} <= {"Cancelled"}
    assert RemoteFact.objects.get(state="live").remote_id == str(active)
    assert not RemoteCall.objects.filter(state__in=["INTENT", "UNKNOWN"]).exists()


def test_the_way_is_what_the_points_below_are_counted_by(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    made: list[str] = []
    salesforce.watch = whmcs.watch = made.append
    arrive_and_run()
    assert made == WAY


@pytest.mark.parametrize("answers", [False, True], ids=["dies", "no-answer"])
@pytest.mark.parametrize("at", [index / 2 for index in range(2 * len(WAY))])
def test_whatever_happens_around_a_call_one_order_comes_of_it(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None], at: float, answers: bool
) -> None:
    Death(salesforce, whmcs, at=at, answers=answers)
    arrives(key(1))
    assert work_off() == answers
    heal(pass_quarantine)
    assert ask_until_provisioned(salesforce) == (0 if at >= ACCEPTED or (answers and at == ACCEPTED - 2) else 1)
    assert len(whmcs.order_rows) == 1
    one_of_everything(whmcs)


@pytest.mark.parametrize("at", [ACCEPTED, ACCEPTED + 0.5, ACCEPTED + 1])
def test_a_service_that_works_is_never_called_a_failed_attempt(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, pass_quarantine: Callable[[], None], at: float
) -> None:
    Death(salesforce, whmcs, at=at, answers=False)
    arrives(key(1))
    work_off()
    heal(pass_quarantine)
    assert Attempt.objects.get().state == "PROVISIONED"


@pytest.mark.parametrize(("answers", "cascades"), [(False, False), (False, True), (True, False)])
@pytest.mark.parametrize("at", [index / 2 for index in range(8, 30)])
def test_whatever_happens_while_a_second_order_is_cancelled_nothing_of_it_stays(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    pass_quarantine: Callable[[], None],
    at: float,
    answers: bool,
    cascades: bool,
) -> None:
    whmcs.cancelling_cascades = cascades
    an_order_in_whmcs(whmcs)
    an_order_in_whmcs(whmcs)
    Death(salesforce, whmcs, at=at, answers=answers)
    arrives(key(1))
    work_off()
    heal(pass_quarantine)
    ask_until_provisioned(salesforce)
    jobs.sweep()
    assert whmcs.statuses() == {501: "Active", 502: "Cancelled"}
    one_of_everything(whmcs)
