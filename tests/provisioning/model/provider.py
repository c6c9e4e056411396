"""The eSIM provider as the model has it: tickets end when it is told, and its own ledger says how many lines there are.

It honours keys, and may accept a second line of a name: the weakest kind of provider for which one line is promised.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.provisioning.esim_double import ICCID, ESimDouble

BUSY = "CARRIER_BUSY"


@dataclass
class ModelProvider(ESimDouble):
    pace: str = "accepted"
    refuses_second_line: bool = False

    def open_tickets(self) -> list[str]:
        return [ref for ref, ticket in self.ticket_rows.items() if ticket.is_open]

    def end(self, ref: str, *, failed: bool) -> None:
        """The provider is done with a ticket, or cannot do it."""
        self.fail(ref, BUSY, retryable=True) if failed else self.finish(ref)

    def fail(self, ref: str, code: str, **named: Any) -> None:
        """One line of a name stays while another request for it fails."""
        line_ref = self.ticket_rows[ref].line_ref
        before = self.line_rows[line_ref]
        super().fail(ref, code, **named)
        if before.is_live:
            self.line_rows[line_ref] = before

    def wrong(self) -> list[str]:
        """S1: what the ledger must not show."""
        accepted = Counter(each.line_ref for each in self.ticket_rows.values() if each.state != "failed")
        made = Counter(self.lines_made)
        return [f"{name} was accepted {count} times" for name, count in accepted.items() if count > 1] + [
            f"{name} has {count} lines" for name, count in made.items() if count > 1
        ]

    def has_line(self, order_id: str) -> bool:
        line = self.line_rows.get(order_id)
        return line is not None and line.is_live and line.iccid == ICCID
