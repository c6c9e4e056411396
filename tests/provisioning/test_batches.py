"""Events that arrive together mean what they mean one after the other, and cost no more than one of them."""

from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from integrations import failpoints
from integrations.salesforce.pubsub import ReceivedEvent
from provisioning import attempts, claims, wakeups
from provisioning.intake import store
from provisioning.models import Attempt, InboxEvent
from provisioning.verdicts import number
from tests.provisioning.responses import ORDERS, TOPIC, lead_now, received, response, unreadable

pytestmark = pytest.mark.django_db
STATEMENTS = 9  # position, known ids, locks, rows, attempts, replaced, two inserts; one to spare


def an_order(n: int) -> str:
    """The id of the n-th order: all digits, so that the three characters at its end are A."""
    return f"801{n:012}AAA"


def key(order: str, n: int) -> str:
    return f"{order}-2026-11-21 01:02:03Z-{n}"


def statements(*events: ReceivedEvent) -> list[str]:
    """What storing one response with these events asks of the database; taking over is not counted."""
    epoch = lead_now()
    with CaptureQueriesContext(connection) as queries:
        store(topic=TOPIC, leader_epoch=epoch, response=response(*events))
    return [each["sql"] for each in queries if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))]


def requests(first: int, last: int, nth: int) -> list[ReceivedEvent]:
    orders = [an_order(n) for n in range(first, last + 1)]
    return [received(OrderId__c=order, IdemKey__c=key(order, nth)) for order in orders]


def test_a_hundred_events_cost_as_many_statements_as_one() -> None:
    alone, together = statements(*requests(1, 1, 1)), statements(*requests(2, 101, 1))
    assert len(together) == len(alone) <= STATEMENTS
    assert Attempt.objects.count() == 101


def test_a_hundred_events_that_take_the_place_of_waiting_ones_cost_as_many_as_one() -> None:
    for nth in (1, 2):
        statements(*requests(1, 101, nth))
    alone, together = statements(*requests(1, 1, 3)), statements(*requests(2, 101, 3))
    assert len(together) == len(alone) <= STATEMENTS
    assert InboxEvent.objects.filter(state="replaced").count() == InboxEvent.objects.filter(state="waiting").count()


@pytest.mark.parametrize(
    ("numbers", "states"),
    [
        ([1, 1], ["accepted", "duplicate"]),
        ([1, 2], ["accepted", "waiting"]),
        ([1, 2, 3, 2], ["accepted", "replaced", "waiting", "duplicate"]),
        ([2, 1], ["accepted", "replaced"]),
        ([1, 3, 2], ["accepted", "waiting", "replaced"]),
    ],
    ids=["same key", "retry", "only the newest waits", "the first comes last", "two in the wrong order"],
)
def test_requests_of_one_order_in_one_response(numbers: list[int], states: list[str]) -> None:
    events = [received(OrderId__c=ORDERS[0], IdemKey__c=key(ORDERS[0], number)) for number in numbers]
    store(topic=TOPIC, leader_epoch=lead_now(), response=response(*events))
    assert list(InboxEvent.objects.order_by("pk").values_list("state", flat=True)) == states
    assert Attempt.objects.get().idem_key == key(ORDERS[0], numbers[0])


@pytest.mark.django_db(transaction=True)
def test_what_came_in_one_response_is_claimed_in_the_order_of_arrival() -> None:
    events = list(reversed(requests(1, 12, 1)))
    store(topic=TOPIC, leader_epoch=lead_now(), response=response(*events))
    claimed = [claims.claim() for _ in events]
    assert [each.attempt.order_id for each in claimed if each] == [(each.fields or {})["OrderId__c"] for each in events]


