"""Faults of the Pub/Sub API and of the event bus behind it (salesforce-wire.md, sections 1.4, 1.5 and 6)."""

from typing import ClassVar, Literal

from pydantic import Field

from sandbox.faults.kinds.base import Fault

STREAMS = ("Subscribe", "ManagedSubscribe")
DELIVER = "deliver"
EVENT = "event"


class _OfTheBus(Fault):
    systems: ClassVar[tuple[str, ...]] = ("pubsub",)


class Refusal(_OfTheBus):
    """An RPC is refused with one of the API's error codes, or with a bare status as a proxy would."""

    kind = "refusal"
    title = "Call refused"
    code: str = Field("service.unavailable", description="Error code without its prefix")
    status: str = Field("", description="gRPC status instead of the code's own")
    trailers: bool = Field(True, description="Whether trailers name the code")


class ReplayRefused(_OfTheBus):
    """A subscription from a stored replay id is refused: past retention, corrupted, or of another org."""

    kind = "replay_refused"
    title = "Replay id refused"
    operations = STREAMS


class StreamCut(_OfTheBus):
    """A stream ends: with OK, with an error status, or with its connection by TCP reset. Now, or when something is
    about to be delivered."""

    kind = "stream_cut"
    title = "Stream cut"
    operations = (DELIVER,)
    strikes = ("now", "call")

    status: str = Field("UNAVAILABLE", description="OK, a gRPC status, or RST for a TCP reset")


class StreamSilent(_OfTheBus):
    """Streams are sent nothing more, not even keep-alives; they look alive."""

    kind = "stream_silent"
    title = "Silent stream"
    operations = (DELIVER,)
    strikes = ("standing",)


class EventDuplicated(_OfTheBus):
    """An event is put on the bus more than once: the same one, or under an id of its own."""

    kind = "event_duplicated"
    title = "Duplicate event"
    operations = (EVENT,)

    copies: int = Field(2, ge=2, le=100, description="How many in all")
    new_id: bool = Field(False, description="Whether each further copy has an event id of its own")


class EventsReordered(_OfTheBus):
    """The events of one response come in reverse order."""

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
    add: dict[str, Literal["string", "double", "boolean", "long"]] = Field(
        {"Added__c": "string"}, min_length=1, description="Field name to Avro type"
    )


class Renumbered(_OfTheBus):
    """The org moved to another instance: every replay id is another one now, and those stored mean nothing."""

    kind = "renumbered"
    title = "Replay ids renumbered"
    operations = (EVENT,)
    strikes = ("now",)

    start: int = Field(1, ge=1, le=2**53, description="Replay number of the oldest event")
