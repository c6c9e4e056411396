"""Papers being put together by the customer, until they are sent in.

Nothing here asks an outside system. Each function takes the lock of the check's row, so that two windows of the same
customer come one after the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.identity import checks, storage
from accounts.identity.papers import Paper
from accounts.models import IdentityCheck, IdentityDocument, User
from audit import trail
from journal.commits import commit

PURPOSE = "2026-11"  # which wording of purpose and receivers the customer agrees to; change it with the words
MOST_FILES = 6
LEFT_AFTER = timedelta(days=14)
State, Side, Kind = IdentityCheck.State, IdentityDocument.Side, IdentityCheck.Paper
# What has to be there of each kind of paper. The back of a My Number card shows the number and is never taken.
NEEDED: dict[str, tuple[str, ...]] = {
    Kind.RESIDENCE_CARD: (Side.FRONT, Side.BACK),
    Kind.DRIVING_LICENCE: (Side.FRONT, Side.BACK),
    Kind.MY_NUMBER_CARD: (Side.FRONT,),
    Kind.PASSPORT: (Side.FRONT, Side.OTHER),
}


class NotOpen(Exception):
    """There is nothing that this could be added to or sent in: papers are being checked, none were begun, or they are
    of a kind that has no such side."""


class NotTaken(Exception):
    """There are as many files as there may be."""


class Incomplete(Exception):
    """Sides are missing; `sides` names them."""

    def __init__(self, sides: tuple[str, ...]) -> None:
        super().__init__(", ".join(sides))
        self.sides = sides


def begin(user: User, kind: str) -> IdentityCheck:
    """The customer's draft for this kind of paper; files of another kind begun before are deleted.

    Repeatable. Raises NotOpen while papers are being checked.
    """
    with commit("identity.begin"):
        User.objects.select_for_update().get(pk=user.pk)
        check = _open(user, lock=True)
        if check is None:
            return IdentityCheck.objects.create(user=user, paper=kind)
        if check.state != State.DRAFT:
            raise NotOpen
        if check.paper != kind:
            _discard(check.documents.all())
            check.paper = kind
            check.save(update_fields=["paper", "updated_at"])
    return check


def add(user: User, side: str, paper: Paper) -> IdentityDocument:
    """Keeps a cleaned file as this side of the draft, in place of the one before it; further pages add up.

    Raises NotOpen or NotTaken, and then nothing is kept.
    """
    key = uuid4()
    kept = storage.keep(key, paper.data)
    try:
        with _draft(user) as check:
            _make_room(check, side)
            check.save(update_fields=["updated_at"])
            return IdentityDocument.objects.create(
                id=key,
                check_of=check,
                side=side,
                content_type=paper.content_type,
                size=len(paper.data),
                key_id=kept.key_id,
                wrapped_key=kept.wrapped,
            )
    except (NotOpen, NotTaken):
        storage.remove(key)
        raise


def take_out(user: User, document: UUID) -> bool:
    """Deletes one file of the customer's draft; whether there was such a one. Repeatable."""
    with commit("identity.take_out"):
        check = _open(user, lock=True)
        if check is None or check.state != State.DRAFT:
            return False
        return _discard(check.documents.filter(pk=document)) > 0


def submit(user: User) -> IdentityCheck:
    """Sends the draft in: its files are final, and a worker brings them to Salesforce.

    Raises NotOpen (also when it was sent before) or Incomplete, and then nothing is changed.
    """
    with _draft(user) as check:
        if absent := missing(check):
            raise Incomplete(absent)
        trail.record("identity_papers_sent", actor_id=user.pk, user_id=user.pk, subject=str(check.ref))
        return checks.transition(check.pk, State.SUBMITTED, submitted_at=Now(), consent_version=PURPOSE)


def of(user: User) -> IdentityCheck | None:
    """The customer's draft, if one was begun."""
    return IdentityCheck.objects.filter(user=user, state=State.DRAFT).first()


def missing(check: IdentityCheck) -> tuple[str, ...]:
    """The sides still to be added, in the order in which they are asked for."""
    there = set(check.documents.filter(deleted_at=None).values_list("side", flat=True))
    return tuple(side for side in NEEDED[check.paper] if side not in there)


def taken(check: IdentityCheck) -> tuple[str, ...]:
    """The sides that may be added: those needed, and further pages of everything but a My Number card."""
    needed = NEEDED[check.paper]
    return needed if check.paper == Kind.MY_NUMBER_CARD or Side.OTHER in needed else (*needed, Side.OTHER)


def delete_left(limit: int = 200) -> dict[str, int]:
    """Deletes drafts that nobody touched for two weeks, with their files; says how many. Repeatable."""
    with commit("identity.delete_left"):
        left = IdentityCheck.objects.filter(state=State.DRAFT, updated_at__lt=Now() - LEFT_AFTER, legal_hold=False)
        gone = list(left.select_for_update().values_list("pk", flat=True)[:limit])
        files = IdentityDocument.objects.filter(check_of__in=gone)
        storage.remove_once_committed(files.values_list("pk", flat=True))
        IdentityCheck.objects.filter(pk__in=gone).delete()
    return {"deleted": len(gone)}


def _open(user: User, *, lock: bool = False) -> IdentityCheck | None:
    rows = IdentityCheck.objects.select_for_update() if lock else IdentityCheck.objects
    return rows.filter(user=user, state__in=[State.DRAFT, State.SUBMITTED, State.PENDING]).first()


@contextmanager
def _draft(user: User) -> Iterator[IdentityCheck]:
    """The customer's draft under its lock. Raises NotOpen when there is none."""
    with commit("identity.draft"):
        check = _open(user, lock=True)
        if check is None or check.state != State.DRAFT:
            raise NotOpen
        yield check


def _make_room(check: IdentityCheck, side: str) -> None:
    if side not in taken(check):  # another window chose another document meanwhile
        raise NotOpen
    if side != Side.OTHER:
        _discard(check.documents.filter(side=side))
    if check.documents.count() >= MOST_FILES:
        raise NotTaken


def _discard(documents: QuerySet[IdentityDocument]) -> int:
    storage.remove_once_committed(documents.values_list("pk", flat=True))
    return documents.delete()[0]
