"""A Subscriber that runs in a thread of the test, with pauses a test can wait for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from integrations.salesforce.pubsub import EventStream, Start
from provisioning.backoff import Pace
from provisioning.models import EventCursor, InboxEvent
from provisioning.sdnotify import Supervisor
from provisioning.subscriber import Subscriber
from tests.provisioning.responses import TOPIC
from tests.waiting import until

QUICK = Pace(shortest=0.01, longest=0.2, throttled=0.3, quota=0.4, person_needed=0.5, healthy=60)


def subscriber(stream: EventStream, **more: Any) -> Subscriber:
    # A leader that a busy machine keeps from running for twice as long loses the lock, as it should.
    values: dict[str, Any] = {"first": Start.LATEST, "leader_wait_s": 3, "supervisor": Supervisor(), "pace": QUICK}
    return Subscriber(topic=TOPIC, stream=stream, **{**values, **more})


@contextmanager
def running(one: Subscriber) -> Iterator[threading.Thread]:
    """Runs until the end of the block, and then stops in good order."""

    def run() -> None:
        try:
            one.run()
        finally:
            connection.close()

    thread = threading.Thread(target=run, name="subscriber")
    thread.start()
    try:
        yield thread
    finally:
        one.stop()
        thread.join(20)
    assert not thread.is_alive(), "the subscriber does not stop"


def row() -> EventCursor:
    return EventCursor.objects.filter(topic=TOPIC).first() or EventCursor(topic=TOPIC)


def until_connected() -> None:
    until(lambda: row().connected, what="the stream to be connected")


def until_stored(event_uuid: str) -> InboxEvent:
    until(lambda: InboxEvent.objects.filter(event_uuid=event_uuid).exists(), what=f"event {event_uuid}")
    return InboxEvent.objects.get(event_uuid=event_uuid)
