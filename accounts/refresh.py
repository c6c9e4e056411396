"""Account changes made in Salesforce reach the links: eligibility, identity, status, Contact (decisions.md 14)."""

from datetime import timedelta

from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts import closing
from accounts.identity import outcome
from accounts.models import CustomerLink
from accounts.security import sessions
from integrations import gateway
from integrations.salesforce.schemas import AccountRecord

OVERLAP = timedelta(seconds=60)  # clocks differ, and a change may be committed after its time stamp


def refresh_accounts() -> dict[str, int]:
    """Asks Salesforce once for the Accounts changed since the newest answer we have; says how many links changed, and
    how many identity checks were decided.

    Safe to repeat; a run that dies in the middle is made up for by the next, since only the end of a run counts as an
    answer. Not to be called in a transaction. Raises OutsideError.
    """
    started = timezone.now()
    newest = CustomerLink.objects.aggregate(newest=Max("account_refreshed_at"))["newest"]
    changes = gateway.salesforce().account_changes(since=newest - OVERLAP if newest else None)
    done = {"changed": sum(_apply(account) for account in changes), "decided": sum(map(outcome.follow, changes))}
    _links(*(account.id for account in changes)).update(account_refreshed_at=started)
    return done


def _apply(account: AccountRecord) -> int:
    if account.portal_status == CustomerLink.CLOSED:
        closing.carried_out(account.id)
        _sign_out(account.id)
    _find_contact(account)
    return _links(account.id).update(
        internet_eligibility=account.internet_eligibility,
        internet_eligibility_status=account.internet_eligibility_status,
        internet_eligibility_requested_at=account.internet_eligibility_requested_at,
        identity_status=account.identity_status,
        portal_status=account.portal_status,
    )


def _find_contact(account: AccountRecord) -> None:
    """Who was linked without a Contact of their own has one since support put their address on it."""
    for link in _links(account.id).filter(sf_contact_id="").select_related("user"):
        if contact_id := account.contact_of(link.user.email):
            CustomerLink.objects.filter(pk=link.pk, sf_contact_id="").update(sf_contact_id=contact_id)


def _links(*sf_account_ids: str) -> QuerySet[CustomerLink]:
    return CustomerLink.objects.filter(sf_account_id__in=sf_account_ids, state=CustomerLink.State.LINKED)


def _sign_out(sf_account_id: str) -> None:
    """A closed account's customer is signed out everywhere; from now on signing in is refused (decisions.md 6)."""
    for user_id in _links(sf_account_id).values_list("user_id", flat=True):
        sessions.end(user_id)
