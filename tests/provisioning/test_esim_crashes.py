"""The worker dies, or gets no answer, around each call and commit of an eSIM: one line and one WHMCS order of it."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from integrations import failpoints
from journal.models import RemoteCall, RemoteFact
from provisioning import sweepers, worker
from provisioning.models import Attempt
from tests.provisioning.conftest import arrive_and_run, arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key
from tests.provisioning.esim_double import ESimDouble, esim_order
from tests.provisioning.test_crashes import Death, heal, work_off

pytestmark = pytest.mark.django_db(transaction=True)
WAY = ["pay_methods", "line", "tickets", "activate", "ticket"]  # what is new, after guard and catalogue
COMMITS = ["call.intent", "call.close", "esim.keep", "attempt.move", "outcome.waiting"]
DEATHS = [
    *((f"{commit}:{at}", True) for commit in COMMITS for at in ("before", "after")),
    *((point, False) for point in ("call.intent:after", "call.close:before")),
]


@pytest.fixture(autouse=True)
def an_esim_order(salesforce: SalesforceDouble, provider: ESimDouble) -> None:
    salesforce.orders[ORDER] = esim_order()
    provider.pace = "accepted"


def tickets_end(provider: ESimDouble) -> None:
    """The provider finishes what it accepted, and the sweep sees it."""
    for ref, ticket in list(provider.ticket_rows.items()):
        if ticket.is_open:
            provider.finish(ref)
    Attempt.objects.filter(state="WAITING").update(check_at=timezone.now())
    sweepers.requeue_waiting()
    worker.work_off()


def until_provisioned(salesforce: SalesforceDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]) -> None:
    """Time passes, tickets end, and operators ask again where it failed."""
    for number in range(2, 5):
        heal(pass_quarantine)
        tickets_end(provider)
        heal(pass_quarantine)
        if salesforce.orders[ORDER].activation_status == "Provisioned":
            return
        salesforce.request_provisioning(ORDER)
        arrive_and_run(number)
    raise AssertionError(f"still {salesforce.orders[ORDER].activation_status} after three requests")


def one_of_everything(whmcs: WhmcsDouble, provider: ESimDouble) -> None:
    assert provider.lines_made == [ORDER]
    assert list(whmcs.statuses().values()) == ["Active"]
    assert whmcs.open_invoices() == [501]
    facts = dict(RemoteFact.objects.filter(state="live").values_list("kind", "remote_id"))
    assert facts == {"whmcs_order": "501", "esim": ORDER}
    assert not RemoteCall.objects.filter(state__in=["INTENT", "UNKNOWN"]).exists()


def test_the_way_is_what_the_points_below_are_counted_by(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble
) -> None:
    made: list[str] = []
    salesforce.watch = whmcs.watch = provider.watch = made.append
    arrive_and_run()
    assert made == ["order_for_provisioning", "catalogue", *WAY]


@pytest.mark.parametrize("answers", [False, True], ids=["dies", "no-answer"])
@pytest.mark.parametrize("at", [2 + index / 2 for index in range(2 * len(WAY))])
def test_whatever_happens_around_a_call_one_line_and_one_order_come_of_it(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    provider: ESimDouble,
    pass_quarantine: Callable[[], None],
    at: float,
    answers: bool,
) -> None:
    Death(salesforce, whmcs, provider, at=at, answers=answers)
    arrives(key(1))
    work_off()
    until_provisioned(salesforce, provider, pass_quarantine)
    one_of_everything(whmcs, provider)


@pytest.mark.parametrize(("point", "keys"), DEATHS)
def test_whatever_commit_the_worker_dies_at_one_line_and_one_order_come_of_it(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    provider: ESimDouble,
    pass_quarantine: Callable[[], None],
    point: str,
    keys: bool,
) -> None:
    provider.honours_keys, provider.refuses_second_line = keys, keys
    arrives(key(1))
    nth = 2 if point.startswith("attempt.move") else 1  # the first move is the claim
    with failpoints.arm(f"{point}=raise@{nth}") as plans, pytest.raises(failpoints.Died):
        worker.work_off()
    assert plans[0].passed == nth
    until_provisioned(salesforce, provider, pass_quarantine)
    one_of_everything(whmcs, provider)


@pytest.mark.parametrize("at", ["before", "after"])
@pytest.mark.parametrize("point", ["esim.drop", "call.fell_through"])
def test_a_worker_that_dies_while_it_drops_a_failed_ticket_leaves_one_line_in_the_end(
    salesforce: SalesforceDouble,
    whmcs: WhmcsDouble,
    provider: ESimDouble,
    pass_quarantine: Callable[[], None],
    point: str,
    at: str,
) -> None:
    provider.pace = "CARRIER_BUSY"
    arrives(key(1))
    with failpoints.arm(f"{point}:{at}=raise"), pytest.raises(failpoints.Died):
        worker.work_off()
    provider.pace = "accepted"
    until_provisioned(salesforce, provider, pass_quarantine)
    one_of_everything(whmcs, provider)
    assert list(provider.keys.values()) == [f"{ORDER}:1", f"{ORDER}:2"]
