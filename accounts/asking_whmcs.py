"""Asking WHMCS how customers pay when they look at no page about it: banner, overview and the warning of a card that
runs out say what was seen last."""

from datetime import timedelta
from time import monotonic

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from accounts import payment
from accounts.models import CustomerLink
from integrations.deadline import ended_within
from integrations.errors import OutsideError, Rejected, is_outage

log = structlog.get_logger(__name__)

AT_ONCE = 50
A_ROUND_S = 30  # no look begins later: other rounds wait in the same queue
ADDING = timedelta(hours=1)  # how long somebody who left for WHMCS' page may take there
AFTER_TROUBLE = timedelta(hours=1)


def ask_due(limit: int = AT_ONCE) -> dict[str, int]:
    """Asks about at most `limit` customers whose turn it is, one call each; says about how many, and how many WHMCS
    refused to speak of. Who left for WHMCS' payment page comes first, again in each round for an hour.

    It ends early after A_ROUND_S seconds and when WHMCS is away: nobody waits for this, and the next round goes on. The
    one at which it is away waits an hour, so that no single customer keeps the others waiting.

    Safe to repeat and to run twice at once; not in a transaction. Raises OutsideError that a person must mend.
    """
    done, until = {"asked": 0, "refused": 0}, monotonic() + A_ROUND_S
    for link in due()[:limit]:
        if monotonic() >= until:
            break
        row = CustomerLink.objects.filter(pk=link.pk)
        row.update(payment_ask_at=Now() + AFTER_TROUBLE)
        try:
            with ended_within(settings.PAGE_DEADLINE_S):
                payment.look(link)
        except Rejected as error:
            log.warning("payment_not_told", user_id=link.user_id, error_code=error.code)
            done["refused"] += 1
            continue
        except OutsideError as error:
            if not is_outage(error):
                raise
            log.warning("payment_not_asked", user_id=link.user_id, error_code=error.code)
            break
        row.update(payment_ask_at=Now() + payment.ASKED_EVERY)
        row.filter(payment_page_opened_at__gt=Now() - ADDING).update(payment_ask_at=Now())
        done["asked"] += 1
    return done


def due() -> QuerySet[CustomerLink]:
    """Customers whose turn it is, and whose account is open."""
    turn = Q(payment_ask_at=None) | Q(payment_ask_at__lte=Now())
    customers = CustomerLink.objects.filter(turn, state=CustomerLink.State.LINKED)
    open_ones = customers.exclude(portal_status=CustomerLink.CLOSED)
    return open_ones.order_by(
        F("payment_page_opened_at").desc(nulls_last=True), F("payment_ask_at").asc(nulls_first=True)
    )
