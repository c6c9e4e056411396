"""Replay ids: ten opaque bytes, of which the first eight count (salesforce-wire.md, section 1.4)."""

_COUNTER = 8
_TAIL = b"\0\0"
# Numbers of the bus are signed; an id beyond them was never given out.
_HIGHEST = 2**63 - 1


def encode(number: int) -> bytes:
    """The id that stands behind the event with this replay number."""
    return number.to_bytes(_COUNTER, "big") + _TAIL


def decode(replay_id: bytes) -> int | None:
    """The number of an id in the long form or in the short one that a well-known client sends; else None."""
    if len(replay_id) == _COUNTER or (len(replay_id) == _COUNTER + len(_TAIL) and replay_id.endswith(_TAIL)):
        number = int.from_bytes(replay_id[:_COUNTER], "big")
        return number if number <= _HIGHEST else None
    return None
