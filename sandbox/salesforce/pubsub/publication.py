"""Publish and PublishStream: what clients may put on the bus (salesforce-wire.md, section 1.6)."""

import re
import uuid

from sandbox.salesforce.bus import Draft
from sandbox.salesforce.events import UnknownSchema, Unreadable
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.pubsub.admission import Call
from sandbox.salesforce.pubsub.conversation import Conversation
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal
from sandbox.salesforce.topics import Topic

MOST_EVENTS = 200
LARGEST_PAYLOAD = 1024 * 1024
_BLANK = "publish.topic.validation.empty"
_USER_ID = re.compile(r"005[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?", re.ASCII)


class Rejected(Exception):
    """One event cannot be published; the others of its request can."""


def publish(call: Call, request: wire.PublishRequest) -> wire.PublishResponse:
    """Publish the events of a call of its own. Raises Refusal when the request is wrong as a whole."""
    return _publish(call, call.topic(request.topic_name, when_blank=_BLANK), request)


def _publish(call: Call, topic: Topic, request: wire.PublishRequest) -> wire.PublishResponse:
    """Each event for itself, in their order."""
    if request.auth_refresh:
        raise Refusal("publish.auth.refresh.invalid", "The auth refresh is for internal use only.")
    if not 0 < len(request.events) <= MOST_EVENTS:
        raise Refusal("publish.event.count.invalid", f"A request has between 1 and {MOST_EVENTS} events.")
    if not topic.can_publish:
        raise Refusal("topic.meta.permission", f"The user doesn't have permission to publish to {topic.name}.")
    judged = [_judge(call, topic, each) for each in request.events]
    stored = iter(call.world.bus.append_all(each for each in judged if isinstance(each, Draft)))
    results = [
        wire.PublishResult(replay_id=replay.encode(next(stored).replay), correlation_key=each.event_id)
        if isinstance(each, Draft)
        else each
        for each in judged
    ]
    call.note(topic.name, {"events": len(results), "refused": sum(each.HasField("error") for each in results)})
    return wire.PublishResponse(results=results, schema_id=topic.schema_id, rpc_id=call.rpc_id)


def _judge(call: Call, topic: Topic, event: wire.ProducerEvent) -> Draft | wire.PublishResult:
    event_id = event.id or str(uuid.uuid4())
    try:
        _check(call, topic, event)
    except Rejected as rejection:
        error = wire.Error(code=wire.PUBLISH, msg=str(rejection))
        return wire.PublishResult(error=error, correlation_key=event_id)
    return Draft(topic.name, event.schema_id, event.payload, event_id)


def _check(call: Call, topic: Topic, event: wire.ProducerEvent) -> None:
    if len(event.payload) > LARGEST_PAYLOAD:
        raise Rejected(f"The event is larger than {LARGEST_PAYLOAD} bytes.")
    schemas = call.world.schemas
    try:
        # Any schema the event ever had will do.
        if schemas.by_id(event.schema_id).parsed["name"] != topic.name.rpartition("/")[2]:
            raise Rejected(f"The schema ID {event.schema_id} is not one of {topic.name}.")
        fields = schemas.decode(event.schema_id, event.payload)
    except UnknownSchema as error:
        raise Rejected(f"There is no schema with the ID '{event.schema_id}'.") from error
    except Unreadable as error:
        raise Rejected("The payload can't be deserialized with its schema.") from error
    if not _USER_ID.fullmatch(fields["CreatedById"]):
        raise Rejected("CreatedById isn't the ID of a user.")


class PublishStream(Conversation[wire.PublishRequest, wire.PublishResponse]):
    """One PublishStream call: a response to each request, and keep-alives in between."""

    def __init__(self, call: Call, topic: Topic) -> None:
        super().__init__(call.world.switchboard)
        self._call = call
        self._topic = topic
        self._asked_at = self._now()

    def take(self, request: wire.PublishRequest) -> None:
        """Publish a request's events. Raises Refusal."""
        if request.topic_name and request.topic_name != self._topic.name:
            raise Refusal("publish.topic.mismatch", "The topic of a publish stream cannot change.")
        # Asked again each time: its permissions and its schema may be others by now.
        answer = _publish(self._call, self._call.topic(self._topic.name), request)
        self.say(lambda: answer)
        self._asked_at = self._now()

    def due(self) -> wire.PublishResponse | None:
        """A keep-alive after a silence."""
        if self.quiet_for() < self.pace.keepalive_s:
            return None
        return wire.PublishResponse(rpc_id=self._call.rpc_id)

    def finished(self) -> bool:
        """Whoever sends no more requests has been answered. Raises Refusal when there was none for too long."""
        if self._now() - self._asked_at >= self.pace.publish_idle_s:
            text = f"No publish request in {self.pace.publish_idle_s:.0f} seconds. Closing the stream."
            raise Refusal("publish.stream.sweeper.timeout", text)
        return self.half_closed

    def patience(self) -> float:
        """Until a keep-alive or the end."""
        now = self._now()
        return min(self.pace.keepalive_s - self.quiet_for(), self.pace.publish_idle_s - (now - self._asked_at))


def publish_stream(call: Call, first: wire.PublishRequest) -> PublishStream:
    """The stream that a first request opens; its events are published. Raises Refusal."""
    stream = PublishStream(call, call.topic(first.topic_name, when_blank=_BLANK))
    stream.take(first)
    return stream
