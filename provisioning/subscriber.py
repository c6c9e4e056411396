"""The loop of `manage.py subscribe_sf_events`: lead, connect, store, and come back from whatever goes wrong."""

import queue
import time

import psycopg
import structlog
from django.db import Error as DatabaseFault
from django.db import connection

from integrations.errors import Misconfigured, OutsideError, Unavailable
from integrations.salesforce.pubsub import EventStream, Start, Subscription
from integrations.salesforce.stream_errors import (
    AuthRefused,
    Fatal,
    QuotaUsedUp,
    ReplayIdLost,
    StreamTrouble,
    Throttled,
)
from provisioning import cursor
from provisioning.backoff import Backoff, Pace
from provisioning.intake import StaleLeader, store
from provisioning.leader import Leadership, LostLeadership, lead
from provisioning.sdnotify import Supervisor

log = structlog.get_logger(__name__)

ACCEPTED_WITHIN_S = 2.0
DRAINED_WITHIN_S = 5.0
QUICK_SIGN_INS = 3  # then rarely: an org locks users out that try too often
DATABASE_FAULTS = (DatabaseFault, psycopg.Error)


class Subscriber:
    """One process's part in the subscription to one topic. `run` and `stop` are all there is to it."""

    def __init__(
        self,
        *,
        topic: str,
        stream: EventStream,
        first: Start,
        leader_wait_s: float,
        supervisor: Supervisor,
        pace: Pace | None = None,
    ) -> None:
        self._topic, self._stream, self._first = topic, stream, first
        self._leader_wait_s, self._tick_s = leader_wait_s, leader_wait_s / 2
        self._supervisor = supervisor
        self._pace = pace or Pace()
        self._backoff = Backoff(self._pace)
        self._auth_refusals = 0
        self._renew = False
        self._connected_at = 0.0
        self._stopping = False
        self._subscription: Subscription | None = None
        # Queues of this kind may be put into by a signal handler while this very thread waits on them.
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()

    def run(self) -> None:
        """Works until `stop`. Raises Misconfigured, with one sentence, when the credentials are refused at start;
        later nothing makes it give up."""
        try:
            self._stream.sign_in()
        except (Unavailable, *DATABASE_FAULTS) as error:
            log.warning("sign_in_later", reason=type(error).__name__)
        while not self._stopping:
            self._turn()
        self._supervisor.stopping()
        self._stream.close()

    def stop(self) -> None:
        """Asks `run` to end in good order; may be called by a signal handler, and twice."""
        self._stopping = True
        self._wakes.put(None)
        if self._subscription is not None:
            self._subscription.wake()

    def _turn(self) -> None:
        """One candidacy: stand by, or lead for as long as it lasts."""
        try:
            leadership = lead(topic=self._topic, wait_s=self._leader_wait_s)
            if leadership is None:
                self._supervisor.ready("stands by: another process leads")
                self._sleep(self._tick_s)
                return
            try:
                self._lead(leadership)
            finally:
                leadership.resign()
        except (StaleLeader, LostLeadership):
            log.warning("leadership_lost", topic=self._topic)
        except DATABASE_FAULTS as error:
            # The stream is closed by now, so that nothing more is asked for; the position is as it was committed.
            log.exception("database_unavailable", reason=type(error).__name__)
            connection.close()
            self._sleep(self._backoff.next())

    def _lead(self, leadership: Leadership) -> None:
        log.info("leads", topic=self._topic, epoch=leadership.epoch)
        while not self._stopping:
            try:
                self._follow(leadership)
            except OutsideError as error:
                self._sleep(self._after(error, leadership), leadership)

    def _follow(self, leadership: Leadership) -> None:
        """One connection, from where the last one was committed to its end."""
        if self._renew:
            self._renew = False
            self._stream.renew()
        start = cursor.start(topic=self._topic, first=self._first)
        with self._stream.open(self._topic, start) as subscription:
            self._subscription = subscription
            try:
                self._connected(leadership, subscription, start)
                while not self._stopping:
                    leadership.hold()
                    self._receive(subscription, leadership, self._tick_s)
                self._drain(subscription, leadership)
            finally:
                self._subscription = None

    def _connected(self, leadership: Leadership, subscription: Subscription, start: Start | bytes) -> None:
        subscription.wait_until_accepted(ACCEPTED_WITHIN_S)
        cursor.connected(topic=self._topic, leader_epoch=leadership.epoch)
        self._connected_at = time.monotonic()
        replay = start.name if isinstance(start, Start) else "CUSTOM"
        log.info("stream_connected", topic=self._topic, replay=replay)
        self._supervisor.ready(f"connected to {self._topic}")

    def _receive(self, subscription: Subscription, leadership: Leadership, timeout_s: float) -> bool:
        response = subscription.receive(timeout_s)
        if response is None:
            return False
        store(topic=self._topic, leader_epoch=leadership.epoch, response=response)
        self._auth_refusals = 0
        self._supervisor.alive()
        return True

    def _drain(self, subscription: Subscription, leadership: Leadership) -> None:
        """Stores what has arrived already; the rest comes again to whoever leads next."""
        subscription.finish()
        deadline = time.monotonic() + DRAINED_WITHIN_S
        while time.monotonic() < deadline and self._receive(subscription, leadership, 0):
            leadership.hold()

    def _after(self, error: OutsideError, leadership: Leadership) -> float:
        """Notes what went wrong and returns for how long to wait."""
        if self._connected_at and time.monotonic() - self._connected_at >= self._pace.healthy:
            self._backoff.reset()
        self._connected_at = 0.0
        rpc_id = error.rpc_id if isinstance(error, StreamTrouble) else ""
        log.warning("stream_lost", reason=type(error).__name__, error_code=error.code, rpc_id=rpc_id, topic=self._topic)
        self._supervisor.status(f"not connected: {error.code}")
        if isinstance(error, ReplayIdLost):
            log.error("position_lost", topic=self._topic, rpc_id=rpc_id)
            cursor.position_lost(topic=self._topic, leader_epoch=leadership.epoch, error=error.code)
            return self._backoff.next()
        pause_s, auth_refused = self._judged(error)
        cursor.disconnected(
            topic=self._topic, leader_epoch=leadership.epoch, error=error.code, auth_refused=auth_refused
        )
        return pause_s

    def _judged(self, error: OutsideError) -> tuple[float, bool]:
        """The pause that the kind of error asks for, and whether the credentials are to blame."""
        if isinstance(error, AuthRefused):
            self._auth_refusals += 1
            self._renew = error.operation == "Subscribe"
            quick = self._auth_refusals <= QUICK_SIGN_INS
            return (self._backoff.next(), False) if quick else (self._pace.person_needed, True)
        if isinstance(error, QuotaUsedUp):
            return self._pace.quota, False
        if isinstance(error, Throttled):
            return max(self._pace.throttled, self._backoff.next()), False
        if isinstance(error, Misconfigured):
            return self._pace.person_needed, not isinstance(error, Fatal)
        return self._backoff.next(), False

    def _sleep(self, seconds: float, leadership: Leadership | None = None) -> None:
        """Waits in short turns: the lock is held on to, the watchdog is told, and `stop` ends it at once."""
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            try:
                self._wakes.get(timeout=min(left, self._tick_s))
            except queue.Empty:
                self._supervisor.alive()
            if leadership is not None:
                leadership.hold()
