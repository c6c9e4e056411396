"""The sessions of a user: how long one may last, which there are, and ending them (decisions.md 6 and 7)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone

from accounts.links import linked
from accounts.models import CustomerLink, User

SEEN_EVERY = timedelta(seconds=60)  # how exactly "last seen" is kept: one write a minute at most


@dataclass(frozen=True)
class Limits:
    """How long a session may lie idle, and how long it may last whatever happens in it."""

    idle: timedelta
    whole: timedelta


CUSTOMER = Limits(idle=timedelta(days=14), whole=timedelta(days=30))
STAFF = Limits(idle=timedelta(minutes=30), whole=timedelta(hours=12))


class Over(Enum):
    """Why a session is over."""

    IDLE = "idle"
    WHOLE = "whole"
    CLOSED = "closed"


def limits_of(user: User) -> Limits:
    return STAFF if user.is_staff else CUSTOMER


def check(request: HttpRequest, user: User, *, is_sign_of_life: bool = True) -> Over | None:
    """Whether `user`'s session of this request is over, and why; by the database's clock, in one query.

    A session that goes on is noted as seen (at most once a minute, and not when the page only asks by itself for
    news: `is_sign_of_life`). A session nobody wrote down yet begins to count now. The same query reads the user's
    link, which almost every page needs: `request.user` has it from here on.
    """
    mine = UserSession.objects.filter(session_key=request.session.session_key, user_id=user.pk)
    row = mine.annotate(now=Now()).select_related("user__link").first()
    if row is None:
        UserSession.objects.create_from_request(request)
        return Over.CLOSED if is_closed(user) else None
    request.user = row.user
    link, idle = linked(row.user), row.now - row.last_seen_at
    if over := _over(limits_of(row.user), row.now - row.created_at, idle):
        return over
    if link is not None and link.portal_status == CustomerLink.CLOSED:
        return Over.CLOSED
    if is_sign_of_life and idle >= SEEN_EVERY:
        mine.update(last_seen_at=Now())
    return None


def is_closed(user: User) -> bool:
    """Whether the customer's account was closed in Salesforce (decisions.md 6)."""
    return CustomerLink.objects.filter(
        user=user, state=CustomerLink.State.LINKED, portal_status=CustomerLink.CLOSED
    ).exists()


def listed(user: User) -> QuerySet[UserSession]:
    """Where `user` is signed in now, latest first; sessions that are over are left out."""
    limits = limits_of(user)
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    rows: QuerySet[UserSession] = UserSession.objects.filter(
        user=user,
        session_key__in=alive,
        created_at__gt=Now() - limits.whole,
        last_seen_at__gt=Now() - limits.idle,
    )
    return rows.order_by("-last_seen_at", "-id")


def end(user_id: int, *, keep: str | None = None, only: int | None = None) -> int:
    """Ends the user's sessions: all, all but the one with the key `keep`, or `only` the one listed under that id.

    Says how many. Another user's id in `only` ends nothing. May be repeated; needs no lock.
    """
    rows = UserSession.objects.filter(user_id=user_id).exclude(session_key=keep or "")
    if only is not None:
        rows = rows.filter(pk=only)
    return _end(rows)


def end_key(session_key: str | None) -> None:
    """Forgets the session with that key. May be repeated."""
    _end(UserSession.objects.filter(session_key=session_key))


def delete_expired() -> dict[str, int]:
    """Deletes sessions that are over, visitors' too; says how many. May be repeated."""
    gone = sum(_end(_past(limits, is_staff)) for limits, is_staff in ((STAFF, True), (CUSTOMER, False)))
    old, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return {"deleted": gone + old}


def _past(limits: Limits, is_staff: bool) -> "QuerySet[UserSession]":
    rows: QuerySet[UserSession] = UserSession.objects.filter(user__is_staff=is_staff)
    return rows.filter(last_seen_at__lt=Now() - limits.idle) | rows.filter(created_at__lt=Now() - limits.whole)


def _end(rows: "QuerySet[UserSession]") -> int:
    with transaction.atomic():
        keys = list(rows.values_list("session_key", flat=True))
        Session.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)


def _over(limits: Limits, age: timedelta, idle: timedelta) -> Over | None:
    if age >= limits.whole:
        return Over.WHOLE
    return Over.IDLE if idle >= limits.idle else None
