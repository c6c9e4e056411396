"""Subscribe: a topic from a place the client names (salesforce-wire.md, section 1.4)."""

from sandbox.salesforce.bus import Bus
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.pubsub.admission import Call
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal, corrupted
from sandbox.salesforce.pubsub.stream import Stream
from sandbox.salesforce.topics import Topic


class Subscription(Stream[wire.FetchRequest, wire.FetchResponse]):
    """One Subscribe call."""

    def take(self, request: wire.FetchRequest) -> None:
        """Add a request's credit. Raises Refusal; replay options of later requests are ignored, as the API does."""
        if request.topic_name and request.topic_name != self.topic.name:
            raise Refusal("subscription.fetch.topic.mismatch", "The topic of a subscription cannot change.")
        if request.auth_refresh:
            raise Refusal("service.auth.refresh.invalid", "The auth refresh is for internal use only.")
        if request.num_requested <= 0:
            raise Refusal("subscription.fetch.requested.events.invalid", "num_requested must be above 0.")
        self.grant(request.num_requested)

    def respond(self, events: list[wire.ConsumerEvent]) -> wire.FetchResponse:
        """Events, or a keep-alive when there are none."""
        return wire.FetchResponse(
            events=events,
            latest_replay_id=replay.encode(self.position),
            rpc_id=self.call.rpc_id,
            pending_num_requested=self.credit,
        )


def subscription(call: Call, first: wire.FetchRequest) -> Subscription:
    """The stream that a first request asks for. Raises Refusal."""
    topic = call.topic(first.topic_name)
    position = _position(call.world.bus, topic, first)
    stream = Subscription(call, topic, position)
    stream.check()
    stream.take(first)
    call.note(topic.name, {"preset": wire.ReplayPreset.Name(first.replay_preset), "after": position})
    return stream


def _position(bus: Bus, topic: Topic, first: wire.FetchRequest) -> int:
    """The replay number that delivery begins behind."""
    if first.replay_preset == wire.LATEST:
        return bus.tip()
    if first.replay_preset == wire.EARLIEST:
        return bus.earliest(*topic.members)
    if first.replay_preset != wire.CUSTOM:
        raise Refusal("subscription.fetch.request.invalid", f"There is no replay preset {first.replay_preset}.")
    if not first.replay_id:
        raise Refusal("subscription.fetch.replayid.validation.failed", "CUSTOM needs a replay ID.")
    number = replay.decode(first.replay_id)
    if number is None or not bus.resumable(number):
        raise corrupted()
    return number
