"""Which users may act for which clients (whmcs-wire §2): the owner, and those who were invited."""

from sandbox.whmcs.accounts.records import Invite, UserLink
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.records import Client, User


def link_of(whmcs: Whmcs, user_id: int, client_id: int) -> UserLink | None:
    """How the user is linked to a client of another owner."""
    return next((each for each in whmcs.user_links.find("user_id", user_id) if each.client_id == client_id), None)


def may_act_for(whmcs: Whmcs, user_id: int, client: Client) -> bool:
    """Whether the user owns the client or is linked to it."""
    return user_id == client.owner_user_id or link_of(whmcs, user_id, client.id) is not None


def users_of(whmcs: Whmcs, client: Client) -> list[User]:
    """The owner, then the others."""
    numbers = [client.owner_user_id, *(each.user_id for each in whmcs.user_links.find("client_id", client.id))]
    found = [whmcs.users.get(number) for number in numbers]
    return [user for user in found if user is not None]


def owned_by(whmcs: Whmcs, user_id: int) -> list[Client]:
    """The clients whose owner the user is."""
    return whmcs.clients.find("owner_user_id", user_id)


def clients_of(whmcs: Whmcs, user_id: int) -> list[Client]:
    """Those the user owns, then those the user was invited to."""
    linked = [whmcs.clients.get(each.client_id) for each in whmcs.user_links.find("user_id", user_id)]
    return [*owned_by(whmcs, user_id), *(client for client in linked if client is not None)]


def by_email(whmcs: Whmcs, email: str) -> User | None:
    """The user who signs in with this address."""
    return next(iter(whmcs.users.find("email", email)), None) if email else None


def accept(whmcs: Whmcs, invite: Invite) -> UserLink | None:
    """The invited user says yes and the invitation is used up; None as long as nobody has its address."""
    user = by_email(whmcs, invite.email)
    client = whmcs.clients.get(invite.client_id)
    if user is None or client is None or may_act_for(whmcs, user.id, client):
        return None
    whmcs.invites.delete(invite.id)
    return whmcs.user_links.put(UserLink(whmcs.user_links.next_id(), user.id, client.id, invite.permissions))
