"""What support decides on the Account becomes the state of the customer's check, and a mail (decisions.md 14)."""

from collections.abc import Mapping

from django.utils import timezone

from accounts.identity import checks
from accounts.identity.checks import State
from accounts.models import CustomerLink, IdentityCheck, User
from accounts.names import addressee
from integrations.salesforce import fields as f
from integrations.salesforce.schemas import AccountRecord
from journal.commits import commit
from notifications import outgoing

DECISIONS: Mapping[str, str] = {f.IDENTITY_VERIFIED: State.VERIFIED, f.IDENTITY_REJECTED: State.REJECTED}
LONGEST_MESSAGE = 1000


def follow(account: AccountRecord) -> bool:
    """Moves the newest check of this Account's customer to where the Account stands; whether it moved. Repeatable.

    A rejection counts only for the papers it is about: the Account names the moment at which they were submitted, and
    an answer that was read before newer papers arrived names an earlier one. Makes no remote call.
    """
    to = DECISIONS.get(account.identity_status)
    if to is None:
        return False
    with commit("identity.decide"):
        check = _newest(account)
        if check is None or (to == State.REJECTED and not _is_about(account, check)):
            return False
        message = account.identity_message.strip()[:LONGEST_MESSAGE] if to == State.REJECTED else ""
        if check.state == to:
            IdentityCheck.objects.filter(pk=check.pk).update(rejection_message=message)
            return False
        checks.transition(check.pk, to, decided_at=timezone.now(), rejection_message=message)
        write_to_customer(check.user, check, to, message)
    return True


def write_to_customer(user: User, check: IdentityCheck, outcome: str, message: str) -> None:
    """Queues the mail about an outcome, once for each outcome of a check, in the caller's transaction."""
    outgoing.queue(
        cause=f"identity_{outcome}:{check.ref}",
        template=f"identity_{outcome}",
        to=user.email,
        user_id=user.pk,
        language=user.language,
        context={"addressee": addressee(user, user.language)} | ({"message": message} if message else {}),
    )


def _newest(account: AccountRecord) -> IdentityCheck | None:
    """The newest check that was sent in, locked; None while it is still on its way, when it decides for itself."""
    linked = CustomerLink.State.LINKED
    theirs = IdentityCheck.objects.filter(user__link__sf_account_id=account.id, user__link__state=linked)
    sent = theirs.exclude(state=State.DRAFT).select_for_update(of=("self",)).select_related("user")
    newest = sent.order_by("-submitted_at").first()
    return None if newest is None or newest.state == State.SUBMITTED else newest


def _is_about(account: AccountRecord, check: IdentityCheck) -> bool:
    assert check.submitted_at is not None  # identity_sent_has_a_time
    told = account.identity_submitted_at
    return told is not None and told >= check.submitted_at.replace(microsecond=0)
