"""Who decides whether what happened may happen: by what the outside systems hold, and by what is committed here, read
over a connection of its own (reliability.md §4, S1–S12)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection
from psycopg.rows import dict_row
from structlog.contextvars import get_contextvars

from integrations.salesforce.schemas import OrderOutcome, ProvisionableOrder
from tests.provisioning.doubles import MARK, WhmcsDouble
from tests.provisioning.esim_double import ICCID
from tests.provisioning.model import actors
from tests.provisioning.model.clock import SEARCH_PATH, ModelClock
from tests.provisioning.model.provider import ModelProvider
from tests.provisioning.model.salesforce import ModelSalesforce
from tests.provisioning.model.wire import Late

CREATES = {
    "add_order": "whmcs.AddOrder",
    "accept_order": "whmcs.AcceptOrder",
    "module_create": "whmcs.ModuleCreate",
    "activate": "esim.activate",
}
"""What makes something, and its name in the journal."""
OF_AN_ORDER = frozenset({"add_order", "activate"})  # the others are of something that is there
TERMINAL = frozenset({"PROVISIONED", "FAILED", "SKIPPED"})
LIVE = frozenset({"QUEUED", "RUNNING", "WAITING", "UNKNOWN"})
REFUSALS = frozenset({"payment_method_missing", "order_not_approved", "marked_failed"})
WORKING = frozenset({"Active", "Suspended", "Completed"})
DEAD = frozenset({"Cancelled", "Terminated", "Fraud"})
FRESH_S = 11  # what the guard read may be 10 s old (decisions.md 20); one for the way
Row = dict[str, Any]


@dataclass
class Reads:
    """What one attempt has seen of the outside."""

    order: ProvisionableOrder | None = None
    order_at: float = 0.0
    can_pay: bool = False
    looked_up: bool = False
    shown: int | None = None  # the live WHMCS order that the last look-up showed
    line_read: bool = False
    line_live: bool = False
    tickets_of: str = ""  # the key whose tickets were read last
    accepted: bool = False  # one of these had not failed

    @property
    def with_esim(self) -> bool:
        return self.order is not None and has_esim(self.order)


class Judge:
    """Notes what must not be, since an error raised in a worker would be taken for one of the portal's."""

    def __init__(
        self, salesforce: ModelSalesforce, whmcs: WhmcsDouble, provider: ModelProvider, clock: ModelClock
    ) -> None:
        self.salesforce, self.whmcs, self.provider, self.clock = salesforce, whmcs, provider, clock
        self.violations: list[str] = []
        self.reads: dict[str, Reads] = {}
        self.sends: Counter[tuple[str, str, object]] = Counter()
        self.attempts: dict[Any, Row] = {}
        self.late: Callable[[], list[Late]] = list
        self.db = psycopg.connect(**_parameters(), autocommit=True, row_factory=dict_row)
        self.db.execute(SEARCH_PATH)

    def close(self) -> None:
        self.db.close()

    def rows(self, sql: str, *values: object) -> list[Row]:
        return self.db.execute(sql, values).fetchall()

    # --- at the moment of a call

    def sent(self, operation: str, args: tuple[Any, ...]) -> None:
        if connection.in_atomic_block:
            self._wrong("S10", f"{operation} inside a transaction")
        if operation in CREATES:
            self._create(operation, args)

    def answered(self, operation: str, args: tuple[Any, ...], answer: Any) -> None:
        seen = self.reads.setdefault(str(get_contextvars().get("attempt_id", "")), Reads())
        if operation == "order_for_provisioning":
            seen.order, seen.order_at = answer, self.clock.monotonic()
        elif operation == "pay_methods":
            seen.can_pay = any(not method.expired for method in answer)
        elif operation == "services":
            order_id = get_contextvars().get("order_id")
            live = [
                each.order_id for each in answer if each.custom_fields[MARK] == order_id and each.status not in DEAD
            ]
            seen.looked_up, seen.shown = True, min(live, default=None)
        elif operation == "line":
            seen.line_read, seen.line_live = True, answer is not None and answer.is_live
        elif operation == "tickets":
            seen.tickets_of, seen.accepted = args[0], any(each.state != "failed" for each in answer)

    def reported(self, row: ProvisionableOrder, outcome: OrderOutcome) -> None:
        """S11: a Failed that is written answers the newest request, not an older one."""
        if outcome.provisioned:
            return
        key = row.last_idem_key
        ended = self.rows("SELECT state FROM provisioning_attempt WHERE idem_key = %s", key)
        lost = self.rows("SELECT 1 FROM provisioning_outbox WHERE dedupe_key = %s", f"lost:{row.id}:{key}")
        if not lost and not any(each["state"] in {"FAILED", "UNKNOWN"} for each in ended):
            self._wrong("S11", f"Failed written over request {key}, which has not failed ({outcome.error})")

    def _create(self, operation: str, args: tuple[Any, ...]) -> None:
        bound = get_contextvars()
        attempt_id, epoch, order_id = str(bound.get("attempt_id")), bound.get("epoch"), str(bound.get("order_id"))
        target = order_id if operation in OF_AN_ORDER else args[0]
        self.sends[(attempt_id, operation, target)] += 1
        if self.sends[(attempt_id, operation, target)] > 1:
            self._wrong("S8", f"{operation} of {target} sent twice by attempt {attempt_id}")
        actor, seen = actors.current(), self.reads.get(attempt_id, Reads())
        if operation == "activate":
            self._after_asking_the_provider(args[0], seen)
        else:
            self._after_look_up(operation, seen, order_id)
        self._with_intent(operation, order_id, attempt_id)
        if not (actor.resumed and "attempt.lease:before" not in actor.trace):  # else nothing could have held it back
            self._by_right(operation, order_id, attempt_id, epoch)
        self._not_twice(operation, order_id)
        self._wanted(operation, seen, asked_late=actor.resumed and "call.intent:after" not in actor.trace)

    def _after_look_up(self, operation: str, seen: Reads, order_id: str) -> None:
        if not seen.looked_up:
            self._wrong("S6", f"{operation} without a look-up in the same attempt")
        if operation == "add_order" and seen.shown is not None:
            self._wrong("S6", f"add_order although the look-up showed WHMCS order {seen.shown}")
        if operation == "add_order" and seen.with_esim and not self.provider.has_line(order_id):
            self._wrong("S5", "add_order before the eSIM is there")

    def _after_asking_the_provider(self, key: str, seen: Reads) -> None:
        if not seen.line_read or seen.tickets_of != key:
            self._wrong("S6", f"activate {key} without a look-up in the same attempt")
        if seen.line_live or seen.accepted:
            self._wrong("S6", f"activate {key} although the look-up showed a line or a ticket")

    def _with_intent(self, operation: str, order_id: str, attempt_id: str) -> None:
        sql = "SELECT 1 FROM journal_remotecall WHERE subject = %s AND owner = %s AND operation LIKE %s"
        if not self.rows(sql, f"order:{order_id}", f"attempt:{attempt_id}", f"{CREATES[operation]}%"):
            self._wrong("S6", f"{operation} without a committed intent")

    def _by_right(self, operation: str, order_id: str, attempt_id: str, epoch: object) -> None:
        held = self.rows(
            "SELECT 1 FROM provisioning_attempt WHERE id = %s AND epoch = %s AND state = 'RUNNING'", attempt_id, epoch
        )
        if not held:
            self._wrong("S3", f"{operation} by a worker that has lost its attempt")
        others = "owner <> %s AND state IN ('INTENT', 'UNKNOWN') AND quarantine_until > clock_timestamp()"
        sql = f"SELECT operation FROM journal_remotecall WHERE subject = %s AND {others}"
        for row in self.rows(sql, f"order:{order_id}", f"attempt:{attempt_id}"):
            self._wrong("S5", f"{operation} while {row['operation']} of another attempt may still be executing")

    def _not_twice(self, operation: str, order_id: str) -> None:
        """What a member of staff released is theirs to answer for."""
        sql = "SELECT 1 FROM journal_remotecall WHERE subject = %s AND error_code = 'released'"
        coming = [str(each.args) for each in self.late() if each.operation == operation in OF_AN_ORDER]
        if any(order_id in said for said in coming) and not self.rows(sql, f"order:{order_id}"):
            self._wrong("S5", f"{operation} while an earlier one of {order_id} is still to be carried out")

    def _wanted(self, operation: str, seen: Reads, *, asked_late: bool) -> None:
        order = seen.order
        if order is None or order.activation_status != "Activating" or order.status not in {"Approved", "Activated"}:
            self._wrong("S5", f"{operation} for an order that is {order and (order.status, order.activation_status)}")
        if not seen.can_pay:
            self._wrong("S5", f"{operation} without a payment method")
        if operation in OF_AN_ORDER and not asked_late and self.clock.monotonic() - seen.order_at > FRESH_S:
            self._wrong("S5", f"{operation} by a guard read long ago")

    def _wrong(self, invariant: str, what: str) -> None:
        self.violations.append(f"{invariant}: {what}")

    # --- between two rules

    def check(self) -> None:
        attempts = self.rows("SELECT * FROM provisioning_attempt ORDER BY created_at, id")
        self._one_service_each(attempts)
        self._history(attempts)
        self._keys(attempts)
        self._inbox()
        for what in self.provider.wrong():
            self._wrong("S1", what)
        assert not self.violations, self.violations

    def seen(self) -> Iterator[str]:
        """What `make model` counts: how attempts and tickets stand before everything heals."""
        yield from (f"attempts {each['state']}" for each in self.rows("SELECT state FROM provisioning_attempt"))
        yield from (f"tickets {each.state}" for each in self.provider.ticket_rows.values())

    def at_rest(self) -> bool:
        """Whether there is nothing left to do."""
        live = self.rows(
            "SELECT 1 FROM provisioning_attempt WHERE state IN ('QUEUED', 'RUNNING', 'WAITING', 'UNKNOWN')"
        )
        due = self.rows("SELECT 1 FROM provisioning_outbox WHERE state = 'PENDING'")
        to_look = self.rows("SELECT 1 FROM provisioning_inspection WHERE looks = 0 AND due_at IS NOT NULL")
        wanted = any(row.activation_status == "Activating" for row in self.salesforce.orders.values())
        return not (live or due or to_look or wanted)

    def settled(self) -> None:
        """L1, L2, L4, L5, S12: what must be true once every fault is over and time has passed."""
        for attempt in self.rows("SELECT * FROM provisioning_attempt"):
            assert attempt["state"] in TERMINAL, f"L1: {attempt}"
        for event in self.rows("SELECT * FROM provisioning_inboxevent WHERE state = 'waiting'"):
            raise AssertionError(f"L1: {event}")
        for report in self.rows("SELECT * FROM provisioning_outbox WHERE state IN ('PENDING', 'REFUSED')"):
            raise AssertionError(f"L4: {report}")
        for call in self.rows("SELECT * FROM journal_remotecall WHERE state IN ('INTENT', 'UNKNOWN')"):
            raise AssertionError(f"L1: {call}")
        for order_id, row in self.salesforce.orders.items():
            self._settled(order_id, row)

    def _settled(self, order_id: str, row: ProvisionableOrder) -> None:
        assert row.activation_status != "Activating", f"L2: {row}"
        if row.activation_status == "Provisioned" and has_esim(row):
            told = [each.iccid for each in self.salesforce.reports if each.order_id == order_id and each.provisioned]
            assert told[-1:] == [ICCID], f"L2: the ICCIDs of {order_id} are {told}"
        marked = [each for each in self.whmcs.service_rows.values() if each.custom_fields[MARK] == order_id]
        live = {each.order_id for each in marked if each.status not in DEAD}
        assert len(live) <= 1, f"L5: {order_id} has the live WHMCS orders {sorted(live)}"
        billed = [each for each in {each.order_id for each in marked} if each in self.whmcs.open_invoices()]
        assert len(billed) <= 1, f"S12: {order_id} is billed by the WHMCS orders {billed}"
        if row.status == "Cancelled":
            assert not live or self.working(order_id), (
                f"L5: {order_id} is cancelled and has WHMCS orders {sorted(live)}"
            )
            assert not billed or self.working(order_id), f"S12: {order_id} is cancelled and billed by {billed}"
        elif self.working(order_id) and not self._refused(row):
            assert row.activation_status == "Provisioned", f"L2: {order_id} works and is {row.activation_status}"

    def _refused(self, row: ProvisionableOrder) -> bool:
        """Whether a request that came after the service worked was refused, for a reason of its own."""
        sql = "SELECT error_code FROM provisioning_attempt WHERE idem_key = %s"
        return any(each["error_code"] in REFUSALS for each in self.rows(sql, row.last_idem_key))

    def working(self, order_id: str) -> list[int]:
        """The WHMCS orders with this order's mark of which something works."""
        marked = [each for each in self.whmcs.service_rows.values() if each.custom_fields[MARK] == order_id]
        return sorted({each.order_id for each in marked if each.status in WORKING})

    def _one_service_each(self, attempts: list[Row]) -> None:
        for order_id, row in self.salesforce.orders.items():
            working, states = (
                self.working(order_id),
                [each["state"] for each in attempts if each["order_id"] == order_id],
            )
            if len(working) > 1:
                self._wrong("S1", f"{order_id} works {len(working)} times: {working}")
            if "PROVISIONED" in states and len(working) != 1:
                self._wrong("S7", f"{order_id} is PROVISIONED and has {working}")
            if "PROVISIONED" in states and has_esim(row) and not self.provider.has_line(order_id):
                self._wrong("S7", f"{order_id} is PROVISIONED and has no eSIM")
            if row.activation_status == "Provisioned" and "PROVISIONED" not in states:
                self._wrong("S7", f"{order_id} is Provisioned in Salesforce, its attempts are {states}")
            if sum(state in LIVE for state in states) > 1:
                self._wrong("S2", f"{order_id} has live attempts: {states}")

    def _history(self, attempts: list[Row]) -> None:
        now = {each["id"]: each for each in attempts}
        for attempt_id, before in self.attempts.items():
            after = now.get(attempt_id)
            if after is None or after["epoch"] < before["epoch"]:
                self._wrong("S3", f"attempt {attempt_id} went from {before} to {after}")
            elif before["state"] in TERMINAL and after != before:
                self._wrong("S3", f"ended attempt changed from {before} to {after}")
            elif before["state"] in {"RUNNING", "UNKNOWN"} and after["state"] == "QUEUED":
                self._wrong("S8", f"attempt {attempt_id} went from {before['state']} back to QUEUED")
        self.attempts = now

    def _keys(self, attempts: list[Row]) -> None:
        keys = Counter(each["idem_key"] for each in attempts)
        ids = Counter(each["event_uuid"] for each in self.rows("SELECT event_uuid FROM provisioning_inboxevent"))
        for name, count in [*keys.items(), *ids.items()]:
            if count > 1:
                self._wrong("S4", f"{name} is there {count} times")

    def _inbox(self) -> None:
        stored = {each["event_uuid"] for each in self.rows("SELECT event_uuid FROM provisioning_inboxevent")}
        for cursor in self.rows("SELECT replay_id FROM provisioning_eventcursor"):
            until = self.salesforce.position_of(cursor["replay_id"])
            for event in self.salesforce.log[:until]:
                if event.event_uuid not in stored:
                    self._wrong("S9", f"{event.event_uuid} lies before the cursor and is not in the inbox")

    @contextmanager
    def fenced_writes_nothing(self, actor: actors.Actor) -> Iterator[None]:
        """S3: a process that goes on without its attempt leaves the attempt's row as it was."""
        attempt_id, epoch = actor.works_on
        if not attempt_id:
            yield
            return
        sql = "SELECT * FROM provisioning_attempt WHERE id = %s"
        (before,) = self.rows(sql, attempt_id)
        yield
        (after,) = self.rows(sql, attempt_id)
        if (before["epoch"] != epoch or before["state"] != "RUNNING") and after != before:
            self._wrong("S3", f"a worker of epoch {epoch} changed {before} to {after}")


def has_esim(order: ProvisionableOrder) -> bool:
    return any(each.esim_plan for each in order.items)


def _parameters() -> dict[str, Any]:
    known = connection.get_connection_params()
    return {name: known[name] for name in ("host", "port", "user", "password", "dbname") if known.get(name)}
