"""Every commit and every remote call stands between two points, so that a test run can die on either side of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from integrations import deadline, failpoints
from integrations.errors import Rejected, Unavailable, UnknownOutcome
from provisioning import jobs, outbox, sweepers, worker
from provisioning.models import Attempt
from tests.provisioning.conftest import arrives
from tests.provisioning.doubles import ORDER, SalesforceDouble, WhmcsDouble, key
from tests.provisioning.shop import Shop
from tests.provisioning.test_on_the_wire import shop  # noqa: F401 - a fixture

WRITES = ("INSERT", "UPDATE", "DELETE")
NOT_OURS = ("portal_cache", "django_cache")  # a cache that is lost is filled again


class Trail:
    """Points, commits and calls in the order in which they came."""

    def __init__(self, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.names = names
        self._written: list[str] = []
        real_commit, real_send = connection.commit, deadline._TimedConnection.send

        def commit() -> None:
            self._committed()
            real_commit()

        def send(wire: Any, data: Any) -> None:
            self.names.append("* a request")
            real_send(wire, data)

        monkeypatch.setattr(connection, "commit", commit)
        monkeypatch.setattr(deadline._TimedConnection, "send", send)

    def statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(WRITES) and not any(table in sql for table in NOT_OURS):
            if connection.in_atomic_block:
                self._written.append(sql)
            else:
                self.names.append(f"* {sql[:100]}")
        return execute(sql, params, many, context)

    def _committed(self) -> None:
        if self._written:
            self.names.append(f"* commit of {self._written[0][:100]}")
        self._written.clear()

    def bare(self) -> list[str]:
        """What has not a `before` in front of it and the same point's `after` behind it."""
        found = []
        for at, name in enumerate(self.names):
            if not name.startswith("* "):
                continue
            front = next((each for each in reversed(self.names[:at]) if not each.startswith("* ")), "")
            behind = next((each for each in self.names[at:] if not each.startswith("* ")), "")
            point, _, side = front.partition(":")
            if side != "before" or behind != f"{point}:after":
                found.append(f"{name} between {front} and {behind}")
        return found


@contextmanager
def trail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trail]:
    with failpoints.traced() as names:
        recorded = Trail(names, monkeypatch)
        with connection.execute_wrapper(recorded.statement):
            yield recorded


def comes_in(order_id: str = ORDER, idem_key: str = key(1)) -> None:
    """An event is taken in; its transaction is the test's own."""
    with failpoints.around("test.intake"):
        arrives(idem_key, order_id=order_id)


def runs() -> str:
    worker.work_off()
    return Attempt.objects.get(idem_key=key(1)).state


def happy(_whmcs: WhmcsDouble, _salesforce: SalesforceDouble) -> None:
    comes_in()
    assert runs() == "PROVISIONED"


def refused(whmcs: WhmcsDouble, _salesforce: SalesforceDouble) -> None:
    whmcs.trouble("add_order", Rejected("whmcs", "AddOrder", "error", "no"))
    comes_in()
    assert runs() == "FAILED"


def unknown_and_looked_for(whmcs: WhmcsDouble, _salesforce: SalesforceDouble) -> None:
    whmcs.trouble("add_order", UnknownOutcome("whmcs", "AddOrder", "timeout"))
    comes_in()
    assert runs() == "UNKNOWN"
    jobs.sweep()


def interrupted_and_swept(whmcs: WhmcsDouble, _salesforce: SalesforceDouble) -> None:
    whmcs.trouble("pay_methods", KeyboardInterrupt())
    comes_in()
    with pytest.raises(KeyboardInterrupt):
        worker.work_off()
    with failpoints.around("test.clock"):
        Attempt.objects.update(lease_until="2020-01-01T00:00:00Z")
    assert sweepers.end_interrupted() == 1


def forgotten_and_woken(_whmcs: WhmcsDouble, _salesforce: SalesforceDouble) -> None:
    comes_in()
    with failpoints.around("test.clock"):
        Attempt.objects.update(created_at="2020-01-01T00:00:00Z")
    assert sweepers.wake_forgotten() == 1
    worker.work_off()


def report_put_off(_whmcs: WhmcsDouble, salesforce: SalesforceDouble) -> None:
    salesforce.trouble("report_outcome", Unavailable("salesforce", "report_outcome", "http_503"))
    comes_in()
    assert runs() == "PROVISIONED"
    outbox.drain()


def reconciled(_whmcs: WhmcsDouble, _salesforce: SalesforceDouble) -> None:
    jobs.reconcile()
    worker.work_off()


FLOWS = [
    happy,
    refused,
    unknown_and_looked_for,
    interrupted_and_swept,
    forgotten_and_woken,
    report_put_off,
    reconciled,
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_every_commit_stands_between_two_points(
    flow: Callable[[WhmcsDouble, SalesforceDouble], None],
    whmcs: WhmcsDouble,
    salesforce: SalesforceDouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with trail(monkeypatch) as recorded:
        flow(whmcs, salesforce)
    assert sum(name.startswith("* ") for name in recorded.names) > 3
    assert recorded.bare() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("sandbox")
def test_every_request_and_every_commit_of_an_order_on_the_wire_stands_between_two_points(
    shop: Shop,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.add_card()
    shop.desk("approve")
    with trail(monkeypatch) as recorded:
        comes_in(shop.order_id, shop.event()["detail"]["IdemKey__c"])
        worker.work_off()
        requests, bare = recorded.names.count("* a request"), recorded.bare()
    assert (bare, shop.order().activation_status) == ([], "Provisioned")
    assert requests >= 8
