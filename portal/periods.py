"""How often each periodic round is meant to succeed, and when that makes it late."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings

DAY_S = 24 * 3600
GRACE_S = 300  # of patience beyond three missed turns

# The name under which journal.rounds keeps it -> seconds; the longest where a round varies its own pace.
PERIODS: Mapping[str, float] = {
    "provisioning.sweep": settings.SWEEP_S,
    "provisioning.outbox": settings.SWEEP_S,
    "provisioning.reconcile": 600,
    "provisioning.clean_up": 4 * settings.SWEEP_S,
    "provisioning.forget_payloads": DAY_S,
    "orders.refresh": settings.REFRESH_S,
    "orders.place_submitted": settings.SWEEP_S,
    "orders.cancel_asked": settings.SWEEP_S,
    "accounts.advance_journeys": settings.SWEEP_S,
    "accounts.sync_profiles": settings.SWEEP_S,
    "accounts.ask_for_payment_methods": 120,
    "accounts.refresh_accounts": settings.ACCOUNT_REFRESH_S,
    "accounts.submit_papers": settings.SWEEP_S,
    "accounts.delete_papers": DAY_S,
    "accounts.delete_unverified": DAY_S,
    "accounts.delete_expired_sessions": 3600,
    "accounts.delete_left_papers": 3600,
    "orders.delete_left_carts": DAY_S,
    "portal.delete_expired_cache": 3600,
    "catalog.sync": 300,
    "catalog.send_checks": settings.SWEEP_S,
    "catalog.notice_answers": settings.SWEEP_S,
    "catalog.delete_left_checks": DAY_S,
    "catalog.read_billing": 900,
    "notifications.send_due": settings.SWEEP_S,
    "notifications.delete_left": DAY_S,
    "support.open_due": settings.SWEEP_S,
    "portal.alerts": 60,
}


def is_late(name: str, succeeded_at: datetime | None, now: datetime) -> bool:
    """Whether the round has not succeeded for longer than its period explains; one that never did is late."""
    allowed = timedelta(seconds=GRACE_S + 3 * PERIODS.get(name, DAY_S))
    return succeeded_at is None or now - succeeded_at > allowed
