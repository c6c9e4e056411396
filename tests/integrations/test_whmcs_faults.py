"""WhmcsClient when WHMCS misbehaves: what it raises, and what the ledger says was done meanwhile."""

import itertools
from collections.abc import Callable

import pytest

from integrations import gateway
from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable, UnknownOutcome
from integrations.whmcs.schemas import OrderLineRequest, OrderRequest
from tests.faults import Faults

pytestmark = pytest.mark.django_db(transaction=True)
ADD_ORDER = ("whmcs", "AddOrder")
_people = itertools.count(1)

Wrong = Callable[[Faults], object]
TABLE: dict[str, tuple[Wrong, type[OutsideError], int]] = {
    "the answer is lost": (lambda faults: faults.lose_answer(*ADD_ORDER), UnknownOutcome, 1),
    "the answer is lost by a reset": (lambda faults: faults.lose_answer(*ADD_ORDER, reset=True), UnknownOutcome, 1),
    "the request is lost": (lambda faults: faults.lose_request(*ADD_ORDER), UnknownOutcome, 0),
    "nobody listens": (lambda faults: faults.close_port("whmcs"), Unavailable, 0),
    "a page with status 200": (lambda faults: faults.html(*ADD_ORDER, status=200, at="after"), UnknownOutcome, 1),
    "a bad gateway": (lambda faults: faults.http_error(*ADD_ORDER, status=502), UnknownOutcome, 0),
    "half an answer": (lambda faults: faults.answer("whmcs", "truncate", "AddOrder"), UnknownOutcome, 1),
    "no body": (lambda faults: faults.answer("whmcs", "empty", "AddOrder"), UnknownOutcome, 0),
    "a body without end": (lambda faults: faults.answer("whmcs", "huge", "AddOrder"), UnknownOutcome, 0),
    "PHP speaks first": (lambda faults: faults.answer("whmcs", "php_notice", "AddOrder"), UnknownOutcome, 1),
    "a refusal": (lambda faults: faults.action_fails("AddOrder", "Out of stock"), Rejected, 0),
    "another allow-list": (lambda faults: faults.add("whmcs", "ip_refused"), Misconfigured, 0),
}


@pytest.mark.parametrize(("wrong", "raised", "made"), TABLE.values(), ids=TABLE)
def test_what_went_wrong_is_told_by_what_may_have_happened(
    faults: Faults, wrong: Wrong, raised: type[OutsideError], made: int
) -> None:
    whmcs = gateway.whmcs()
    client = whmcs.add_client(
        email=f"aiko-wrong-{next(_people)}@example.jp",
        given_name="Aiko",
        family_name="Sato",
        language="en",
        customer_number="105001",
    )
    order = OrderRequest(client, [OrderLineRequest(101, "monthly", 1, 4950, {}, {5101: "8015j0000099998AAA"})], "")
    wrong(faults)
    with pytest.raises(OutsideError) as caught:
        whmcs.add_order(order)
    assert type(caught.value) is raised
    faults.clear()
    assert len(faults.sandbox.get("/control/whmcs/state", client=client)["orders"]) == made
    assert whmcs.add_order(order).order_id
