"""What runs by the clock: `manage.py rqcron portal.cron` puts these on the `housekeeping` queue.

Each is safe to run at any time and any number of times; a run that comes too early returns at once.
"""

from django.conf import settings
from django.utils.module_loading import import_string
from rq import cron

EVERY = {
    "provisioning.jobs.sweep": settings.SWEEP_S,
    "provisioning.jobs.drain_outbox": settings.SWEEP_S,
    "provisioning.jobs.reconcile": 600,
    "provisioning.jobs.clean_up": 4 * settings.SWEEP_S,
    "provisioning.jobs.reconcile_gap": settings.SWEEP_S,
    "provisioning.jobs.forget_payloads": 24 * 3600,
    "orders.jobs.refresh": settings.WATCHED_REFRESH_S,
    "orders.jobs.place_submitted": settings.SWEEP_S,
    "orders.jobs.cancel_asked": settings.SWEEP_S,
    "accounts.jobs.advance_journeys": settings.SWEEP_S,
    "accounts.jobs.sync_profiles": settings.SWEEP_S,
    "accounts.jobs.ask_for_payment_methods": 120,
    "accounts.jobs.refresh_accounts": settings.ACCOUNT_REFRESH_S,
    "accounts.identity.jobs.submit_due": settings.SWEEP_S,
    "accounts.identity.jobs.delete_papers": 24 * 3600,
    "accounts.jobs.delete_unverified": 24 * 3600,
    "accounts.jobs.delete_expired_sessions": 3600,
    "accounts.jobs.delete_left_papers": 3600,
    "orders.jobs.delete_left_carts": 24 * 3600,
    "portal.jobs.delete_expired_cache": 3600,
    "catalog.jobs.sync": 300,
    "catalog.jobs.send_checks": settings.SWEEP_S,
    "catalog.jobs.notice_answers": settings.SWEEP_S,
    "catalog.jobs.delete_left_checks": 24 * 3600,
    "catalog.jobs.read_billing": 900,
    "notifications.jobs.send_due": settings.SWEEP_S,
    "notifications.jobs.delete_left": 24 * 3600,
    "support.jobs.open_due": settings.SWEEP_S,
    "portal.alerts.check": 60,
}

for job, seconds in EVERY.items():
    cron.register(import_string(job), "housekeeping", interval=seconds)
