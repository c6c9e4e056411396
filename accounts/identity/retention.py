"""When papers go: their files and keys, never the row that says that there were some (security.md §5).

Drafts that were never sent in go by `drafts.delete_left`, files without a row by `storage.delete_orphans`.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.identity import checks, storage
from accounts.models import CustomerLink, IdentityCheck
from audit import trail
from journal.commits import commit

MOST = 200  # checks in one round


def delete_papers() -> dict[str, int]:
    """Deletes the papers that need not be kept any longer; says how many. Repeatable.

    A check on legal hold keeps everything. What was sent to Salesforce is Salesforce's to keep or delete.
    """
    over = _over().filter(documents__deleted_at=None, documents__isnull=False)
    due = list(over.order_by("pk").values_list("pk", flat=True).distinct()[:MOST])
    return {"papers": sum(_forget(check_id) for check_id in due)}


def _over() -> QuerySet[IdentityCheck]:
    """Decided so many days ago; or undecided and as long untouched, of an account that is closed. What is still on its
    way to Salesforce stays until it is there."""
    before = timezone.now() - timedelta(days=settings.IDENTITY_KEEP_DAYS)
    decided = Q(state__in=[checks.State.VERIFIED, checks.State.REJECTED], decided_at__lt=before)
    closed = Q(user__link__portal_status=CustomerLink.CLOSED, state=checks.State.PENDING, updated_at__lt=before)
    return IdentityCheck.objects.filter(decided | closed, legal_hold=False)


def _forget(check_id: int) -> int:
    """The hold is looked at once more under the check's lock: somebody may have set it just now."""
    with commit("identity.forget"):
        check = IdentityCheck.objects.select_for_update().get(pk=check_id)
        if check.legal_hold:
            return 0
        gone = storage.forget(check.documents.filter(deleted_at=None).values_list("pk", flat=True))
        trail.record("identity_papers_deleted", user_id=check.user_id, subject=f"identity_check:{check.ref}")
    return gone
