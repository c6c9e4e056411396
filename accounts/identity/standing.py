"""Where a customer stands with the check of identity, for pages. Asks the database only."""

from dataclasses import dataclass
from typing import Literal

from accounts import links
from accounts.identity import checks
from accounts.models import CustomerLink, IdentityCheck, User

Place = Literal["unknown", "comparing", "open", "checking", "verified"]
State = IdentityCheck.State


@dataclass(frozen=True)
class Standing:
    """`unknown`: not a customer yet; `comparing`: a provisional link, which opens nothing (decisions.md 2); `open`:
    papers may be sent in; `checking`: they were; `verified`: done."""

    place: Place
    last: IdentityCheck | None = None  # the newest that was sent in

    @property
    def refused(self) -> IdentityCheck | None:
        """The papers that were not accepted, while others may be sent instead."""
        if self.place == "open" and self.last is not None and self.last.state == State.REJECTED:
            return self.last
        return None


def standing(user: User) -> Standing:
    """As the last refresh of the Account and the customer's own papers have it."""
    link = links.link_of(user)
    if link is None:
        return Standing("unknown")
    if link.state != CustomerLink.State.LINKED:
        return Standing("comparing")
    last = checks.latest(user.pk)
    return Standing(_place(link.identity_status, last), last)


def _place(status: str, last: IdentityCheck | None) -> Place:
    """Papers on their way count before the Account's status, which is older than they are."""
    if last is not None and last.state in {State.SUBMITTED, State.PENDING} and status != "Verified":
        return "checking"
    if status == "Verified":
        return "verified"
    refused = last is not None and last.state == State.REJECTED
    return "checking" if status == "Pending" and not refused else "open"
