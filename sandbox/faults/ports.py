"""Ports that listen or do not, and doors that break a connection as soon as it stands."""

from typing import Protocol

from sandbox.faults.book import Faults
from sandbox.faults.kinds.base import CONNECT
from sandbox.faults.kinds.http import PortClosed, Refuse
from sandbox.faults.rules import Offer
from sandbox.servers import Connection, Door


class Port(Protocol):
    """A server whose port can be closed while it runs."""

    async def open_port(self) -> None:
        """Listen, unless it listens already."""

    def close_port(self) -> None:
        """Listen no longer, and end idle connections."""

    def hang_up_idle(self) -> None:
        """End idle connections."""


class Ports:
    """The ports of the running systems, which follow the rules."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._ports: dict[str, Port] = {}

    def register(self, system: str, port: Port) -> None:
        """Let the rules for a system reach its port."""
        self._ports[system] = port

    def hang_up_idle(self, system: str) -> None:
        """End the system's idle connections, so that the next call needs a new one."""
        if system in self._ports:
            self._ports[system].hang_up_idle()

    async def follow(self) -> None:
        """Return when every port listens unless a rule closes it. Raises PortTaken when it was taken meanwhile."""
        for system, port in self._ports.items():
            if self._faults.standing(system, PortClosed):
                port.close_port()
            else:
                await port.open_port()


def door(faults: Faults, system: str) -> Door:
    """Breaks the connections that rules refuse, and lets the others in."""

    def enter(connection: Connection) -> bool:
        struck = faults.take(Offer(system, CONNECT), Refuse) if faults.concern(system) else None
        if struck is None:
            return True
        if struck.fault.how == "reset":
            connection.reset()
        else:
            connection.close()
        return False

    return enter
