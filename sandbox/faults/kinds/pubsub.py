"""Faults of the Pub/Sub API and of the event bus behind it (salesforce-wire.md, sections 1.4, 1.5 and 6)."""

from typing import ClassVar, Literal, Self

import grpc
from pydantic import Field, model_validator

from sandbox.faults.kinds.base import AT, At, Fault
from sandbox.salesforce.pubsub.refusals import STATUS

# What happens inside of the RPCs: an event is put on the bus, a response with events is about to be delivered.
EVENT, DELIVER = "event", "deliver"
RST = "RST"
_STATUSES = [each.name for each in grpc.StatusCode]


class _OfTheBus(Fault):
    systems: ClassVar[tuple[str, ...]] = ("pubsub",)


class Refused(_OfTheBus):
    """An RPC is refused with one of the API's error codes or with a bare gRPC status; with after, when it was carried
    out, so that its answer is lost."""

    kind = "refused"
    title = "Call refused"

    code: str = Field("service.unavailable", description="Error code without its prefix; none for a bare status")
    status: str = Field("", description="gRPC status, such as UNAVAILABLE, instead of the code's own")
    at: At = Field("before", description=AT)

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        if self.status and self.status not in _STATUSES:
            raise ValueError(f"status is none of {', '.join(_STATUSES)}")
        if self.code not in STATUS and not (self.status and not self.code):
            raise ValueError(f"code is none of {', '.join(STATUS)}; without a code there has to be a status")
        return self


class ReplayRefused(_OfTheBus):
    """A subscription from a stored replay id is refused as corrupted, which is also what the service says of one that
    is past its retention."""

    kind = "replay_refused"
    title = "Replay id refused"
    operations = ("Subscribe",)


class StreamCut(_OfTheBus):
    """Streams end: with OK, with an error status, or by TCP reset of their connections. Now, all of them; or one, when
    events are about to be delivered, before or after that."""

    kind = "stream_cut"
    title = "Stream cut"
    operations = (DELIVER,)
    strikes = ("now", "call")

    status: str = Field("UNAVAILABLE", description="OK, a gRPC status, or RST for a TCP reset")
    at: At = Field("before", description=AT)

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        if self.status not in (*_STATUSES, RST):
            raise ValueError(f"status is none of {', '.join((*_STATUSES, RST))}")
        return self


class StreamSilent(_OfTheBus):
    """Streams are sent nothing more, not even keep-alives; their connections live."""

    kind = "stream_silent"
    title = "Silent streams"
    operations = (DELIVER,)
    strikes = ("standing",)


class ConnectionsFrozen(_OfTheBus):
    """Connections stay open and move no bytes in either direction, pings included, as behind a router that forgot."""

    kind = "connections_frozen"
    title = "Frozen connections"
    operations = (DELIVER,)
    strikes = ("standing",)


class EventDuplicated(_OfTheBus):
    """An event is put on the bus more than once, each time under a replay id of its own."""

    kind = "event_duplicated"
    title = "Duplicate event"
    operations = (EVENT,)

    copies: int = Field(2, ge=2, le=100, description="How many in all")
    new_id: bool = Field(False, description="Whether each further copy has an event id of its own")


class EventRepeated(_OfTheBus):
    """The first event of a response is delivered twice in it."""

    kind = "event_repeated"
    title = "Event delivered twice"
    operations = (DELIVER,)


class EventsReordered(_OfTheBus):
    """The events of a response that has several come in reverse order."""

    kind = "events_reordered"
    title = "Events out of order"
    operations = (DELIVER,)


class Poison(_OfTheBus):
    """An event that cannot be read is on the bus for good."""

    kind = "poison"
    title = "Poison event"
    operations = (EVENT,)

    how: Literal["garbage", "truncated", "empty", "unknown_schema"] = Field("garbage", description="What is wrong")


class NewSchema(_OfTheBus):
    """From now on the topic's events have further fields, and another schema id."""

    kind = "new_schema"
    title = "New schema"
    operations = (EVENT,)
    strikes = ("now",)

    topic: str = Field("/event/OrderProvisionRequested__e", description="Topic")
    add: dict[str, Literal["string", "double", "boolean", "long", "int"]] = Field(
        {"Added__c": "string"}, min_length=1, description="Field name to Avro type, as JSON"
    )


class Renumbered(_OfTheBus):
    """The org moved to another instance: events have other replay ids, those stored before mean nothing or something
    else, and every stream ends."""

    kind = "renumbered"
    title = "Replay ids renumbered"
    operations = (EVENT,)
    strikes = ("now",)

    start: int | None = Field(None, ge=1, le=2**53, description="Number of the oldest event; above all there were")
