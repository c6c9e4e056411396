"""Making a call that must not be made twice (reliability.md §2): look up, commit the intent, call, commit the outcome.

A call whose answer was lost may still be executing there. Until that is impossible (`quarantine_until`, by the
database's clock) nobody may send it again for the same subject; afterwards a look-up decides.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from integrations import failpoints
from integrations.deadline import begun_within
from integrations.errors import OutsideError, UnknownOutcome
from journal.commits import commit, lasting, settled
from journal.models import RemoteCall

log = structlog.get_logger(__name__)
State = RemoteCall.State
OPEN = (State.INTENT, State.UNKNOWN)
ADOPTED, NOT_THERE, RELEASED = "adopted", "not_there", "released"  # error codes of calls that a look-up closed
T = TypeVar("T")


class JournalError(Exception):
    """The call was not sent, or its outcome is not known."""


class Quarantined(JournalError):
    """An earlier call for this subject may still be executing there; `until` says how long. Nothing was sent."""

    def __init__(self, call: RemoteCall) -> None:
        super().__init__(f"{call.operation} for {call.subject} is open until {call.quarantine_until:%H:%M:%S}")
        self.call, self.until = call, call.quarantine_until


class OutcomeUnknown(JournalError):
    """The call was sent, no usable answer came, and the look-up after it found nothing (yet)."""

    def __init__(self, call: RemoteCall) -> None:
        super().__init__(f"{call.operation} for {call.subject}: outcome unknown")
        self.call, self.until = call, call.quarantine_until


class AlreadySent(JournalError):
    """This owner has sent this call before. An owner sends it at most once: another try is another owner."""


def once(
    *,
    subject: str,
    operation: str,
    owner: str,
    deadline_s: float,
    look_up: Callable[[], T | None],
    call: Callable[[], T],
    fence: Callable[[], None],
    record: Callable[[T], dict[str, Any]],
    asked: Mapping[str, Any] | None = None,
) -> T:
    """Gives what `call` makes, made at most once for `subject`, whoever asks and however often.

    `look_up` says what exists there already (None: nothing); `fence` runs after the intent is committed and raises
    when the caller lost its right to call; `record` turns the result into the JSON kept in the journal, `asked` is
    kept there from the intent on. `deadline_s` is the call's total deadline. Not inside a transaction.

    Raises Quarantined or AlreadySent (nothing was sent), OutcomeUnknown, and the errors of `integrations.errors`
    except UnknownOutcome: those of `call` mean that nothing was done there. A database that is away after the call is
    waited for (`journal.commits.lasting`); its error then passes through with the call still open, for a look-up. So
    does whatever `look_up` raises of its own after a lost answer.
    """
    while True:
        looked_at = database_clock()
        found = look_up()
        if found is not None:
            _close_open(subject, operation, state=State.DONE, error_code=ADOPTED, result=record(found))
            return found
        intent = _intend(subject, operation, owner, deadline_s, looked_at, asked or {})
        if intent is not None:
            break
    try:
        with begun_within(deadline_s):
            _pass(intent, fence)
            made = call()
    except UnknownOutcome as error:
        return _look_again(intent, error, look_up, record)
    except OutsideError as error:
        _close(intent, state=State.FAILED, error_code=error.code[:40], error_text=error.text[:255])
        raise
    _close(intent, state=State.DONE, result={**intent.result, **record(made)})
    return made


def open_calls(subject: str) -> QuerySet[RemoteCall]:
    """The calls for this subject whose outcome is open, oldest first."""
    return RemoteCall.objects.filter(subject=subject, state__in=OPEN).order_by("id")


def refuse_while_open(subject: str, *, now: datetime | None = None) -> None:
    """Raises Quarantined while any call for this subject may still be executing there: nothing is made meanwhile."""
    held = open_calls(subject).filter(quarantine_until__gt=now or database_clock()).first()
    if held is not None:
        raise Quarantined(held)


def last_call(subject: str, operation: str) -> RemoteCall | None:
    """The newest call of this kind for this subject, whatever came of it."""
    return RemoteCall.objects.filter(subject=subject, operation=operation).order_by("-id").first()


def answered_late(operation: str) -> QuerySet[RemoteCall]:
    """The calls of this kind that got no answer of their own: a look-up or a person said what came of them, or nobody
    has yet and their quarantine is over. What they asked for may still be carried out, or have been for a second time.
    """
    unanswered = Q(state=State.DONE) & ~Q(error_code="")
    given_up = Q(state=State.FAILED, error_code__in=[NOT_THERE, RELEASED])
    nobody = Q(state__in=OPEN, quarantine_until__lt=Now())
    return RemoteCall.objects.filter(unanswered | given_up | nobody, operation=operation)


def carried_out(*, owner: str, system: str) -> bool:
    """Whether anything that `owner` sent to `system` was done there."""
    return RemoteCall.objects.filter(owner=owner, operation__startswith=f"{system}.", state=State.DONE).exists()


def failures(subject: str, operation: str, *, but: Collection[str]) -> int:
    """How many calls of this kind ended without anything being made, but for these error codes."""
    failed = RemoteCall.objects.filter(subject=subject, operation=operation, state=State.FAILED)
    return failed.exclude(error_code__in=but).count()


@lasting
def interrupted(*, owner: str) -> bool:
    """Marks what `owner` was about to send as UNKNOWN, since the owner is no more; tells whether there is any."""
    with failpoints.around("call.interrupted"):
        mine = RemoteCall.objects.filter(owner=owner, state=State.INTENT)
        mine.update(state=State.UNKNOWN, error_code="interrupted")
    return RemoteCall.objects.filter(owner=owner, state__in=OPEN).exists()


def conclude(call: RemoteCall, *, exists: bool, result: Mapping[str, Any] | None = None) -> None:
    """Closes an open call by what a look-up after its quarantine showed. Repeatable."""
    if exists:
        _close(call, state=State.DONE, result={**call.result, **(result or {})})
    else:
        _close(call, state=State.FAILED, error_code=NOT_THERE, error_text="looked up after the quarantine: not there")


@lasting
def fell_through(call: RemoteCall, *, code: str, text: str) -> None:
    """What a closed call asked for was accepted there, be it late, and has failed: nothing exists of it. Repeatable."""
    closed = RemoteCall.objects.filter(pk=call.pk).exclude(state__in=OPEN)
    with failpoints.around("call.fell_through"):
        closed.update(state=State.FAILED, error_code=code[:40], error_text=text[:255])


def release(call: RemoteCall, *, by: str, reason: str) -> None:
    """A member of staff has looked and says that it does not exist there: the next owner may send it. Repeatable."""
    _close(call, state=State.FAILED, error_code=RELEASED, released_by=by[:80], release_reason=reason[:255])
    log.warning("call_released", operation=call.operation)  # the reason is free text and stays in the row


@settled
def _intend(
    subject: str, operation: str, owner: str, deadline_s: float, looked_at: datetime, asked: Mapping[str, Any]
) -> RemoteCall | None:
    """Commits the intent. None when a call of somebody else ended after the look-up, which is then worth nothing.

    Intents of one subject are made one after the other: without that, a whole call of another owner fits between the
    check and the insert, and no index would notice.
    """
    calls = RemoteCall.objects.filter(subject=subject, operation=operation)
    with commit("call.intent"):
        in_turn(subject)
        refuse_while_open(subject, now=looked_at)
        for earlier in calls.filter(state__in=OPEN).select_for_update():
            conclude(earlier, exists=False)
        if calls.filter(owner=owner).exists():
            raise AlreadySent(f"{operation} for {subject} by {owner}")
        if calls.filter(finished_at__gt=looked_at, state=State.DONE).exists():
            return None
        deadline = timedelta(seconds=deadline_s)
        intent = RemoteCall.objects.create(
            subject=subject,
            operation=operation,
            owner=owner,
            deadline_at=Now() + deadline,
            quarantine_until=Now() + deadline + timedelta(seconds=settings.QUARANTINE_S),
            result=dict(asked),
        )
    intent.refresh_from_db()
    return intent


def in_turn(subject: str) -> None:
    """Takes the lock under which intents for this subject are made, for the length of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"journal:{subject}"])


