"""How many more events the server may send: asked for ahead of the work, and never without bound."""

import threading
from collections.abc import Callable

MOST = 100  # more than that outstanding counts as that (salesforce-wire.md §1.4)
STEP = 25  # smaller requests are not worth their message
HELD = 200  # events received and not yet stored, at which no more are asked for


class Credit:
    """Counts what is outstanding at the server and what is held here; asks by `ask(number)`. Safe between threads."""

    def __init__(self, ask: Callable[[int], None]) -> None:
        self._ask = ask
        self._outstanding = MOST  # the request that opens the stream
        self._held = 0
        self._asking = True
        self._mutex = threading.Lock()

    def arrived(self, events: int, pending: int) -> None:
        """A response came with so many events; `pending` is what the server says is outstanding after it."""
        with self._mutex:
            self._held += events
            # A request under way is not in the server's figure yet, so our own count is the better one. A keep-alive
            # comes after a long silence: by then everything has arrived there, and its figure is the last word.
            self._outstanding = max(pending, self._outstanding - events) if events else pending
            self._top_up()

    def released(self, events: int) -> None:
        """So many events are stored."""
        with self._mutex:
            self._held -= events
            self._top_up()

    def stop(self) -> None:
        """Ask for nothing more."""
        with self._mutex:
            self._asking = False

    def _top_up(self) -> None:
        room = min(MOST - self._outstanding, HELD - self._held - self._outstanding)
        if self._asking and room > 0 and (room >= STEP or not self._outstanding):
            self._outstanding += room
            self._ask(room)
