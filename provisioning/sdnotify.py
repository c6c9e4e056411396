"""Telling systemd how the process is (sd_notify(3)). Without systemd nothing happens."""

import contextlib
import os
import socket


class Supervisor:
    """Sends to the socket that systemd names in the environment. Call it from the loop that does the work, after it
    did some: whoever feeds the watchdog from elsewhere feeds it while the work stands still."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def ready(self, status: str) -> None:
        """The service does what it is for; repeatable."""
        self._send(f"READY=1\nWATCHDOG=1\nSTATUS={status}")

    def alive(self) -> None:
        """Progress was made."""
        self._send("WATCHDOG=1", patience_s=0)  # another one follows soon

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def _send(self, message: str, patience_s: float = 1) -> None:
        if not self._address:
            return
        # Who cannot hear us will act on the silence; failing over it, or waiting for it, would help nobody.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, contextlib.suppress(OSError):
            line.settimeout(patience_s)
            line.sendto(message.encode(), self._address)
