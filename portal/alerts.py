"""The portal's own alert for installs without Prometheus: too many of the recent attempts failed (observability.md §3).

One mail per episode: it begins above a tenth and is over below a twentieth. The episode is a row, so that a restart
repeats nothing; a mail that could not be sent is tried again by the next round.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from journal import rounds
from portal.metrics.provisioning import with_outcome
from portal.models import AlertEpisode
from provisioning.failures import CUSTOMER_CAUSES
from provisioning.models import Attempt

log = structlog.get_logger(__name__)
NAME = "provisioning_failures"
BEGINS_ABOVE, OVER_BELOW = 0.10, 0.05
LAST, WITHIN, AT_LEAST = 50, timedelta(hours=24), 5
PERIOD_S = 60
BAD = ("failed", "unknown")


@dataclass(frozen=True)
class Recent:
    """The last attempts that came to something, and why the bad ones went wrong (code -> count)."""

    total: int
    causes: Counter[str]

    @property
    def bad(self) -> int:
        return self.causes.total()

    @property
    def by_customers(self) -> int:
        """How many of the bad ones wait for a card or an identity document."""
        return sum(self.causes[code] for code in CUSTOMER_CAUSES)

    @property
    def ratio(self) -> float:
        return self.bad / self.total if self.total else 0.0


def recent() -> Recent:
    """The last 50 attempts of the last 24 hours that were provisioned, failed, or had an unknown outcome."""
    attempts = with_outcome(Attempt.objects.filter(created_at__gte=Now() - WITHIN)).filter(
        outcome__in=["provisioned", *BAD]
    )
    rows = list(attempts.order_by("-created_at").values_list("outcome", "error_code")[:LAST])
    causes = Counter(code or "outcome_unknown" for outcome, code in rows if outcome in BAD)
    return Recent(len(rows), causes)


def check() -> None:
    """The round: begins or ends the episode, and sends the mail that is due."""
    rounds.run("portal.alerts", PERIOD_S, _check)


def _check() -> dict[str, int]:
    now = recent()
    episode, _made = AlertEpisode.objects.get_or_create(name=NAME)
    if not episode.active and now.total >= AT_LEAST and now.ratio > BEGINS_ABOVE:
        episode.active, episode.mailed_at = True, None
        episode.save()
        log.error("alert_began", code=NAME, count=now.bad)
    elif episode.active and now.ratio < OVER_BELOW:
        episode.active = False
        episode.save()
        log.warning("alert_over", code=NAME)
    if episode.active and episode.mailed_at is None and settings.ALERT_EMAILS:
        return {"mailed": _mail(now)}
    return {"mailed": 0}


def _mail(now: Recent) -> int:
    """Sends the mail and writes down that it went out. Raises OSError when the mail server does not take it."""
    texts = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            texts.append(_text(now))
    with translation.override("en"):
        subject = _("%(brand)s: %(bad)d of %(total)d provisionings failed") % _numbers(now)
    send_mail(subject, "\n\n".join(texts), settings.DEFAULT_FROM_EMAIL, settings.ALERT_EMAILS)
    AlertEpisode.objects.filter(name=NAME).update(mailed_at=Now())
    return 1


def _text(now: Recent) -> str:
    causes = "\n".join(f"  {code}: {count}" for code, count in now.causes.most_common())
    return "\n".join(
        [
            _("%(bad)d of the last %(total)d provisionings failed or have an unknown outcome.") % _numbers(now),
            _("%(by_customers)d of them wait for a customer (card or identity document).") % _numbers(now),
            causes,
            _("See %(address)s and docs/runbooks/provisioning-failures.md.") % {"address": _address()},
        ]
    )


def _numbers(now: Recent) -> dict[str, object]:
    return {"brand": settings.BRAND_NAME, "bad": now.bad, "total": now.total, "by_customers": now.by_customers}


def _address() -> str:
    return f"{settings.SITE_URL}{reverse('provisioning_now')}"
