"""A clamd of the tests' own: a real socket that speaks INSTREAM and knows one virus, the one that is none (EICAR)."""

import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """Answers as clamd does; `says` replaces its verdict, `scanned` is what it got, `limit` its StreamMaxLength."""

    def __init__(self, path: Path) -> None:
        self.path, self.says, self.limit = path, b"", 25 * 1024 * 1024
        self.scanned: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nobody listens any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                visitor, _address = self._listener.accept()
            except OSError:
                return
            with visitor, visitor.makefile("rb") as asked:
                self._answer(visitor, asked)

    def _answer(self, visitor: socket.socket, asked: Any) -> None:
        if asked.read(10) != b"zINSTREAM\0":
            visitor.sendall(b"UNKNOWN COMMAND\0")
            return
        content = b""
        while size := struct.unpack("!I", asked.read(4))[0]:
            if len(content) + size > self.limit:
                visitor.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return  # and hangs up
            content += asked.read(size)
        self.scanned.append(content)
        found = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"
        visitor.sendall(self.says or found)


@pytest.fixture
def clamd(settings: Any) -> Iterator[Clamd]:
    """Listening where CLAMD_SOCKET says. Its path is short, since a socket's may have 107 characters."""
    with tempfile.TemporaryDirectory() as place:
        scanner = Clamd(Path(place) / "clamd.ctl")
        settings.CLAMD_SOCKET = str(scanner.path)
        yield scanner
        if scanner.path.exists():
            scanner.close()
