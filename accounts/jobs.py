"""What the workers call for accounts."""

from django.conf import settings

from accounts import asking_whmcs, journeys, refresh, retention, signup
from accounts.identity import drafts, storage
from accounts.profile import syncing
from accounts.security import sessions
from journal import rounds

PAYMENT_S = 120
SESSIONS_S = 3600
PAPERS_S = 3600
RETENTION_S = 24 * 3600


def advance(journey_id: int) -> None:
    """Queue `cases`."""
    signup.advance(journey_id)


def advance_journeys() -> None:
    """Queue `housekeeping`: journeys whose job got lost, and those to be tried again."""
    rounds.run("accounts.advance_journeys", settings.SWEEP_S, advance_due)


def advance_due(limit: int = 20) -> dict[str, int]:
    """Advances the journeys that are due, one after the other; says how many. Needs no Redis."""
    waiting = list(journeys.due().values_list("pk", flat=True)[:limit])
    for journey_id in waiting:
        signup.advance(journey_id)
    return {"advanced": len(waiting)}


def sync_profile(user_id: int) -> None:
    """Queue `cases`: what the customer changed about themselves goes to WHMCS and Salesforce."""
    syncing.sync(user_id)


def sync_profiles() -> None:
    """Queue `housekeeping`: changes whose job got lost, and those to be tried again."""
    rounds.run("accounts.sync_profiles", settings.SWEEP_S, syncing.sync_due)


def ask_for_payment_methods() -> None:
    """Queue `housekeeping`, every two minutes: how those pay who look at no page about it."""
    rounds.run("accounts.ask_for_payment_methods", PAYMENT_S, asking_whmcs.ask_due)


def refresh_accounts() -> None:
    """Queue `housekeeping`: what changed on Accounts in Salesforce."""
    rounds.run("accounts.refresh_accounts", settings.ACCOUNT_REFRESH_S, refresh.refresh_accounts)


def delete_expired_sessions() -> None:
    """Queue `housekeeping`, hourly: sessions that are over."""
    rounds.run("accounts.delete_expired_sessions", SESSIONS_S, sessions.delete_expired)


def delete_unverified() -> None:
    """Queue `housekeeping`, daily: sign-ups nobody verified."""
    rounds.run("accounts.delete_unverified", RETENTION_S, retention.delete_unverified)


def delete_left_papers() -> None:
    """Queue `housekeeping`, hourly: drafts of identity papers nobody touched, and files without a row."""
    rounds.run("accounts.delete_left_papers", PAPERS_S, _delete_left_papers)


def _delete_left_papers() -> dict[str, int]:
    return {"drafts": drafts.delete_left()["deleted"], "files": storage.delete_orphans()["deleted"]}
