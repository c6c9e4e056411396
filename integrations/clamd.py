"""Asking a clamd on this machine whether a file is harmless (man clamd, INSTREAM).

Above its StreamMaxLength clamd says so and hangs up while the file is still being sent. Above its other limits it calls
a file it has seen a part of OK, or, with AlertExceedsMax, found: neither is a verdict (docs/identity-papers.md).
"""

import socket
import struct

from integrations import failpoints
from integrations.errors import Unavailable

CHUNK = 1024 * 1024
LONGEST_REPLY = 4096
NOT_SEEN_WHOLE = "Heuristics.Limits.Exceeded"  # also with what was exceeded, such as .MaxFileSize
DEADLINE_S = 60.0  # for each read and write: a large PDF takes clamd seconds


def scan(content: bytes, *, socket_path: str) -> str:
    """The name of what clamd found in `content`, empty for nothing. Repeatable.

    Raises Unavailable when it is away, does not answer, or says anything but a verdict: `no_connection`, `timeout`,
    `bad_body`, `refused` (its own error, such as a file above its StreamMaxLength or another limit).
    """
    with failpoints.around("clamd.INSTREAM"):
        try:
            return _verdict(_ask(content, socket_path))
        except TimeoutError:
            raise Unavailable("clamd", "INSTREAM", "timeout") from None
        except OSError as error:
            raise Unavailable("clamd", "INSTREAM", "no_connection", type(error).__name__) from None


def _ask(content: bytes, socket_path: str) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as clamd:
        clamd.settimeout(DEADLINE_S)
        clamd.connect(socket_path)
        try:
            _send(clamd, content)
        except (BrokenPipeError, ConnectionResetError) as error:
            reply = _reply(clamd)  # what it said before it hung up
            if not reply:
                raise error from None
            return reply
        return _reply(clamd)


def _send(clamd: socket.socket, content: bytes) -> None:
    clamd.sendall(b"zINSTREAM\0")
    for start in range(0, len(content), CHUNK):
        chunk = content[start : start + CHUNK]
        clamd.sendall(struct.pack("!I", len(chunk)) + chunk)
    clamd.sendall(struct.pack("!I", 0))


def _reply(clamd: socket.socket) -> bytes:
    reply = b""
    while not reply.endswith(b"\0") and len(reply) < LONGEST_REPLY:
        part = clamd.recv(LONGEST_REPLY)
        if not part:
            break
        reply += part
    return reply


def _verdict(reply: bytes) -> str:
    """`stream: OK`, `stream: NAME FOUND` or a sentence that ends in ERROR, each closed by a null character."""
    text = reply.removesuffix(b"\0").decode(errors="replace")
    if not reply.endswith(b"\0"):
        raise Unavailable("clamd", "INSTREAM", "bad_body", "the answer has no end")
    if text == "stream: OK":
        return ""
    if text.startswith("stream: ") and text.endswith(" FOUND"):
        return _name(text.removeprefix("stream: ").removesuffix(" FOUND"))
    if text.endswith("ERROR"):
        raise Unavailable("clamd", "INSTREAM", "refused", "clamd does not scan this file")
    raise Unavailable("clamd", "INSTREAM", "bad_body", "not a verdict")


def _name(found: str) -> str:
    if found.startswith(NOT_SEEN_WHOLE):
        raise Unavailable("clamd", "INSTREAM", "refused", "the file is above a limit of clamd's")
    return found or "unnamed"
