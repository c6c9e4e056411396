"""What the portal asks of an eSIM provider, whichever it is (esim.md)."""

from typing import Protocol

from integrations.esim.schemas import Line, Ticket


class ESimProvider(Protocol):
    """Every method has a total deadline and raises Rejected, Misconfigured, Unavailable (integrations.errors).

    None may be called in a database transaction.
    """

    def activate(self, *, idem_key: str, line_ref: str, order_ref: str, plan: str) -> Ticket:
        """Asks for a new line. Never repeated: UnknownOutcome when it was sent and no usable answer came.

        `idem_key` has at most 100 characters. A provider that honours keys answers the same ticket to the same key;
        one that does not may make a second line. Rejected `LINE_EXISTS`: there is a line of this `line_ref`.
        """

    def ticket(self, ref: str) -> Ticket | None:
        """How far it is; None when the provider does not know it. Repeatable."""

    def tickets(self, idem_key: str) -> list[Ticket]:
        """What was accepted under a key, oldest first. Repeatable."""

    def line(self, line_ref: str) -> Line | None:
        """The line as it stands; None when there is none. Repeatable."""
