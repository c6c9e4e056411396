"""What becomes of a line when a ticket is accepted, ends well, or fails."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.esim import numbers
from sandbox.esim.catalogue import PACKAGES, PLANS
from sandbox.esim.records import Line, Status, Ticket

if TYPE_CHECKING:
    from sandbox.esim.provider import Provider

MONTH = timedelta(days=30)
_STATUS: dict[str, Status] = {"suspend": "suspended", "resume": "active", "terminate": "terminated"}


def prepare(provider: "Provider", ticket: Ticket) -> None:
    """An accepted activation holds its line_ref, EID and number from now on."""
    if ticket.kind != "activate":
        return
    asked, number = ticket.asked, provider.lines.next_id()
    provider.lines.put(
        Line(
            id=number,
            line_ref=asked["line_ref"],
            order_ref=asked["order_ref"],
            plan=asked["plan"],
            status="issuing",
            msisdn=asked.get("msisdn") or numbers.msisdn(number),
            created=provider.stamp(),
            eid=asked.get("eid", ""),
        )
    )


def give_up(provider: "Provider", ticket: Ticket) -> None:
    """The line of an activation that failed does not exist: its line_ref may be used again."""
    if ticket.kind == "activate":
        for line in provider.lines.find("line_ref", ticket.line_ref):
            provider.lines.delete(line.id)


def carry_out(provider: "Provider", ticket: Ticket) -> None:
    """Makes true what the ticket asks; its checks have just passed."""
    line, asked = provider.lines.find("line_ref", ticket.line_ref)[-1], ticket.asked
    match ticket.kind:
        case "activate":
            changed = _issued(provider, _with_plan(provider, line, line.plan))
        case "reissue":
            changed = _issued(provider, replace(line, eid=asked.get("new_eid") or line.eid))
        case "topup":
            changed = replace(line, bytes_total=line.bytes_total + PACKAGES[asked["package"]].bytes_added)
        case "change_plan":
            changed = _with_plan(provider, line, asked["plan"])
        case _:
            changed = replace(line, status=_STATUS[ticket.kind])
    provider.lines.put(changed)


def _issued(provider: "Provider", line: Line) -> Line:
    """A new profile: another card number and code, the same phone number; the old code is worth nothing."""
    issue = line.issue + 1
    return replace(
        line,
        status="active",
        issue=issue,
        iccid=numbers.iccid(line.id * 1000 + issue),
        profile="ready",
        ready_at=provider.stamp(after_s=provider.settings.install_data_after_s),
    )


def _with_plan(provider: "Provider", line: Line, plan: str) -> Line:
    valid_until = (provider.now() + MONTH).isoformat()
    return replace(line, plan=plan, bytes_total=PLANS[plan].bytes_total, valid_until=valid_until)
