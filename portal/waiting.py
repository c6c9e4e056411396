"""What customers wait for without anybody seeing it: sign-ups that do not finish, and what is written but not sent.

For metrics and the staff page of this moment, from the database alone. Every group is there, at none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Min, QuerySet

from accounts.models import SignupJourney
from accounts.profile import syncing
from notifications.models import Email
from support.models import Case

SIGN_UPS = (SignupJourney.State.RUNNING, SignupJourney.State.WAITING_CS)


@dataclass(frozen=True)
class Waiting:
    """How many wait, and since when the one that has waited longest does."""

    count: int = 0
    since: datetime | None = None


def sign_ups() -> Mapping[str, Waiting]:
    """By state: those the portal works on, and those that wait for support's decision; none of a disabled user, whose
    sign-up stands still. Raises DatabaseError."""
    rows = SignupJourney.objects.filter(state__in=SIGN_UPS, user__is_active=True).order_by().values_list("state")
    found = {state: Waiting(*rest) for state, *rest in rows.annotate(Count("pk"), since=Min("state_since"))}
    return {str(state.value): found.get(state, Waiting()) for state in SIGN_UPS}


def unsent() -> Mapping[str, Waiting]:
    """By kind: changes of details for the other systems, e-mails, Cases for Salesforce. Raises DatabaseError."""
    return {
        "profile": _oldest(syncing.unsent(), "due_since"),
        "mail": _oldest(Email.objects.filter(state=Email.State.PENDING), "created_at"),
        "case": _oldest(Case.objects.filter(state=Case.State.PENDING), "created_at"),
    }


def _oldest(rows: "QuerySet[Any]", since: str) -> Waiting:
    return Waiting(**rows.order_by().aggregate(count=Count("pk"), since=Min(F(since))))
