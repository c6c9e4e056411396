"""A customer asks that the account be closed; customer support carries it out in Salesforce (decisions.md 6).

Support terminates what is still running and sets Portal_Status__c to Inactive; the account refresh notices that. Whose
sign-up never ended in an Account of their own is disabled in the portal instead.
"""

from django.db import transaction
from django.utils import timezone

from accounts.links import linked
from accounts.models import ClosingRequest, CustomerLink, User
from accounts.names import addressee
from audit import trail
from notifications import outgoing
from support.cases import open_case

State = ClosingRequest.State


def open_request(user: User) -> ClosingRequest | None:
    """The request that waits to be carried out, if there is one."""
    return ClosingRequest.objects.filter(user=user, state=State.ASKED).first()


def ask(user: User) -> ClosingRequest:
    """Records the wish and a Case for support, once while it is open. Repeatable."""
    with transaction.atomic():
        request, made = ClosingRequest.objects.get_or_create(user=user, state=State.ASKED)
        if made:
            trail.record("closing_asked", actor_id=user.pk, user_id=user.pk)
            _write(request, "closing_asked")
            text = ASKED if linked(user) else ASKED_WITHOUT_ACCOUNT.format(email=user.email, user=user.pk)
            _open_case(user, f"closing:{request.pk}", "Close a customer's account", text)
    return request


def take_back(user: User) -> bool:
    """The customer stays after all, and support is told; whether there was a request to take back. Repeatable."""
    with transaction.atomic():
        request = ClosingRequest.objects.select_for_update().filter(user=user, state=State.ASKED).first()
        if request is None:
            return False
        _end(request, State.WITHDRAWN)
        trail.record("closing_taken_back", actor_id=user.pk, user_id=user.pk)
        _open_case(user, f"closing_taken_back:{request.pk}", "Do not close a customer's account", TAKEN_BACK)
    return True


def carried_out(sf_account_id: str) -> None:
    """Salesforce says that the account is closed: the request is done with, and its customer is told. Repeatable."""
    links = CustomerLink.objects.filter(sf_account_id=sf_account_id, state=CustomerLink.State.LINKED)
    for request in ClosingRequest.objects.filter(user__link__in=links, state=State.ASKED).select_related("user"):
        _done(request)


def carried_out_here(user: User) -> None:
    """Support disabled `user` in the portal: where there is no Account to close, the wish is carried out. Repeatable.

    A customer's wish stays open: their Account and services are not closed by this.
    """
    request = open_request(user)
    if request is not None and linked(user) is None:
        _done(request)


ASKED = (
    "The customer asked in the portal that the account be closed. Check for services, open orders and unpaid invoices, "
    "talk to the customer if there are any, terminate what is to end, then set Portal_Status__c of the Account to "
    "Inactive. What must be kept by law stays; `manage.py erase_customer` removes the rest from the portal."
)
ASKED_WITHOUT_ACCOUNT = (
    "{email} (portal user {user}) asked in the portal that the account be closed. Their sign-up has not ended in an "
    "Account of their own: look under sign-up journeys in the portal's admin what it waits for, and settle what it "
    "made in Salesforce or WHMCS. Then disable the user in the portal's admin, with this Case as the reason: that ends "
    "the wish and tells them. `manage.py erase_customer` removes the rest from the portal."
)
TAKEN_BACK = "The customer took the wish to close the account back in the portal. Leave the account as it is."


def _open_case(user: User, cause: str, subject: str, description: str) -> None:
    link = linked(user)
    open_case(
        cause=cause,
        kind="General Inquiry",
        subject=subject,
        description=description,
        user_id=user.pk,
        sf_account_id=link.sf_account_id if link else "",
    )


def _write(request: ClosingRequest, template: str) -> None:
    """The e-mail about it, once per request."""
    user = request.user
    outgoing.queue(
        cause=f"{template}:{request.pk}",
        template=template,
        to=user.email,
        user_id=user.pk,
        language=user.language,
        context={"addressee": addressee(user, user.language)},
    )


def _done(request: ClosingRequest) -> None:
    with transaction.atomic():
        if _end(request, State.CARRIED_OUT):
            _write(request, "closing_done")


def _end(request: ClosingRequest, state: str) -> bool:
    """Whether the request was open until now."""
    still_open = ClosingRequest.objects.filter(pk=request.pk, state=State.ASKED)
    return bool(still_open.update(state=state, ended_at=timezone.now()))
