"""What can go wrong with the Pub/Sub API, by what is to be done about it (salesforce-wire.md §1.5)."""

from collections.abc import Mapping
from typing import cast

import grpc

from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable

PREFIX = "sfdc.platform.eventbus.grpc."
TEXT_LENGTH = 200


class StreamTrouble(OutsideError):
    """A call to the Pub/Sub API ended badly. `code` is the error code without its prefix; support asks for `rpc_id`."""

    def __init__(self, operation: str, code: str, text: str = "", rpc_id: str = "") -> None:
        super().__init__("salesforce", operation, code, text)
        self.rpc_id = rpc_id


class AuthRefused(StreamTrouble, Misconfigured):
    """The token is not accepted: get another one and resume."""


class ReplayIdLost(StreamTrouble, Rejected):
    """The position is outside of what is kept, or of another org: read everything kept, never ask with it again."""


class Throttled(StreamTrouble, Unavailable):
    """Too many streams or calls: come back after a minute or later."""


class QuotaUsedUp(Throttled):
    """The org's deliveries of the last 24 hours are used up: ask every quarter of an hour; events are kept 72 hours."""


class Transient(StreamTrouble, Unavailable):
    """It passes: resume from the stored position after a pause."""


class StreamEnded(Transient):
    """The server ended the stream in good order. It does so when it likes; that is no end of events."""


class StreamSilent(Transient):
    """Not even a keep-alive came for too long: the connection is dead although nothing says so."""


class Fatal(StreamTrouble, Misconfigured):
    """A permission, a topic or a request is wrong: a person must act; ask again rarely, so that it heals by itself."""


class SchemaRejected(StreamTrouble, Rejected):
    """There is no schema of this id; events that name it cannot be read, now or later."""


KINDS: Mapping[str, type[StreamTrouble]] = {
    "service.unavailable": Transient,
    "service.auth.error": AuthRefused,
    "service.auth.headers.invalid": Fatal,
    "service.auth.refresh.invalid": Fatal,
    "service.protection.stream.limit.triggered": Throttled,
    "service.protection.triggered": Throttled,
    "service.tenant.license": Fatal,
    "concurrent.client.limit.exceeded": Throttled,
    "topic.not.found": Fatal,
    "topic.meta.permission": Fatal,
    "topic.validation.empty": Fatal,
    "topic.api.unavailable": Transient,
    "schema.api.unavailable": Transient,
    "schema.meta.permission": Fatal,
    "schema.validation.failed": SchemaRejected,
    "subscription.topic.cannot.subscribe": Fatal,
    "subscription.fetch.replayid.corrupted": ReplayIdLost,
    "subscription.fetch.replayid.validation.failed": ReplayIdLost,
    "subscription.fetch.replay.repeated": Transient,
    "subscription.fetch.requested.events.invalid": Fatal,
    "subscription.fetch.topic.mismatch": Fatal,
    "subscription.fetch.request.invalid": Fatal,
    "subscription.fetch.overflow": Transient,
    "subscription.limit.exceeded": QuotaUsedUp,
    "subscription.internal.error": Transient,
}
# For when a proxy dropped the trailers.
KINDS_BY_STATUS: Mapping[grpc.StatusCode, type[StreamTrouble]] = {
    grpc.StatusCode.UNAUTHENTICATED: AuthRefused,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Throttled,
    grpc.StatusCode.PERMISSION_DENIED: Fatal,
    grpc.StatusCode.NOT_FOUND: Fatal,
    grpc.StatusCode.INVALID_ARGUMENT: Fatal,
    grpc.StatusCode.UNIMPLEMENTED: Fatal,
}


def trouble(error: grpc.RpcError, operation: str) -> StreamTrouble:
    """The typed form of what gRPC raised."""
    call = cast(grpc.Call, error)  # every RpcError of a client call is one too
    trailers = {key: value for key, value in call.trailing_metadata() or () if isinstance(value, str)}
    status, text = call.code(), (call.details() or "")[:TEXT_LENGTH]
    code = trailers.get("error-code", "").removeprefix(PREFIX)
    kind = KINDS.get(code) or _kind_without_code(status, text)
    return kind(operation, code or f"grpc_{status.name.lower()}", text, trailers.get("rpc-id", ""))


def _kind_without_code(status: grpc.StatusCode, text: str) -> type[StreamTrouble]:
    if status is grpc.StatusCode.INVALID_ARGUMENT and "replay id" in text.lower():
        return ReplayIdLost
    return KINDS_BY_STATUS.get(status, Transient)
