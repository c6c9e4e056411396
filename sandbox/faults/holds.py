"""Calls that stand still, and the pauses of the others: both end at once when the sandbox stops."""

import asyncio
from dataclasses import dataclass

from sandbox.faults.rules import Offer


class Stopping(Exception):
    """The sandbox ends: whoever waits here is not going on."""


@dataclass(frozen=True)
class Held:
    """A call that stands still, and what wakes it."""

    offer: Offer
    freed: asyncio.Event


class Holds:
    """Held calls by the id of the rule that holds them."""

    def __init__(self) -> None:
        self._held: dict[str, list[Held]] = {}
        self._stopping = asyncio.Event()

    def held(self, rule_id: str) -> list[Offer]:
        """The calls that a rule holds, longest first."""
        return [each.offer for each in self._held.get(rule_id, ())]

    def rules(self) -> set[str]:
        """The ids of the rules that hold any."""
        return set(self._held)

    async def hold(self, rule_id: str, offer: Offer) -> None:
        """Return when the call is released. Raises Stopping."""
        held = Held(offer, asyncio.Event())
        self._held.setdefault(rule_id, []).append(held)
        try:
            await held.freed.wait()
        finally:
            self._forget(rule_id, held)
        self._go_on()

    def release(self, rule_id: str, count: int | None = None) -> int:
        """Let the longest held calls go on, all of them without `count`; how many there were."""
        held = self._held.pop(rule_id, [])
        freed, kept = (held, []) if count is None else (held[:count], held[count:])
        if kept:
            self._held[rule_id] = kept
        for each in freed:
            each.freed.set()
        return len(freed)

    async def pause(self, seconds: float) -> None:
        """Return after so long. Raises Stopping."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
        self._go_on()

    def stop(self) -> None:
        """Wake everybody; whoever waits gets Stopping."""
        self._stopping.set()
        for rule_id in list(self._held):
            self.release(rule_id)

    def _forget(self, rule_id: str, held: Held) -> None:
        """Whoever waited is not held any longer, released or gone."""
        rest = [each for each in self._held.pop(rule_id, []) if each is not held]
        if rest:
            self._held[rule_id] = rest

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise Stopping
