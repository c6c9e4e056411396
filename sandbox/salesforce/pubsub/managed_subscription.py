"""ManagedSubscribe: a subscription whose place the server keeps, as far as its client has committed.

salesforce-wire.md, section 1.2 and the last row of 1.5. What refuses a commit is said in the commit's response; the
stream goes on.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc

from sandbox.salesforce import ids
from sandbox.salesforce.bus import Bus
from sandbox.salesforce.managed import InUse, ManagedSubscriptions
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.pubsub.admission import Call
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.salesforce.pubsub.refusals import Refusal
from sandbox.salesforce.pubsub.stream import Stream
from sandbox.salesforce.topics import Topic
from sandbox.store import Record

_CODE = "managed.subscription."
_ID_LENGTHS = (15, 18)


class ManagedSubscription(Stream[wire.ManagedFetchRequest, wire.ManagedFetchResponse]):
    """One ManagedSubscribe call. It holds its subscription: a second one is refused meanwhile."""

    def __init__(self, call: Call, record: Record, topic: Topic, position: int) -> None:
        super().__init__(call, topic, position)
        self._record = record
        self._managed: ManagedSubscriptions = call.world.org.managed
        self._committed_at = self._now()

    @property
    def subscription_id(self) -> str:
        """The id of the managed event subscription."""
        return str(self._record["Id"])

    def check(self) -> None:
        """Raises Refusal when the stream may not go on: its configuration, its permission, its commits."""
        super().check()
        record = self._managed.get(self.subscription_id)
        if record is None:
            raise Refusal(_CODE + "config.deleted", "The managed subscription was deleted.")
        if record["Metadata"]["state"] != "RUN":
            raise Refusal(_CODE + "config.stopped", "The managed subscription is stopped.")
        if self._uncommitted_for() >= self.pace.commit_idle_s:
            text = (
                f"No CommitReplayRequests sent in the last {self.pace.commit_idle_s:.0f} seconds. "
                "Closing managed subscription."
            )
            raise Refusal("", text, grpc.StatusCode.DEADLINE_EXCEEDED)

    def take(self, request: wire.ManagedFetchRequest) -> None:
        """Add credit, commit, or both. Raises Refusal."""
        self._check_same(request)
        if request.auth_refresh:
            raise Refusal("service.auth.refresh.invalid", "The auth refresh is for internal use only.")
        if request.num_requested < 0:
            raise Refusal(_CODE + "fetch.request.events.invalid", "num_requested must not be below 0.")
        commits = request.HasField("commit_replay_id_request")
        if not request.num_requested and not commits:
            raise Refusal(_CODE + "fetch.request.invalid", "The request has neither events nor a commit to ask for.")
        if commits:
            self._commit(request.commit_replay_id_request)
        self.grant(request.num_requested)

    def respond(self, events: list[wire.ConsumerEvent]) -> wire.ManagedFetchResponse:
        """Events, or a keep-alive when there are none."""
        return wire.ManagedFetchResponse(
            events=events,
            latest_replay_id=replay.encode(self.position),
            rpc_id=self.call.rpc_id,
            pending_num_requested=self.credit,
        )

    async def run(
        self,
        requests: AsyncIterator[wire.ManagedFetchRequest],
        send: Callable[[wire.ManagedFetchResponse], Awaitable[None]],
    ) -> None:
        """Serve until the subscriber or the server ends it. Raises Refusal, at once when the subscription is in use."""
        try:
            with self._managed.held(self.subscription_id):
                await super().run(requests, send)
        except InUse as error:
            text = (
                "An active managed subscription with the same ID already exists. If a previous subscription with the "
                "same ID was stopped, there can be a delay before it expires. Try subscribing again later."
            )
            raise Refusal(_CODE + "already.active", text) from error

    def finished(self) -> bool:
        """Somebody who sends no more requests cannot commit: the subscription is free for the next one."""
        return super().finished() or self.half_closed

    def patience(self) -> float:
        """Until a keep-alive, or until the end for want of credit or of commits."""
        return min(super().patience(), self.pace.commit_idle_s - self._uncommitted_for())

    def _uncommitted_for(self) -> float:
        return self._now() - self._committed_at

    def _check_same(self, request: wire.ManagedFetchRequest) -> None:
        names = (request.developer_name, self._record["DeveloperName"])
        given_ids = (ids.normalise(request.subscription_id), self._record["Id"])
        if (request.developer_name and names[0] != names[1]) or (request.subscription_id and len(set(given_ids)) > 1):
            raise Refusal(_CODE + "fetch.request.invalid", "The subscription of a stream cannot change.")

    def _commit(self, request: wire.CommitReplayRequest) -> None:
        error, number = self._refusal_of(request), replay.decode(request.replay_id)
        if not error and number is not None:
            self._managed.commit(self.subscription_id, number)
            self._committed_at = self._now()
            self.call.note(self.subscription_id, {"committed": number})
        answer = wire.CommitReplayResponse(
            commit_request_id=request.commit_request_id,
            replay_id=request.replay_id,
            error=wire.Error(code=wire.COMMIT, msg=error) if error else None,
            process_time=int(self.call.world.now().timestamp() * 1000),
        )
        self.say(lambda: self._answered(answer))

    def _answered(self, answer: wire.CommitReplayResponse) -> wire.ManagedFetchResponse:
        response = self.respond([])
        response.commit_response.CopyFrom(answer)
        return response

    def _refusal_of(self, request: wire.CommitReplayRequest) -> str:
        """Why this cannot be committed; empty when it can."""
        if not request.replay_id:
            return "The Replay ID is missing."
        number = replay.decode(request.replay_id)
        if number is None or not self._bus.resumable(number):
            return "The Replay ID is invalid or outside of the retention window."
        if number > self.position:
            return "The event of this Replay ID has not been delivered yet."
        if number < (self._managed.committed(self.subscription_id) or 0):
            return "The Replay ID is older than the one that is committed."
        return ""


def managed_subscription(call: Call, first: wire.ManagedFetchRequest) -> ManagedSubscription:
    """The stream that a first request asks for. Raises Refusal."""
    _check_first(first)
    record = _record(call.world.org.managed, first)
    topic = call.topic(record["Metadata"]["topicName"])
    position = _position(call.world.bus, call.world.org.managed.committed(record["Id"]), topic, record["Metadata"])
    stream = ManagedSubscription(call, record, topic, position)
    stream.check()
    stream.grant(first.num_requested)
    call.note(record["Id"], {"topic": topic.name, "after": position})
    return stream


def _check_first(first: wire.ManagedFetchRequest) -> None:
    if bool(first.subscription_id) == bool(first.developer_name):
        text = "Either the subscription ID or the developer name is required."
        raise Refusal(_CODE + "id.or.developer.name.empty", text)
    if first.HasField("commit_replay_id_request"):
        text = "The first request of a stream cannot commit."
        raise Refusal(_CODE + "fetch.request.commit.request.restricted", text)
    if first.auth_refresh:
        text = "The first request of a stream cannot refresh the authentication."
        raise Refusal(_CODE + "fetch.request.auth.request.restricted", text)
    if first.num_requested < 0:
        raise Refusal(_CODE + "fetch.request.events.invalid", "num_requested must not be below 0.")


def _record(managed: ManagedSubscriptions, first: wire.ManagedFetchRequest) -> Record:
    if first.developer_name:
        record = managed.named(first.developer_name)
        if record is None:
            text = f"There is no managed subscription of the developer name {first.developer_name}."
            raise Refusal(_CODE + "developer.name.not.found", text)
        return record
    if len(first.subscription_id) not in _ID_LENGTHS:
        raise Refusal(_CODE + "subscription.id.invalid", "A subscription ID has 15 or 18 characters.")
    record = managed.get(ids.normalise(first.subscription_id) or "")
    if record is None:
        text = f"There is no managed subscription of the ID {first.subscription_id}."
        raise Refusal(_CODE + "subscription.id.not.found", text)
    return record


def _position(bus: Bus, committed: int | None, topic: Topic, metadata: Record) -> int:
    """Behind what was committed; where that is not possible, what the configuration says."""
    if committed is not None and bus.resumable(committed):
        return committed
    preset = metadata["defaultReplay" if committed is None else "errorRecoveryReplay"]
    return bus.earliest(*topic.members) if preset == "EARLIEST" else bus.tip()
