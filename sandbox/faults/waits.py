"""The time that a call is made to take."""

from sandbox.faults.book import Faults, Strike
from sandbox.faults.kinds.base import At
from sandbox.faults.kinds.http import Hold, Latency
from sandbox.faults.rules import Offer


class Waits:
    """Everything that delays one call, decided when it arrives."""

    def __init__(self, faults: Faults, offer: Offer) -> None:
        self._faults, self._offer = faults, offer
        self._struck: list[Strike[Latency | Hold]] = faults.take_each(offer, Latency, Hold)

    def any(self, at: At) -> bool:
        """Whether there is something to wait for, before or after the work."""
        return any(each.fault.at == at for each in self._struck)

    async def until_over(self, at: At) -> None:
        """Return when the time before, or after, the work is over. Raises Stopping."""
        for struck in self._struck:
            if struck.fault.at != at:
                continue
            if isinstance(struck.fault, Latency):
                await self._faults.holds.pause(struck.fault.ms / 1000)
            else:
                await self._faults.holds.hold(struck.rule_id, self._offer)
