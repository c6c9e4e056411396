"""The state machine: whatever may happen to three orders of one customer, in any order (reliability.md §4)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts.models import User
from integrations import failpoints
from integrations.errors import OutsideError
from journal.models import RemoteCall, RemoteFact
from notifications.models import Email
from orders.models import Order, RefreshCursor
from provisioning import cleaning, cursor, intake, jobs, outbox, pause, staff, sweepers
from provisioning import reconcile as reconciler
from provisioning.attempts import live_attempt
from provisioning.intake import StaleLeader
from provisioning.models import Attempt, EventCursor, InboxEvent, Inspection, Outbox, Pause, Step, Task
from support.models import Case
from tests.provisioning.doubles import CARD
from tests.provisioning.model import actors, customer
from tests.provisioning.model.actors import Actor
from tests.provisioning.model.clock import ModelClock
from tests.provisioning.model.points import ACCEPT, ADD, LOOK_UP, REPORT, Mishap, mishaps, points
from tests.provisioning.model.wire import Fault
from tests.provisioning.model.world import ESIM_ORDER, ORDERS, TOPIC, World

TABLES = (
    Task,
    Inspection,
    RefreshCursor,
    Step,
    Outbox,
    Attempt,
    InboxEvent,
    EventCursor,
    Pause,
    RemoteCall,
    RemoteFact,
    Email,
    Case,
    Order,
)
WHICH = st.sampled_from(ORDERS)
PASSING = st.sampled_from([0, 0, 20, 100, 1200])  # within a lease; beyond one; beyond a quarantine
LOSSES = st.sampled_from(["lost", "dropped", "late"])
INDEX = st.integers(0, 3)
NOTED = (OutsideError, StaleLeader, staff.NotPossible)  # they end a job and are no wonder: the next is another one
MOST_ZOMBIES, MOST_ROUNDS = 2, 6


class ProvisioningMachine(RuleBasedStateMachine):
    """The portal's jobs run as processes that take turns; `world` is everything else."""

    clock: ModelClock
    patch: pytest.MonkeyPatch
    counts: Counter[str]
    customer: User

    def __init__(self) -> None:
        super().__init__()
        for table in TABLES:
            table.objects.all().delete()
        self.world = World(self.clock, self.patch)
        customer.places(self.customer, ORDERS[0], category="Internet")
        customer.places(self.customer, ESIM_ORDER, category="SIM")
        self.asleep: list[Actor] = []
        self.leader_epoch = cursor.take_over(topic=TOPIC, leader="model:1")

    # --- people, Salesforce, and its bus

    @initialize(order_id=WHICH, mishaps=mishaps("worker"))
    def begins(self, order_id: str, mishaps: list[Mishap]) -> None:
        self.ask_and_work(order_id, mishaps)

    @rule(order_id=WHICH, mishaps=mishaps("subscriber"), taken=INDEX, most=st.integers(1, 4))
    def ask_and_deliver(self, order_id: str, mishaps: list[Mishap], taken: int, most: int) -> None:
        self.ask(order_id)
        self.deliver(mishaps, taken, most)

    @rule(order_id=WHICH)
    def ask_in_vain(self, order_id: str) -> None:
        """Its event is lost for ever: only a comparison finds the request."""
        self.ask(order_id)
        self.world.salesforce.lose_events()

    @rule(order_id=WHICH, mishaps=mishaps("subscriber"))
    def event_comes_twice(self, order_id: str, mishaps: list[Mishap]) -> None:
        """A new event with the key of the last."""
        if self.world.salesforce.orders[order_id].last_idem_key:
            self.world.salesforce.publish(order_id)
        self.deliver(mishaps, 0, 9)

    @rule(leads_anew=st.booleans())
    def everything_comes_again(self, leads_anew: bool) -> None:
        """The position is lost, or an old leader goes on with what a new one has begun (A8, A17)."""
        if not leads_anew:
            cursor.position_lost(topic=TOPIC, leader_epoch=self.leader_epoch, error="replayid.corrupted")
            return
        before, self.leader_epoch = self.leader_epoch, cursor.take_over(topic=TOPIC, leader="model:2")
        with pytest.raises(StaleLeader):
            intake.store(topic=TOPIC, leader_epoch=before, response=self.world.salesforce.response(None, 9))

    @rule(order_id=WHICH, mishaps=mishaps("worker"))
    def ask_and_work(self, order_id: str, mishaps: list[Mishap]) -> None:
        """What mostly happens: a request, its event, a worker."""
        self.ask(order_id)
        self.deliver([], 0, 9)
        if self.world.wake_ups.jobs:
            self.start_worker(mishaps)

    def ask(self, order_id: str) -> None:
        """Approval, and later the operator: Failed, or Activating for too long, becomes Activating anew (also A6)."""
        row = self.world.salesforce.orders[order_id]
        if row.status == "Draft":
            self.world.salesforce.approve(order_id)
        elif row.activation_status in {"Failed", "Activating"} and row.status == "Approved":
            self.world.salesforce.ask_again(order_id)

    def deliver(self, mishaps: list[Mishap], taken: int, most: int) -> None:
        """The bus takes what was published, in any order; the subscriber gets a response from where it stands."""
        while self.world.salesforce.published:
            self.world.salesforce.carry(taken)
        stored = EventCursor.objects.get(topic=TOPIC).replay_id
        response = self.world.salesforce.response(bytes(stored) if stored else None, most)
        self.run(
            "subscriber", lambda: intake.store(topic=TOPIC, leader_epoch=self.leader_epoch, response=response), mishaps
        )

    # --- the portal's jobs

    @precondition(lambda self: self.world.wake_ups.jobs)
    @rule(mishaps=mishaps("worker"))
    def start_worker(self, mishaps: list[Mishap]) -> None:
        """A worker takes a job, which is gone with it when it dies."""
        self.world.wake_ups.jobs -= 1
        self.run("worker", jobs.provision, mishaps)

    @rule(seconds=PASSING, mishaps=mishaps("sweep"))
    def sweep(self, seconds: int, mishaps: list[Mishap]) -> None:
        """Time passes, then the clock's job comes."""
        self.world.advance(seconds)
        self.run("sweep", sweepers.sweep, mishaps)

    @rule(seconds=PASSING, mishaps=mishaps("drain"))
    def drain_outbox(self, seconds: int, mishaps: list[Mishap]) -> None:
        """Reports go out."""
        self.world.advance(seconds)
        self.run("drain", outbox.drain, mishaps)

    @rule(mishaps=mishaps("reconcile"))
    def compare(self, mishaps: list[Mishap]) -> None:
        """Salesforce is compared with what is here."""
        self.run("reconcile", reconciler.reconcile, mishaps)

    @rule(mishaps=mishaps("clean-up"))
    def clean_up(self, mishaps: list[Mishap]) -> None:
        self.run("clean-up", cleaning.clean_up, mishaps)

    # --- what people do

    @rule(order_id=WHICH)
    def customer_cancels(self, order_id: str) -> None:
        self.world.salesforce.cancel(order_id)

    @rule(has_card=st.booleans())
    def customer_and_card(self, has_card: bool) -> None:
        self.world.whmcs.methods = [CARD] if has_card else []

    @rule(stops=st.booleans())
    def staff_pauses(self, stops: bool) -> None:
        (pause.pause if stops else pause.resume)(by="carol", reason="the model")

    @rule(order_id=WHICH, action=st.sampled_from(["look_again", "release", "mark_failed"]), mishaps=mishaps("staff"))
    def staff_decides(self, order_id: str, action: str, mishaps: list[Mishap]) -> None:
        attempt = live_attempt(order_id)
        if attempt is not None:
            decision = staff.Decision("carol", "the model")
            self.run("staff", lambda: getattr(staff, action)(attempt, decision), mishaps)

    # --- what goes wrong

    @precondition(lambda self: self.asleep)
    @rule(index=INDEX)
    def resume(self, index: int) -> None:
        """Somebody who stood still goes on; whoever lost the attempt meanwhile must not touch it any more."""
        actor = self.asleep.pop(index % len(self.asleep))
        with self.world.judge.fenced_writes_nothing(actor):
            actor.go()
        self.ended(actor)

    @precondition(lambda self: self.world.late())
    @rule(index=INDEX)
    def late_request_is_carried_out(self, index: int) -> None:
        late = self.world.late()
        self.world.land(late[index % len(late)])

    @rule(order_id=WHICH, at=st.sampled_from(points("worker")))
    def worker_is_left_behind(self, order_id: str, at: str) -> None:
        """It stands still for longer than its lease, its attempt is taken from it, and it goes on."""
        standing = len(self.asleep)
        self.ask_and_work(order_id, [Mishap("stands", at)])
        if len(self.asleep) > standing:
            self.sweep(200, [])
            self.resume(standing)

    @rule(order_id=WHICH, call=st.sampled_from([ADD, ACCEPT]), kind=LOSSES, then=PASSING)
    def answer_is_lost(self, order_id: str, call: str, kind: str, then: int) -> None:
        """A call that makes something is not answered, the sweep looks, and somebody asks again."""
        self.ask_and_work(order_id, [Mishap(kind, call)])
        self.sweep(then, [])
        self.drain_outbox(0, [])
        self.ask_and_work(order_id, [])

    @rule(order_id=WHICH)
    def report_is_overtaken(self, order_id: str) -> None:
        """A Failed that did not get through is still to be sent when somebody has asked again."""
        self.ask_and_work(order_id, [Mishap("lost", LOOK_UP), Mishap("lost", REPORT)])
        self.ask(order_id)
        self.deliver([], 0, 9)
        self.drain_outbox(100, [])

    @rule(is_away=st.booleans())
    def redis_is_flushed(self, is_away: bool) -> None:
        self.world.wake_ups.jobs, self.world.wake_ups.is_away = 0, is_away

    # --- how a job runs

    def run(self, name: str, work: Callable[[], object], mishaps: list[Mishap]) -> None:
        actor = Actor(name, work, at_once=all(each.kind != "stands" for each in mishaps))
        with self.armed(mishaps):
            actor.go()
        if actor.stands:
            self.asleep.append(actor)
        else:
            self.ended(actor)

    @contextmanager
    def armed(self, mishaps: list[Mishap]) -> Iterator[None]:
        with ExitStack() as stack:
            for each in mishaps:
                if each.kind in {"dies", "stands"}:
                    act = {"dies": "raise", "stands": "call"}[each.kind]
                    may_stand = act == "raise" or len(self.asleep) < MOST_ZOMBIES
                    if may_stand:
                        stack.enter_context(
                            failpoints.arm(f"{each.at}={act}@{each.nth}", lambda: actors.current().stand_still())
                        )
                else:
                    system, _, operation = each.at.partition(".")
                    self.world.wires[system].faults.append(Fault(operation, each.kind, each.nth))
            yield
        self.world.forget_faults()

    def ended(self, actor: Actor) -> None:
        assert not actor.stands
        self.counts[f"{actor.name} {'died' if actor.died else 'stood still' if actor.resumed else 'ran'}"] += 1
        if actor.error is not None and not isinstance(actor.error, NOTED):
            raise AssertionError(f"{actor.name} ended with {actor.error!r}") from actor.error

    # --- what must be true

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.world.judge.check()

    def teardown(self) -> None:
        self.counts["examples"] += 1
        self.counts.update(self.world.judge.seen())
        try:
            if not self.world.judge.violations:
                self.heal()
                self.world.judge.check()
                self.finally_right()
        finally:
            for actor in self.asleep:
                actor.kill()
            self.world.judge.close()

    def heal(self) -> None:
        """Faults are over, everybody goes on, time passes, the clock's jobs run."""
        while self.asleep:
            self.resume(0)
        self.world.wake_ups.is_away = False
        self.customer_and_card(True)
        self.staff_pauses(False)
        self.world.wires["esim"].is_closed = False
        self.world.provider.pace = "accepted"
        for _round in range(MOST_ROUNDS):
            self.deliver([], 0, 100)
            for ticket in self.world.provider.open_tickets():
                self.world.provider.end(ticket, failed=False)
            self.sweep(1200, [])
            self.drain_outbox(0, [])
            self.compare([])
            self.clean_up([])
            while self.world.wake_ups.jobs:
                self.start_worker([])
            if self.world.judge.at_rest():
                break

    def finally_right(self) -> None:
        self.settled()
        for order_id, row in self.world.salesforce.orders.items():
            if row.status == "Approved" and row.activation_status == "Failed":
                self.world.salesforce.ask_again(order_id)
        self.heal()
        self.world.judge.check()
        self.settled()
        for order_id, row in self.world.salesforce.orders.items():
            if row.status not in {"Draft", "Cancelled"}:
                assert row.activation_status == "Provisioned", f"L3: {order_id} is {row}"

    def settled(self) -> None:
        self.world.judge.settled()
        for row in self.world.salesforce.orders.values():
            customer.knows_the_outcome(row)
