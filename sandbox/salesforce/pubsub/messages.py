"""Bytes and messages: what cannot be read is refused like anything else that is wrong, not by gRPC's own machinery."""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from grpc import StatusCode

from sandbox.salesforce.pubsub.refusals import Refusal

_Message = TypeVar("_Message", bound=Message)


class Unparsed:
    """Stands for a request whose bytes are no message."""


def parser(message: type[_Message]) -> Callable[[bytes], _Message | Unparsed]:
    """A deserializer for gRPC, which would answer UNKNOWN if it raised."""

    def parse(received: bytes) -> _Message | Unparsed:
        try:
            return message.FromString(received)
        except DecodeError:
            return Unparsed()

    return parse


def parsed(request: _Message | Unparsed) -> _Message:
    """The message. Raises Refusal when there is none."""
    if isinstance(request, Unparsed):
        raise Refusal("", "Invalid protobuf byte sequence.", StatusCode.INVALID_ARGUMENT)
    return request


def serialize(message: Message) -> bytes:
    """The bytes of a message."""
    return message.SerializeToString()
