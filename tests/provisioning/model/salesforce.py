"""Salesforce as the model has it: orders, the flow that counts requests and publishes events, the log of the event bus,
and what was written back."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from integrations.salesforce.pubsub import FetchResult, ReceivedEvent
from integrations.salesforce.schemas import ActivatingOrder, CancelledOrder, OrderOutcome, ProvisionableOrder
from tests.provisioning.doubles import SalesforceDouble, key, outside_only

CREATED = 1_763_700_000_000


def number_of(idem_key: str) -> int:
    return int(idem_key.rpartition("-")[2]) if idem_key else 0


@dataclass
class ModelSalesforce(SalesforceDouble):
    """The double's orders, with a flow. Events lie in `published` until the bus puts them into its `log`."""

    now: Callable[[], datetime] = datetime.now
    on_report: Callable[[ProvisionableOrder, OrderOutcome], None] = lambda row, outcome: None
    modstamps: dict[str, datetime] = field(default_factory=dict)
    published: list[ReceivedEvent] = field(default_factory=list)
    log: list[ReceivedEvent] = field(default_factory=list)
    _events: int = 0

    def approve(self, order_id: str) -> None:
        self._request(replace(self.orders[order_id], status="Approved"))

    def ask_again(self, order_id: str) -> None:
        """An operator puts Failed, or an order that is taking too long, back to Activating."""
        self._request(self.orders[order_id])

    def cancel(self, order_id: str) -> None:
        self._save(replace(self.orders[order_id], status="Cancelled"))

    def cancelled_orders(self, *, since: datetime) -> list[CancelledOrder]:
        with self._called("cancelled_orders"):
            dead = [each.id for each in self.orders.values() if each.status == "Cancelled"]
            return [CancelledOrder(each, self.modstamps[each]) for each in dead if self.modstamps[each] >= since]

    def request_provisioning(self, order_id: str) -> None:
        with self._called("request_provisioning"):
            self.ask_again(order_id)

    def publish(self, order_id: str) -> None:
        """The flow publishes the order's newest request, or does it once more."""
        self._events += 1
        fields = {"CreatedDate": CREATED, "OrderId__c": order_id, "IdemKey__c": self.orders[order_id].last_idem_key}
        event = ReceivedEvent(f"uuid-{self._events}", b"", "schema-1", b"payload", {**fields, "Version__c": 1.0})
        self.published.append(event)

    def lose_events(self) -> None:
        """What was published never arrives anywhere."""
        self.published.clear()

    def carry(self, index: int) -> None:
        """One published event reaches the bus, which keeps it."""
        event = self.published.pop(index % len(self.published))
        position = (len(self.log) + 1).to_bytes(8, "big") + b"\0\0"
        self.log.append(replace(event, replay_id=position))

    def response(self, after: bytes | None, most: int) -> FetchResult:
        """What a subscriber gets that begins after this position (None: with the first)."""
        seen = self.position_of(after)
        events = tuple(self.log[seen : seen + most])
        return FetchResult(events, events[-1].replay_id if events else (after or b"\0" * 10))

    @staticmethod
    def position_of(replay_id: bytes | None) -> int:
        """How many events lie at or before it."""
        return int.from_bytes(replay_id[:8], "big") if replay_id else 0

    def activating_orders(self, *, before: datetime) -> list[ActivatingOrder]:
        with self._called("activating_orders"):
            return [
                ActivatingOrder(each.id, each.last_idem_key, "corr-1", self.modstamps[each.id])
                for each in self.orders.values()
                if each.activation_status == "Activating" and self.modstamps[each.id] < before
            ]

    def _request(self, row: ProvisionableOrder) -> None:
        following = key(number_of(row.last_idem_key) + 1, row.id)
        self._save(replace(row, activation_status="Activating", last_idem_key=following))
        self.publish(row.id)

    def _write(self, row: ProvisionableOrder, outcome: OrderOutcome) -> None:
        outside_only()
        self.on_report(row, outcome)
        super()._write(row, outcome)
        self.modstamps[row.id] = self.now()

    def _save(self, row: ProvisionableOrder) -> None:
        self.orders[row.id] = row
        self.modstamps[row.id] = self.now()
