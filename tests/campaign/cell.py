"""One cell: a sandbox, a database and the portal's processes, in which one seed after the other is lived through."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from django.db import connection

from journal.models import RemoteCall
from provisioning.models import Attempt, Outbox
from provisioning.remote_orders import subject_of
from tests.campaign import arranging, judge
from tests.campaign.circumstances import CIRCUMSTANCES
from tests.campaign.judge import Problem
from tests.campaign.seeds import Seed
from tests.campaign.shop import Shop
from tests.campaign.zygote import Zygote

log = structlog.get_logger(__name__)
KINDS = ("subscriber", "worker", "housekeeping")
TICK_S = 0.4
SETTLES_WITHIN_S = 120.0
RETRIES = 3
ENDS = ("Provisioned", "Failed")


class Stuck(Exception):
    """It did not come to an end in time."""


@dataclass
class Blows:
    """What happened to the processes in one seed."""

    crashes: list[tuple[str, float]] = field(default_factory=list)  # kind, when
    stopped: dict[int, float] = field(default_factory=dict)  # pid, when
    stands_still_s: float = 5.0
    asked_again: int = 0
    twice_live: set[str] = field(default_factory=set)  # orders that had two live attempts at once


@dataclass
class Cell:
    """`run` lives through one seed and says what came of it."""

    folder: Path
    zygote: Zygote
    shop: Shop
    processes: dict[str, int] = field(default_factory=dict)
    happened: Blows = field(default_factory=Blows)
    _staff_plan: str = ""
    _pause: threading.Event = field(default_factory=threading.Event)

    def run(self, seed: Seed) -> dict[str, Any]:
        """The facts of the seed: verdict, problems, crashes, recovery and length in seconds."""
        began, self.happened = time.time(), Blows(stands_still_s=seed.stands_still_s)
        orders: list[str] = []
        try:
            orders = self._live_through(seed)
            found = [problem for order_id in orders for problem in judge.problems(self.shop, order_id)]
            found += [Problem("doubled", f"two live attempts of {order_id}") for order_id in self.happened.twice_live]
        except Stuck as reason:
            found = [Problem("lost", str(reason))]
        except Exception as error:  # a seed that could not be judged is red, and the next one is lived through
            log.exception("seed_broken", seed=seed.number)
            found = [Problem("wrong", f"the campaign itself: {error!r}"[:500])]
        finally:
            self._heal(seed)
        return {
            "number": seed.number,
            "circumstance": seed.circumstance,
            "seed": str(seed),
            "orders": orders,
            "problems": [[each.kind, each.text] for each in found],
            "crashes": [kind for kind, _at in self.happened.crashes],
            "recovery_s": round(self._slowest_recovery(orders), 1),
            "took_s": round(time.time() - began, 1),
        }

    def _live_through(self, seed: Seed) -> list[str]:
        circumstance = CIRCUMSTANCES[seed.circumstance]
        orders = arranging.orders_of(seed, self.shop)
        self._start(seed)
        arranging.place_faults(seed, self.shop)
        for order_id in orders:
            self.shop.desk(order_id, "approve")
        if seed.flush_at:
            self._flush(seed, orders)
        self._until(lambda: self._ended(orders, seed), f"{seed.circumstance} to come to an end")
        self.shop.buttons.delete("/control/faults")
        for _again in range(RETRIES):
            failed = [each for each in orders if self._may_be_asked_again(each)]
            if not failed:
                break
            for order_id in failed:
                self._ask_again(order_id, circumstance.button)
            self._until(lambda: self._ended(orders), "the operator's retry to come to an end")
        if circumstance.no_subscriber:
            self._begin("subscriber")
        cancelled = [each for each in orders if self.shop.order(each)["Status"] == "Cancelled"]
        self._until(lambda: not judge.left_of_cancelled(self.shop, cancelled), "cancelled orders to be cleared away")
        self._until(lambda: arranging.all_received(self.shop, orders), "every event to be in the inbox (S9)")
        return orders

    # --- processes

    def _start(self, seed: Seed) -> None:
        """The processes that this seed hurts begin anew with their plans; the others go on from the last seed."""
        plans: dict[str, list[str]] = {}
        for blow in seed.blows:
            plans.setdefault(blow.kind, []).append(blow.plan)
        if plan := CIRCUMSTANCES[seed.circumstance].worker_plan:
            plans.setdefault("worker", []).insert(0, plan)
        wanted = [*KINDS, *(["second"] if seed.second_worker else [])]
        if CIRCUMSTANCES[seed.circumstance].no_subscriber:
            wanted.remove("subscriber")
        for kind in [kind for kind in self.processes if kind in plans or kind not in wanted]:
            self._end(kind)
        for kind in wanted:
            if kind not in self.processes:
                self._begin(kind, ";".join(plans.get(kind, [])))
        self._staff_plan = ";".join(plans.get("staff", []))

    def _begin(self, kind: str, plan: str = "", **arguments: Any) -> None:
        self.processes[kind] = self.zygote.start(kind, plan, **arguments)

    def _end(self, kind: str) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.processes.pop(kind), signal.SIGKILL)

    def _watch(self) -> None:
        """Starts again what died, as systemd would, and lets go on what stood still for longer than a lease."""
        for change in self.zygote.changes():
            kind = next((kind for kind, pid in self.processes.items() if pid == change.pid), None)
            if kind is None:
                continue
            if change.what == "stopped":
                self._crashed(kind, change.at)
                self.happened.stopped[change.pid] = change.at
            else:
                self._died(kind, change.at)
        for pid, since in list(self.happened.stopped.items()):
            if time.time() - since > self.happened.stands_still_s:
                del self.happened.stopped[pid]
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _died(self, kind: str, at: float) -> None:
        del self.processes[kind]
        self._crashed(kind, at)
        if kind != "staff":
            self._begin(kind)

    def _crashed(self, kind: str, at: float) -> None:
        """Recovery counts from here. A person's click that was cut short is not owed a report: they click again."""
        if kind != "staff":
            self.happened.crashes.append((kind, at))

    def _heal(self, seed: Seed) -> None:
        """No plan, no rule and no stopped process is left for the next seed."""
        hurt = {blow.kind for blow in seed.blows}
        if CIRCUMSTANCES[seed.circumstance].worker_plan:
            hurt.add("worker")
        for kind in hurt & set(self.processes):
            self._end(kind)
        for kind in [kind for kind, pid in self.processes.items() if pid in self.happened.stopped]:
            self._end(kind)
        arranging.heal(seed, self.shop)

    def close(self) -> None:
        """Ends the processes in good order."""
        for pid in self.processes.values():
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + SETTLES_WITHIN_S
        while self.processes:
            ended = {change.pid for change in self.zygote.changes()}
            self.processes = {kind: pid for kind, pid in self.processes.items() if pid not in ended}
            if time.monotonic() > deadline:
                raise Stuck(f"these processes did not end: {', '.join(self.processes)}")
            self._pause.wait(TICK_S)

    # --- waiting

    def _until(self, look: Any, what: str) -> None:
        deadline = time.monotonic() + SETTLES_WITHIN_S
        while True:
            self._watch()
            if look():
                return
            if time.monotonic() > deadline:
                raise Stuck(f"waited {SETTLES_WITHIN_S:.0f} s in vain for {what}")
            self._pause.wait(TICK_S)

    def _ended(self, orders: list[str], seed: Seed | None = None) -> bool:
        """Whether Salesforce says how each order ended and nothing is under way here."""
        attempts = list(Attempt.objects.filter(order_id__in=orders).values_list("order_id", "state"))
        live = [order_id for order_id, state in attempts if state in Attempt.LIVE]
        self.happened.twice_live |= {order_id for order_id in live if live.count(order_id) > 1}
        if seed is not None:
            self._meddle(seed, orders)
        if self.happened.stopped or live or not attempts:
            return False
        if Outbox.objects.filter(order_id__in=orders, state=Outbox.State.PENDING).exists():
            return False
        return all(self._is_final(self.shop.order(each)) for each in orders)

    @staticmethod
    def _is_final(order: dict[str, Any]) -> bool:
        return order["Activation_Status__c"] in ENDS or order["Status"] == "Cancelled"

    # --- people

    def _meddle(self, seed: Seed, orders: list[str]) -> None:
        """What impatient people do while an attempt lives."""
        button = CIRCUMSTANCES[seed.circumstance].button
        arranging.lose_report(seed, orders)
        arranging.cancel(seed, orders, self.shop)
        unknown = Attempt.objects.filter(order_id__in=orders, state=Attempt.State.UNKNOWN).first()
        if unknown is not None and button in {"look_again", "release", "mark_failed"} and "staff" not in self.processes:
            self._press(unknown.order_id, button)
        elif seed.impatient and (unknown is not None or self.happened.stopped):
            self._ask_at_once(orders)

    def _may_be_asked_again(self, order_id: str) -> bool:
        order = self.shop.order(order_id)
        return bool(order["Activation_Status__c"] == "Failed" and order["Status"] != "Cancelled")

    def _ask_at_once(self, orders: list[str]) -> None:
        for order_id in orders:
            if self.happened.asked_again < RETRIES and self._may_be_asked_again(order_id):
                self.happened.asked_again += 1
                self.shop.desk(order_id, "activate")

    def _ask_again(self, order_id: str, button: str) -> None:
        """What an operator does with a failed order, once its quarantine is over."""
        self._until(lambda: not arranging.is_quarantined(order_id), "the quarantine to be over")
        if button in {"create_anew", "request_again", "pause"}:
            self._press(order_id, button)
            self._until(lambda: "staff" not in self.processes, "the button to work")
            arranging.resume()
        if self.shop.order(order_id)["Activation_Status__c"] == "Failed":
            self.shop.desk(order_id, "activate")

    def _press(self, order_id: str, button: str) -> None:
        plan, self._staff_plan = self._staff_plan, ""
        self._begin("staff", plan, order_id=order_id, button=button)

    def _flush(self, seed: Seed, orders: list[str]) -> None:
        if seed.flush_at == "claimed":
            started = Attempt.objects.filter(order_id__in=orders).exclude(state=Attempt.State.QUEUED)
            with suppress(Stuck):
                self._until(started.exists, "an attempt to be claimed")
        arranging.flush_redis()

    # --- results

    def _slowest_recovery(self, orders: list[str]) -> float:
        """From a crash to the first report that Salesforce had after it, another crash in between beginning the count
        anew; 0 where none was due, and where the quarantine of a call in doubt had to pass."""
        subjects = [subject_of(order_id) for order_id in orders]
        if RemoteCall.objects.filter(subject__in=subjects).exclude(error_code="").exists():
            return 0.0
        rows = Outbox.objects.filter(order_id__in=orders, state=Outbox.State.SENT)
        sent = sorted(row.sent_at.timestamp() for row in rows if row.sent_at)
        waits, before = [0.0], 0.0
        for at in sent:
            since = [crash for _kind, crash in self.happened.crashes if before < crash < at]
            waits += [at - max(since)] if since else []
            before = at
        return max(waits)


@contextmanager
def logged(folder: Path, keep: Path, seed: Seed) -> Iterator[dict[str, Any]]:
    """Empties the logs before the seed; the body puts the result into the dict, and a red one keeps its logs."""
    for log in folder.glob("*.log"):
        os.truncate(log, 0)
    result: dict[str, Any] = {}
    yield result
    if result.get("problems"):
        place = keep / f"seed-{seed.number}"
        place.mkdir(parents=True, exist_ok=True)
        for log in folder.glob("*.log"):
            (place / log.name).write_bytes(log.read_bytes())
    connection.close_if_unusable_or_obsolete()
