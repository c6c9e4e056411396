"""Departments and statuses of the support desk, as an administrator would have set them up."""

from dataclasses import dataclass, field

from sandbox.whmcs.about import about


@dataclass
class Department:
    """A support department."""

    id: int
    name: str


@dataclass
class TicketStatus:
    """A status of tickets; an active one counts as work, an awaiting one as work for the staff."""

    title: str
    color: str
    active: bool = True
    awaiting: bool = False


def _departments() -> list[Department]:
    return [Department(1, "Customer Support"), Department(2, "Billing")]


def _statuses() -> list[TicketStatus]:
    return [
        TicketStatus("Open", "#779500", awaiting=True),
        TicketStatus("Answered", "#000000"),
        TicketStatus("Customer-Reply", "#ff6600", awaiting=True),
        TicketStatus("Closed", "#888888", active=False),
        TicketStatus("On Hold", "#224488"),
        TicketStatus("In Progress", "#cc0000"),
    ]


@dataclass
class SupportSwitches:
    """Switches of tickets."""

    departments: list[Department] = field(default_factory=_departments, metadata=about("Support departments."))
    admin_departments: list[int] = field(
        default_factory=lambda: [1],
        metadata=about("Departments of the administrator behind the API; lists leave out tickets of the others."),
    )
    ticket_statuses: list[TicketStatus] = field(
        default_factory=_statuses, metadata=about("Statuses that tickets can have.")
    )