def _pass(intent: RemoteCall, fence: Callable[[], None]) -> None:
    try:
        fence()
    except Exception:
        _close(intent, state=State.FAILED, error_code="not_sent", error_text="the fence held it back")
        raise


def _look_again(
    intent: RemoteCall, error: UnknownOutcome, look_up: Callable[[], T | None], record: Callable[[T], dict[str, Any]]
) -> T:
    """One look after a lost answer: what is there is ours; what is not there may still be coming."""
    try:
        found = look_up()
    except OutsideError:
        found = None
    except Exception:  # what the caller finds wrong there says nothing about this call
        _leave_open(intent, error)
        raise
    if found is not None:
        log.warning("outcome_adopted", operation=intent.operation, code=error.code)
        _close(intent, state=State.DONE, error_code=error.code[:40], result={**intent.result, **record(found)})
        return found
    _leave_open(intent, error)
    raise OutcomeUnknown(intent) from error


@lasting
def _leave_open(intent: RemoteCall, error: UnknownOutcome) -> None:
    unknown = {"state": State.UNKNOWN, "error_code": error.code[:40], "error_text": error.text[:255]}
    with failpoints.around("call.unknown"):
        RemoteCall.objects.filter(pk=intent.pk, state=State.INTENT).update(**unknown)


def _close_open(subject: str, operation: str, **values: Any) -> None:
    for call in RemoteCall.objects.filter(subject=subject, operation=operation, state__in=OPEN):
        _close(call, **{**values, "result": {**call.result, **values["result"]}})


@lasting
def _close(call: RemoteCall, **values: Any) -> None:
    still_open = Q(pk=call.pk, state__in=OPEN)
    with failpoints.around("call.close"):
        RemoteCall.objects.filter(still_open).update(finished_at=Now(), **values)


def database_clock() -> datetime:
    """The time that leases and quarantines are judged by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert isinstance(now, datetime)
    return now
