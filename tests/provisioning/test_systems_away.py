"""While one outside system is away, what needs only the others goes on, and the one that is away is asked once."""

from collections.abc import Callable

import pytest

from integrations.errors import Unavailable
from provisioning import sweepers, worker
from provisioning.models import Attempt
from tests.provisioning.conftest import arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key, no_answer, order
from tests.provisioning.esim_double import ESimDouble, esim_order

pytestmark = pytest.mark.django_db(transaction=True)
ESIM_ORDERS = [ORDER, "801000000000002AAA", "801000000000003AAA"]
OTHERS = ["801000000000004AAA", "801000000000005AAA"]


@pytest.fixture
def five_unknown(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, provider: ESimDouble, pass_quarantine: Callable[[], None]
) -> None:
    """Three orders with an eSIM and then two without, of each of which AddOrder got no answer; all may be looked at."""
    for order_id in (*ESIM_ORDERS, *OTHERS):
        made = esim_order if order_id in ESIM_ORDERS else order
        salesforce.orders[order_id] = made(id=order_id, last_idem_key=key(1, order_id))
        whmcs.trouble("add_order", no_answer())
        arrives(key(1, order_id), order_id=order_id)
        worker.work_off()
    pass_quarantine()


def still_unknown() -> list[str]:
    unknown = Attempt.objects.filter(state="UNKNOWN")
    return list(unknown.order_by("order_id").values_list("order_id", flat=True))


def away(system: str) -> Unavailable:
    return Unavailable(system, "read", "refused")


def test_what_needs_no_esim_is_decided_while_the_provider_is_away(five_unknown: None, provider: ESimDouble) -> None:
    assert still_unknown() == [*ESIM_ORDERS, *OTHERS]
    for attempt in Attempt.objects.filter(order_id__in=ESIM_ORDERS):
        attempt.ticket_ref = "T1"
        attempt.save(update_fields=["ticket_ref"])
    provider.trouble("ticket", away("esim"), times=9)
    asked = provider.count("ticket")
    assert sweepers.resolve_unknown() == 2
    assert (still_unknown(), provider.count("ticket") - asked) == (ESIM_ORDERS, 1)


@pytest.mark.parametrize("system", ["salesforce", "whmcs"])
def test_a_system_that_everything_needs_is_asked_once_in_a_round(
    five_unknown: None, salesforce: SalesforceDouble, whmcs: WhmcsDouble, system: str
) -> None:
    double, read = (salesforce, "order_for_provisioning") if system == "salesforce" else (whmcs, "services")
    double.trouble(read, away(system), times=9)
    asked = double.count(read)
    assert sweepers.resolve_unknown() == 0
    assert (len(still_unknown()), double.count(read) - asked) == (5, 1)


def test_what_was_left_in_one_round_is_asked_about_in_the_next(
    five_unknown: None, salesforce: SalesforceDouble
) -> None:
    salesforce.trouble("order_for_provisioning", away("salesforce"))
    assert sweepers.resolve_unknown() == 0
    assert sweepers.resolve_unknown() == 4  # the one that was tried is put off