@pytest.fixture
def sent_to_redis(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was sent, one entry for each round trip."""
    kind = wakeups.queue().connection.connection_pool.connection_class
    send, trips = kind.send_packed_command, []

    def counted(self: object, command: object, **more: object) -> object:
        trips.append(command)
        return send(self, command, **more)

    monkeypatch.setattr(kind, "send_packed_command", counted)
    return trips


@pytest.mark.django_db(transaction=True)
def test_a_response_is_one_commit_and_one_wake_up_of_two_round_trips(sent_to_redis: list[object]) -> None:
    epoch = lead_now()
    store(topic=TOPIC, leader_epoch=epoch, response=response(*requests(1, 1, 1)))  # the connection stands
    sent_to_redis.clear()
    with failpoints.traced() as passed:
        store(topic=TOPIC, leader_epoch=epoch, response=response(*requests(2, 101, 1)))
    assert passed == ["intake.store:before", "intake.store:after", "queue.wake:before", "queue.wake:after"]
    assert 1 <= len(sent_to_redis) <= 2
    assert wakeups.queue().count == 2


# --- one after the other, or together: a model says what must come of it

ENDS = ("FAILED", "PROVISIONED", "SKIPPED")
UNSEEN = ("duplicate", "poison")


@dataclass
class Row:
    uuid: str
    order: str
    key: str
    state: str


@dataclass
class Model:
    """The inbox and the live attempts, one event at a time, by looking through everything."""

    rows: list[Row] = field(default_factory=list)
    live: dict[str, str] = field(default_factory=dict)
    tries: list[tuple[str, str]] = field(default_factory=list)  # order and key, the mark of a repeated key left out

    def arrives(self, event: ReceivedEvent) -> None:
        if any(row.uuid == event.event_uuid for row in self.rows):
            return
        if event.fields is None:
            self.rows.append(Row(event.event_uuid, "", "", "poison"))
            return
        order, key = event.fields["OrderId__c"], event.fields["IdemKey__c"] or f"event:{event.event_uuid}"
        state = self._state(order, key)
        if state == "waiting":
            for row in self._of(order, "waiting"):
                row.state = "replaced"
        self.rows.append(Row(event.event_uuid, order, key, state))
        if state == "accepted":
            self._try(order, key)

    def ends(self, order: str, how: str) -> None:
        del self.live[order]
        for row in self._of(order, "waiting"):
            row.state = "answered" if how == "PROVISIONED" else "accepted"
            if row.state == "accepted":
                self._try(order, row.key)

    def _try(self, order: str, key: str) -> None:
        self.live[order] = key
        self.tries.append((order, key))

    def _of(self, order: str, state: str) -> list[Row]:
        return [row for row in self.rows if (row.order, row.state) == (order, state)]

    def _state(self, order: str, key: str) -> str:
        same = [row for row in self.rows if row.key == key and row.state not in UNSEEN]
        if number(key) or key.startswith("event:"):
            is_duplicate = bool(same)
        else:
            is_duplicate = self.live.get(order) == key or any(row.state == "waiting" for row in same)
        if is_duplicate:
            return "duplicate"
        later = [row for row in self.rows if row.order == order and row.state not in UNSEEN]
        if number(key) and any(number(row.key) > number(key) for row in later):
            return "replaced"
        return "waiting" if order in self.live else "accepted"


def same_key(n: int) -> str:
    return f"{ORDERS[0]}-2026-11-20 12:34:5{n}Z"  # of the older flow


EVENTS = st.builds(
    lambda order, key, uuid: received(uuid, OrderId__c=order, IdemKey__c=key and key(order)),
    st.sampled_from(ORDERS),
    st.none()
    | st.integers(1, 4).map(lambda n: lambda order: key(order, n))
    | st.integers(1, 2).map(lambda n: lambda _order: same_key(n)),
    st.just("") | st.sampled_from(["again-1", "again-2"]),
)
POISON = st.builds(unreadable)
ENDINGS = st.tuples(st.sampled_from(ORDERS), st.sampled_from(ENDS))
ACTS = st.lists(EVENTS | EVENTS | EVENTS | POISON | ENDINGS, min_size=3, max_size=25)


@given(acts=ACTS, cuts=st.sets(st.integers(0, 25), max_size=8))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_events_are_split_into_responses_the_same_becomes_of_them(
    db: None, acts: list[ReceivedEvent | tuple[str, str]], cuts: set[int]
) -> None:
    Attempt.objects.all().delete()
    InboxEvent.objects.all().delete()
    epoch, model, together = lead_now(), Model(), list[ReceivedEvent]()

    def arrived() -> None:
        if together:
            store(topic=TOPIC, leader_epoch=epoch, response=response(*together))
            together.clear()

    for place, act in enumerate(acts):
        if place in cuts or isinstance(act, tuple):
            arrived()
        if isinstance(act, ReceivedEvent):
            model.arrives(act)
            together.append(act)
        elif act[0] in model.live:
            model.ends(*act)
            end(*act)
    arrived()
    assert stored() == [(row.uuid, row.order, row.key, row.state) for row in model.rows]
    assert tried() == model.tries
    assert set(Attempt.objects.filter(state__in=Attempt.LIVE).values_list("order_id", flat=True)) == set(model.live)


def end(order: str, how: str) -> None:
    live = attempts.live_attempt(order)
    assert live is not None
    attempts.transition(attempt_id=live.pk, to="RUNNING")
    attempts.end(attempt_id=live.pk, to=how)


def stored() -> list[tuple[str, ...]]:
    return list(InboxEvent.objects.order_by("pk").values_list("event_uuid", "order_id", "idem_key", "state"))


def tried() -> list[tuple[str, str]]:
    rows = Attempt.objects.order_by("created_at", "event_id").values_list("order_id", "idem_key")
    return [(order, key.partition("#")[0]) for order, key in rows]
