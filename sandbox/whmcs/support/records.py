"""What is kept of tickets. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass, field


@dataclass
class Sender:
    """Who wrote a message: a user for a client, a contact, staff (`admin` holds the name), or somebody by name."""

    client_id: int = 0
    user_id: int = 0
    contact_id: int = 0
    name: str = ""
    email: str = ""
    admin: str = ""


@dataclass
class Ticket:
    """A ticket with its opening message. `tid` is the number for people, `c` opens it without signing in.

    `client_id` and `email` repeat what stands in `sender`, so that they can be looked for.
    """

    id: int
    tid: str
    c: str
    dept_id: int
    sender: Sender
    date: str
    subject: str
    message: str
    last_reply: str
    client_id: int = 0
    email: str = ""
    status: str = "Open"
    priority: str = "Medium"
    cc: str = ""
    flag: int = 0
    service: str = ""
    attachments: list[str] = field(default_factory=list)
    customfields: dict[str, str] = field(default_factory=dict)
    prevent_closing: bool = False
    markdown: bool = False


@dataclass
class TicketReply:
    """A later message of a ticket."""

    id: int
    ticket_id: int
    sender: Sender
    date: str
    message: str
    attachments: list[str] = field(default_factory=list)
    markdown: bool = False


@dataclass
class TicketNote:
    """What staff wrote to each other; customers never see it, and yet GetTicket answers with it (§3.6)."""

    id: int
    ticket_id: int
    admin: str
    date: str
    message: str
    attachments: list[str] = field(default_factory=list)
    markdown: bool = False


@dataclass
class Attachment:
    """A file of a ticket, reply or note; `owner` is such as `reply:7`, `data` base64."""

    id: int
    owner: str
    name: str
    data: str
