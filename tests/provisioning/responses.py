"""Responses of the stream as the intake gets them, made by hand."""

import itertools
from typing import Any

from integrations.salesforce.pubsub import FetchResult, ReceivedEvent
from provisioning import cursor
from provisioning.models import EventCursor

TOPIC = "/event/OrderProvisionRequested__e"
ORDERS = ("801Ki000003wkUBIAY", "8015j00000abcDEAAY")
CREATED = 1_763_700_000_000
_numbers = itertools.count(1)


def received(uuid: str = "", **fields: Any) -> ReceivedEvent:
    """An event of the current schema; `fields` replace or add, None makes one null."""
    n = next(_numbers)
    whole = {
        "CreatedDate": CREATED,
        "CreatedById": "005000000000000AAA",
        "OrderId__c": ORDERS[0],
        "IdemKey__c": f"{ORDERS[0]}-2026-11-21 01:02:03Z-{n}",
        "CorrelationId__c": "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000",
        "RequestedBy__c": "005000000000000AAA",
        "Version__c": 1.0,
        **fields,
    }
    return ReceivedEvent(uuid or f"uuid-{n}", n.to_bytes(8, "big") + b"\0\0", "schema-1", b"payload", whole)


def unreadable(uuid: str = "", payload: bytes = b"\xff\x00garbage") -> ReceivedEvent:
    n = next(_numbers)
    replay_id = n.to_bytes(8, "big") + b"\0\0"
    return ReceivedEvent(
        uuid or f"bad-{n}", replay_id, "schema-1", payload, None, "the payload does not fit its schema"
    )


def response(*events: ReceivedEvent, latest: bytes | None = None) -> FetchResult:
    return FetchResult(events, latest if latest is not None else (events[-1].replay_id if events else b"keepalive!"))


def lead_now() -> int:
    """The epoch of a new leader."""
    return cursor.take_over(topic=TOPIC, leader="test:1")


def position() -> bytes | None:
    stored = EventCursor.objects.get(topic=TOPIC).replay_id
    return None if stored is None else bytes(stored)
