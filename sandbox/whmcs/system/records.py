"""What the installation keeps of itself. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass, field

from sandbox.whmcs.dates import NO_DATE


@dataclass
class ActivityEntry:
    """A line of the activity log; `client_id` 0 when it concerns nobody."""

    id: int
    client_id: int
    date: str
    description: str
    username: str
    address: str


@dataclass
class ToDoItem:
    """An entry of the staff's to-do list."""

    id: int
    date: str
    title: str
    description: str = ""
    admin: int = 0
    status: str = "New"
    due: str = NO_DATE


@dataclass
class OAuthCredential:
    """A client of WHMCS' own OAuth server."""

    id: int
    identifier: str
    secret: str
    grant_type: str
    scope: str
    name: str
    description: str
    service_id: int
    logo: str
    redirects: list[str] = field(default_factory=list)
    created: str = ""
    updated: str = ""
