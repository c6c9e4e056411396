"""Whether a user is a customer in the other two systems. One query: Django keeps the answer on the user."""

from django.contrib.auth.models import AnonymousUser

from accounts.models import CustomerLink, User


def link_of(user: User | AnonymousUser) -> CustomerLink | None:
    """The user's link whatever its state, a provisional one included. For display of the waiting only."""
    if not isinstance(user, User):
        return None
    try:
        return user.link
    except CustomerLink.DoesNotExist:
        return None


def linked(user: User | AnonymousUser) -> CustomerLink | None:
    """The user's link if it is real. A provisional one counts as none (decisions.md 2)."""
    link = link_of(user)
    return link if link is not None and link.state == CustomerLink.State.LINKED else None


def opened(user: User | AnonymousUser) -> CustomerLink | None:
    """The user's link if it is real and neither the account is closed (decisions.md 6) nor the user disabled."""
    link = linked(user) if user.is_active else None
    return link if link is not None and link.portal_status != CustomerLink.CLOSED else None
