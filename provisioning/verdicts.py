"""What a request means beside the others of its order, judged in memory (decisions.md 18, 19).

Knows no database: who asks says what is known, and stores what comes out.
"""

import re
from collections.abc import Iterable, Mapping

from provisioning.models import InboxEvent

State = InboxEvent.State

# The before-save flow counts the requests of an order; keys of the older flow carry no number (decisions.md 19).
NUMBERED_KEY = re.compile(r"-\d{4}-\d\d-\d\d[ T][\d:.]+Z-(\d{1,9})$")
KEYS_OF_OUR_OWN = ("event:", "reconcile:")
UNSEEN = (State.DUPLICATE, State.POISON, State.IGNORED)


def number(idem_key: str) -> int:
    """Which request of its order, from 1, the key belongs to; 0 for a key that carries no number."""
    found = NUMBERED_KEY.search(idem_key)
    return int(found[1]) if found else 0


class Known:
    """What is known about the orders and keys of some events; what is judged adds to it.

    `live`: order -> key of the request that its live attempt works on. `seen`: rows of the inbox that share an order
    or a key with those events.
    """

    def __init__(self, *, live: Mapping[str, str], seen: Iterable[InboxEvent]) -> None:
        self._live = dict(live)
        self._used_keys: set[str] = set()
        self._newest: dict[str, int] = {}  # order -> highest number
        self._waiting: dict[str, InboxEvent] = {}  # order -> the one that waits
        for row in seen:
            self._note(row)

    def judge(self, event: InboxEvent) -> None:
        """Sets the state of `event`, and that of the one it takes the place of: REPLACED, when only the newest waits.

        Events come in the order of their arrival; each counts for those after it, so that it makes no difference
        which of them arrived together. Sets an empty key to `event:<uuid>`.
        """
        event.idem_key = event.idem_key or f"event:{event.event_uuid}"
        event.state = self._verdict(event)
        if event.state == State.REPLACED:
            event.note = "older than a request already seen"
        elif event.state == State.ACCEPTED:
            self._live[event.order_id] = event.idem_key
        elif event.state == State.WAITING and (earlier := self._waiting.get(event.order_id)):
            earlier.state, earlier.note = State.REPLACED, "a newer request waits"
        self._note(event)

    def _note(self, event: InboxEvent) -> None:
        if event.state in UNSEEN:
            return
        self._used_keys.add(event.idem_key)
        self._newest[event.order_id] = max(self._newest.get(event.order_id, 0), number(event.idem_key))
        if event.state == State.WAITING:
            self._waiting[event.order_id] = event

    def _verdict(self, event: InboxEvent) -> State:
        if self._is_duplicate(event):
            return State.DUPLICATE
        if 0 < number(event.idem_key) < self._newest.get(event.order_id, 0):
            return State.REPLACED
        return State.WAITING if event.order_id in self._live else State.ACCEPTED

    def _is_duplicate(self, event: InboxEvent) -> bool:
        if number(event.idem_key) or event.idem_key.startswith(KEYS_OF_OUR_OWN):
            return event.idem_key in self._used_keys
        # The older flow's key has second precision: after the attempt ended, an equal key may be an operator's retry.
        waiting = any(each.idem_key == event.idem_key for each in self._waiting.values())
        return waiting or self._live.get(event.order_id) == event.idem_key
