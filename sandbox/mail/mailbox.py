"""Received messages, kept as they came and parsed when somebody reads them."""

import email
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default as modern
from itertools import islice
from typing import Any

from sandbox.clock import Clock
from sandbox.ledger import Ledger
from sandbox.store import Record, Store

CORRELATION_HEADER = "X-Correlation-ID"
_KEY_DIGITS = 12


@dataclass(frozen=True)
class Message:
    """One received message. Sender and recipients are those of the envelope, which is what counted on the way."""

    number: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        """The message with its headers decoded."""
        return email.message_from_bytes(self.raw, policy=modern)

    @property
    def subject(self) -> str:
        """The decoded subject line."""
        return str(self.parsed.get("Subject", ""))

    def part(self, kind: str) -> str:
        """The body as `plain` or `html`, "" if the message has none of that kind."""
        body = self.parsed.get_body((kind,))
        return str(body.get_content()) if body else ""

    def attachments(self) -> list[str]:
        """File names of what is attached."""
        return [part.get_filename() or part.get_content_type() for part in self.parsed.iter_attachments()]

    def summary(self) -> dict[str, Any]:
        """What a list shows, as JSON has it."""
        return {
            "id": self.number,
            "at": self.at.isoformat(),
            "from": self.sender,
            "to": list(self.recipients),
            "subject": self.subject,
            "message_id": str(self.parsed.get("Message-ID", "")),
        }

    def full(self) -> dict[str, Any]:
        """The summary with both bodies and all headers, as JSON has it."""
        headers = [[name, str(value)] for name, value in self.parsed.items()]
        bodies = {"text": self.part("plain"), "html": self.part("html")}
        return {**self.summary(), **bodies, "headers": headers, "attachments": self.attachments()}


class Mailbox:
    """Everything that arrived, for whomever. A restart keeps it."""

    def __init__(self, store: Store, clock: Clock, ledger: Ledger) -> None:
        self._store = store
        self._clock = clock
        self._ledger = ledger
        self._table = store.table("mail.message")
        self._deliveries = store.table("mail.delivery", indexes=["to"])

    def receive(self, sender: str, recipients: Sequence[str], raw: bytes) -> Message:
        """Keep a message. The ledger learns who it was for and its Message-ID, not what it says."""
        message = Message(self._store.next_number("mail.message"), self._clock.now(), sender, tuple(recipients), raw)
        with self._store.transaction():
            self._table.put(_key(message.number), _record(message))
            for place, recipient in enumerate(dict.fromkeys(map(str.casefold, recipients))):
                self._deliveries.put(f"{_key(message.number)}/{place}", {"to": recipient, "number": message.number})
        headers = BytesHeaderParser(policy=modern).parsebytes(raw)
        detail = {"to": list(recipients), "message_id": str(headers.get("Message-ID", ""))}
        correlation_id = str(headers.get(CORRELATION_HEADER, ""))
        key = str(message.number)
        self._ledger.write("mail", "message.accept", key=key, correlation_id=correlation_id, detail=detail)
        return message

    def get(self, number: int) -> Message | None:
        """One message."""
        record = self._table.get(_key(number))
        return None if record is None else _message(record)

    def newest_first(self, to: str = "", *, limit: int = 100) -> list[Message]:
        """The newest messages, or the newest to one address in whatever case."""
        wanted = to.strip()
        if not wanted:
            return [_message(record) for record in islice(self._table.all(newest_first=True), limit)]
        numbers = [record["number"] for record in self._deliveries.newest("to", wanted, limit=limit)]
        return [message for number in numbers if (message := self.get(number))]

    def count(self, to: str = "") -> int:
        """How many messages there are, or how many to one address."""
        return self._deliveries.count("to", to.strip()) if to.strip() else len(self._table)


def _key(number: int) -> str:
    return f"{number:0{_KEY_DIGITS}d}"


def _record(message: Message) -> Record:
    return {
        "number": message.number,
        "at": message.at.isoformat(),
        "sender": message.sender,
        "recipients": list(message.recipients),
        # Latin-1 gives every byte a character, so any message survives the way through JSON.
        "raw": message.raw.decode("latin-1"),
    }


def _message(record: Record) -> Message:
    return Message(
        number=record["number"],
        at=datetime.fromisoformat(record["at"]),
        sender=record["sender"],
        recipients=tuple(record["recipients"]),
        raw=record["raw"].encode("latin-1"),
    )
