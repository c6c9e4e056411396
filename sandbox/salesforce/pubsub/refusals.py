"""How the Pub/Sub API says no: a gRPC status, and trailers that name the error (salesforce-wire.md, section 1.5)."""

from collections.abc import Mapping
from typing import Any, NoReturn

import grpc

PREFIX = "sfdc.platform.eventbus.grpc."
_Status = grpc.StatusCode

# The pairs the table of section 1.5 gives; where it knows none, the likeliest.
STATUS: Mapping[str, grpc.StatusCode] = {
    "service.unavailable": _Status.INTERNAL,
    "service.auth.error": _Status.UNAUTHENTICATED,
    "service.auth.headers.invalid": _Status.UNAUTHENTICATED,
    "service.auth.refresh.invalid": _Status.INVALID_ARGUMENT,
    "service.protection.stream.limit.triggered": _Status.RESOURCE_EXHAUSTED,
    "service.protection.triggered": _Status.RESOURCE_EXHAUSTED,
    "service.tenant.license": _Status.PERMISSION_DENIED,
    "concurrent.client.limit.exceeded": _Status.RESOURCE_EXHAUSTED,
    "topic.not.found": _Status.NOT_FOUND,
    "topic.meta.permission": _Status.PERMISSION_DENIED,
    "topic.validation.empty": _Status.INVALID_ARGUMENT,
    "topic.api.unavailable": _Status.UNAVAILABLE,
    "schema.validation.failed": _Status.INVALID_ARGUMENT,
    "schema.meta.permission": _Status.PERMISSION_DENIED,
    "schema.api.unavailable": _Status.UNAVAILABLE,
    "subscription.topic.cannot.subscribe": _Status.PERMISSION_DENIED,
    "subscription.fetch.replayid.corrupted": _Status.INVALID_ARGUMENT,
    "subscription.fetch.replayid.validation.failed": _Status.INVALID_ARGUMENT,
    "subscription.fetch.replay.repeated": _Status.INVALID_ARGUMENT,
    "subscription.fetch.requested.events.invalid": _Status.INVALID_ARGUMENT,
    "subscription.fetch.topic.mismatch": _Status.INVALID_ARGUMENT,
    "subscription.fetch.request.invalid": _Status.INVALID_ARGUMENT,
    "subscription.fetch.overflow": _Status.RESOURCE_EXHAUSTED,
    "subscription.limit.exceeded": _Status.RESOURCE_EXHAUSTED,
    "subscription.internal.error": _Status.INTERNAL,
    "publish.event.count.invalid": _Status.INVALID_ARGUMENT,
    "publish.topic.mismatch": _Status.INVALID_ARGUMENT,
    "publish.topic.validation.empty": _Status.INVALID_ARGUMENT,
    "publish.auth.refresh.invalid": _Status.INVALID_ARGUMENT,
    "publish.stream.sweeper.timeout": _Status.DEADLINE_EXCEEDED,
    "managed.subscription.already.active": _Status.ALREADY_EXISTS,
    "managed.subscription.config.stopped": _Status.FAILED_PRECONDITION,
    "managed.subscription.config.deleted": _Status.NOT_FOUND,
    "managed.subscription.developer.name.not.found": _Status.NOT_FOUND,
    "managed.subscription.subscription.id.not.found": _Status.NOT_FOUND,
    "managed.subscription.subscription.id.invalid": _Status.INVALID_ARGUMENT,
    "managed.subscription.id.or.developer.name.empty": _Status.INVALID_ARGUMENT,
    "managed.subscription.fetch.request.events.invalid": _Status.INVALID_ARGUMENT,
    "managed.subscription.fetch.request.invalid": _Status.INVALID_ARGUMENT,
    "managed.subscription.fetch.request.commit.request.restricted": _Status.INVALID_ARGUMENT,
    "managed.subscription.fetch.request.auth.request.restricted": _Status.INVALID_ARGUMENT,
}


class Refusal(Exception):
    """This call ends here. `code` is the error code without its prefix; empty, when no trailers are sent."""

    def __init__(self, code: str, text: str, status: grpc.StatusCode | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status or STATUS[code]


def corrupted() -> Refusal:
    """The replay id is past its retention, of another org, or was never one: the service does not tell which."""
    text = "The Replay ID validation failed. Ensure that the Replay ID is valid and within the retention window."
    return Refusal("subscription.fetch.replayid.corrupted", text)


async def refuse(
    context: "grpc.aio.ServicerContext[Any, Any]", operation: str, rpc_id: str, refusal: Refusal
) -> NoReturn:
    """End the call with the refusal's status and trailers."""
    trailers = (("error-code", PREFIX + refusal.code), ("rpc-id", rpc_id), ("type", operation))
    text = f"{refusal.text} rpcId: {rpc_id}"
    await context.abort(refusal.status, text, trailers if refusal.code else ())
    raise AssertionError("abort always raises")
