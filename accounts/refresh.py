"""Account changes made in Salesforce reach the links: eligibility, identity, portal status (decisions.md 14)."""

from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from accounts import closing
from accounts.models import CustomerLink
from accounts.security import sessions
from integrations import gateway
from integrations.salesforce.schemas import AccountRecord

OVERLAP = timedelta(seconds=60)  # clocks differ, and a change may be committed after its time stamp


def refresh_accounts() -> dict[str, int]:
    """Asks Salesforce once for the Accounts changed since the newest answer we have; says how many links changed.

    Safe to repeat. Not to be called in a transaction. Raises OutsideError.
    """
    started = timezone.now()
    newest = CustomerLink.objects.aggregate(newest=Max("account_refreshed_at"))["newest"]
    changes = gateway.salesforce().account_changes(since=newest - OVERLAP if newest else None)
    return {"changed": sum(_apply(account, started) for account in changes)}


def _apply(account: AccountRecord, started: object) -> int:
    if account.portal_status == CustomerLink.CLOSED:
        closing.carried_out(account.id)
        _sign_out(account.id)
    links = CustomerLink.objects.filter(sf_account_id=account.id, state=CustomerLink.State.LINKED)
    return links.update(
        internet_eligibility=account.internet_eligibility,
        internet_eligibility_status=account.internet_eligibility_status,
        internet_eligibility_requested_at=account.internet_eligibility_requested_at,
        identity_status=account.identity_status,
        portal_status=account.portal_status,
        account_refreshed_at=started,
    )


def _sign_out(sf_account_id: str) -> None:
    """A closed account's customer is signed out everywhere; from now on signing in is refused (decisions.md 6)."""
    for user_id in CustomerLink.objects.filter(
        sf_account_id=sf_account_id, state=CustomerLink.State.LINKED
    ).values_list("user_id", flat=True):
        sessions.end(user_id)
