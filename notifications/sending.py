"""Sends what `outgoing.queue` recorded: at least once, with the same Message-ID on a second copy (decisions.md 25)."""

from datetime import timedelta

import structlog
from anymail.exceptions import AnymailError
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q
from django.template import TemplateDoesNotExist
from django.utils import timezone

from integrations import correlation
from journal.waking import wake
from notifications.models import Email
from notifications.outgoing import SEND
from notifications.rendering import Rendered, Unsendable, render

log = structlog.get_logger(__name__)

MOVES = {
    Email.State.PENDING: {Email.State.SENT, Email.State.FAILED},
    Email.State.FAILED: {Email.State.PENDING},
    Email.State.SENT: {Email.State.PENDING},  # staff asked for another copy
}
GIVE_UP_AFTER = 12  # tries; with the back-off below, about half a day
NEVER_BY_REPEATING = (Unsendable, InvalidToken, TemplateDoesNotExist, UnicodeError)


class CannotResend(Exception):
    """The e-mail held a code or link that is gone; a new one must be asked for instead."""


def back_off(tries: int) -> timedelta:
    """How long after the `tries`-th failed try the next one may begin: 15 s, doubled, at most two hours."""
    return timedelta(seconds=min(15 * 2 ** max(tries - 1, 0), 7200))


def send(email_id: int) -> bool:
    """Sends one e-mail if it is due and no other worker is at it; True when it went out.

    Safe to repeat: a sent e-mail is left alone. Failures are recorded on the row with the time of the next try.
    """
    email = _claim(email_id)
    if email is None:
        return False
    with correlation.bound(email.correlation_id):
        try:
            rendered = render(email)
            _message(email, rendered).send()
        except NEVER_BY_REPEATING as error:
            return _failed(email, error, for_good=True)
        except (OSError, AnymailError) as error:  # smtplib's errors are OSErrors
            return _failed(email, error, for_good=email.tries >= GIVE_UP_AFTER)
        transition(email, Email.State.SENT, subject=rendered.subject, secret_context="", sent_at=timezone.now())
        log.info("email_sent", email_id=email.pk, kind=email.template, count=email.tries)
    return True


def send_due(limit: int = 50) -> dict[str, int]:
    """Sends what is due although its job got lost or a try failed; says how many went out. Needs no Redis."""
    now = timezone.now()
    due = Email.objects.filter(_free(), state=Email.State.PENDING, next_try_at__lte=now).order_by("next_try_at")
    return {"sent": sum(send(pk) for pk in list(due.values_list("pk", flat=True)[:limit]))}


def resend(email_id: int) -> None:
    """Sends another copy with the same Message-ID: a customer says it never came. Raises CannotResend."""
    with transaction.atomic():
        email = Email.objects.select_for_update().get(pk=email_id)
        if email.state == Email.State.SENT and email.template in Email.SECRET_TEMPLATES:
            raise CannotResend
        if email.state != Email.State.PENDING:
            transition(email, Email.State.PENDING, tries=0)
        Email.objects.filter(pk=email_id).update(next_try_at=timezone.now())
        wake("emails", SEND, email_id)


def transition(email: Email, to: str, **fields: object) -> None:
    """Moves `email` to the state `to` under its row lock, gives the lease back. Raises ValueError when not allowed."""
    with transaction.atomic():
        row = Email.objects.select_for_update().get(pk=email.pk)
        if to not in MOVES[Email.State(row.state)]:
            raise ValueError(f"an e-mail cannot go from {row.state} to {to}")
        Email.objects.filter(pk=email.pk).update(state=to, lease_until=None, **fields)
    email.state = to


def _free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=timezone.now())


def _claim(email_id: int) -> Email | None:
    now = timezone.now()
    due = Email.objects.filter(_free(), pk=email_id, state=Email.State.PENDING, next_try_at__lte=now)
    lease = now + timedelta(seconds=settings.EMAIL_TIMEOUT * 4)  # connect, greet, data, quit
    if not due.update(lease_until=lease, tries=F("tries") + 1):
        return None
    return Email.objects.get(pk=email_id)


def _message(email: Email, rendered: Rendered) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        rendered.subject,
        rendered.text,
        settings.DEFAULT_FROM_EMAIL,
        [email.to],
        headers={"Message-ID": email.message_id},
    )
    message.attach_alternative(rendered.html, "text/html")
    return message


def _failed(email: Email, error: Exception, *, for_good: bool) -> bool:
    """Writes down why; the error's own text may hold an address, so only its kind is kept."""
    why = type(error).__name__
    if for_good:
        transition(email, Email.State.FAILED, last_error=why)
    else:
        next_try = timezone.now() + back_off(email.tries)
        Email.objects.filter(pk=email.pk).update(last_error=why, lease_until=None, next_try_at=next_try)
    log.warning(
        "email_failed", email_id=email.pk, kind=email.template, reason=why, count=email.tries, state=email.state
    )
    return False
