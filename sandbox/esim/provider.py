"""The provider: requests become tickets, tickets end by the clock or by a button, and what they asked is then so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from sandbox.books import Book
from sandbox.clock import Clock
from sandbox.esim import carrying_out, requests
from sandbox.esim.records import Line, Settings, Ticket
from sandbox.esim.refusals import Refused
from sandbox.ledger import Ledger
from sandbox.pages import JAPAN
from sandbox.store import Store

_SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


class Provider:
    """Lines and tickets on disk; used from one event loop, and no method waits."""

    def __init__(self, store: Store, clock: Clock, ledger: Ledger) -> None:
        self.store, self.clock, self.ledger = store, clock, ledger
        self.lines = Book(store, "line", Line, indexes=["line_ref", "order_ref", "eid", "msisdn", "iccid"])
        self.tickets = Book(store, "ticket", Ticket, indexes=["key", "line_ref", "state"])
        self._settings = Book(store, "settings", Settings)

    @property
    def settings(self) -> Settings:
        """How the provider behaves now; a copy."""
        return self._settings.get(1) or Settings()

    def configure(self, **changes: Any) -> Settings:
        """Change settings. Raises ValueError for an unknown name or a wrong value."""
        unknown = changes.keys() - Settings.__dataclass_fields__.keys()
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        return self._settings.put(_SETTINGS.validate_python(_SETTINGS.dump_python(self.settings) | changes | {"id": 1}))

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        return self.clock.now()

    def stamp(self, *, after_s: float = 0.0) -> str:
        """The moment `after_s` seconds from now as ISO 8601 in UTC."""
        return (self.now() + timedelta(seconds=after_s)).astimezone(UTC).isoformat()

    def accept(self, kind: str, key: str, asked: Mapping[str, str], correlation_id: str) -> Ticket:
        """The ticket for a request that changes something; the same one for the same key. Raises Refused."""
        self.move_on()
        earlier = self._earlier(kind, key, asked)
        if earlier is not None:
            return earlier
        self._refuse_by_switch()
        requests.check(self, kind, asked)
        with self.store.transaction():
            return self._open(kind, key, dict(asked), correlation_id)

    def ticket(self, ref: str) -> Ticket:
        """The ticket as it stands. Raises Refused TICKET_NOT_FOUND."""
        self.move_on()
        number = ref.removeprefix("T")
        ticket = self.tickets.get(int(number)) if number.isascii() and number.isdigit() and len(number) <= 12 else None
        if ticket is None or ticket.ref != ref:
            raise Refused("TICKET_NOT_FOUND", "no such ticket")
        return ticket

    def tickets_for(self, key: str) -> list[Ticket]:
        """What was accepted under an Idempotency-Key, oldest first; empty when nothing was."""
        self.move_on()
        return self.tickets.find("key", key)

    def line(self, line_ref: str) -> Line:
        """The line as it stands. Raises Refused LINE_NOT_FOUND."""
        self.move_on()
        lines = self.lines.find("line_ref", line_ref)
        if not lines:
            raise Refused("LINE_NOT_FOUND", "no such line")
        return lines[-1]

    def move_on(self) -> None:
        """Ends the tickets whose time has come."""
        now = self.stamp()
        for state in ("accepted", "processing"):
            for ticket in self.tickets.find("state", state):
                if ticket.due and ticket.due <= now:
                    self.finish(ticket)
                elif state == "accepted" and ticket.created < now:
                    self.tickets.put(replace(ticket, state="processing"))

    def finish(self, ticket: Ticket) -> Ticket:
        """Carries out what an open ticket asks and ends it; it fails where that is no longer possible."""
        with self.store.transaction():
            code = self.settings.fail
            if code:
                self.configure(fail="")
                return self.fail(ticket, code, "The carrier reports an error.")
            try:
                requests.check(self, ticket.kind, ticket.asked, own=ticket.id)
            except Refused as refusal:
                return self.fail(ticket, refusal.code, refusal.text)
            carrying_out.carry_out(self, ticket)
            self._note(ticket.kind, ticket, {"state": "done"})
            return self.tickets.put(replace(ticket, state="done", ended=self.stamp()))

    def fail(self, ticket: Ticket, code: str, text: str, *, retryable: bool = False) -> Ticket:
        """Ends an open ticket without carrying it out; a line that it would have opened is given up."""
        with self.store.transaction():
            carrying_out.give_up(self, ticket)
            self._note(f"{ticket.kind}.failed", ticket, {"state": "failed", "code": code})
            ended = replace(ticket, state="failed", ended=self.stamp(), code=code, text=text, retryable=retryable)
            return self.tickets.put(ended)

    def is_closed(self) -> bool:
        """Whether it is the hour of the daily maintenance, in Japan."""
        start, end = self.settings.closed_from, self.settings.closed_until
        now = f"{self.now().astimezone(JAPAN):%H:%M}"
        return start <= now < end if start <= end else now >= start or now < end

    def _earlier(self, kind: str, key: str, asked: Mapping[str, str]) -> Ticket | None:
        earlier = self.tickets.find("key", key) if self.settings.honours_keys else []
        if earlier and earlier[0].fingerprint != requests.fingerprint(kind, asked):
            raise Refused("IDEMPOTENCY_KEY_REUSED", "this Idempotency-Key was sent with another request")
        return earlier[0] if earlier else None

    def _refuse_by_switch(self) -> None:
        code = self.settings.reject
        if code:
            self.configure(reject="")
            raise Refused(code, "The carrier refuses this request.")

    def _open(self, kind: str, key: str, asked: dict[str, str], correlation_id: str) -> Ticket:
        after = self.settings.processing_s
        ticket = Ticket(
            id=self.tickets.next_id(),
            kind=kind,
            key=key,
            fingerprint=requests.fingerprint(kind, asked),
            line_ref=asked["line_ref"],
            asked=asked,
            state="accepted",
            created=self.stamp(),
            due=self.stamp(after_s=after) if after >= 0 else "",
            correlation_id=correlation_id,
        )
        carrying_out.prepare(self, ticket)
        self._note(f"{kind}.accepted", ticket, {"state": "accepted"})
        return self.tickets.put(ticket)

    def _note(self, operation: str, ticket: Ticket, detail: dict[str, str]) -> None:
        """Never EID, number or code: the ledger is for everybody's eyes."""
        about = {"ticket": ticket.ref, "order_ref": ticket.asked.get("order_ref", ""), **detail}

        def write() -> None:
            self.ledger.write(
                "esim", operation, key=ticket.line_ref, correlation_id=ticket.correlation_id, detail=about
            )

        self.store.on_commit(write)
