"""Users, and which clients they may act for: AddUser to UpdateUserPermissions (whmcs-wire §2, §3.1)."""

import secrets

from sandbox.whmcs import mails
from sandbox.whmcs.accounts import passwords, users
from sandbox.whmcs.accounts.addresses import is_email
from sandbox.whmcs.accounts.records import PERMISSIONS, Invite, UserLink
from sandbox.whmcs.accounts.searching import beginning_so
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of, page_of_book
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.records import Client, User

_REQUIRED = {
    "firstname": "You did not enter a first name",
    "lastname": "You did not enter a last name",
    "email": "You did not enter an email address",
    "password2": "You did not enter a password",
}
_CHANGEABLE = ("email", "firstname", "lastname", "language")
_INVALID_EMAIL = "The email address entered is not valid"
_TAKEN = "A user already exists with that email address"


def add_user(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A login without any client. Naturally repeatable: an address is taken once."""
    for name, complaint in _REQUIRED.items():
        if not text(form.get(name)):
            raise Refused(complaint)
    _check_email(whmcs, text(form["email"]))
    user = User(
        id=whmcs.users.next_id(),
        email=text(form["email"]),
        firstname=text(form["firstname"]),
        lastname=text(form["lastname"]),
        created=whmcs.timestamp(),
        password=passwords.hashed(text(form["password2"])),
        language=text(form.get("language")),
    )
    whmcs.users.put(user)
    return Answer({"user_id": str(user.id)}, key=str(user.id))


def _check_email(whmcs: Whmcs, email: str, *, of: int = 0) -> None:
    """Raises Refused for what is no address, or is another user's."""
    if not is_email(email):
        raise Refused(_INVALID_EMAIL)
    holder = users.by_email(whmcs, email)
    if holder is not None and holder.id != of:
        raise Refused(_TAKEN)


def update_user(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent; the clients of the user keep their own addresses."""
    user = whmcs.users.get(to_int(form.get("user_id")))
    if user is None:
        raise Refused("Invalid User ID requested")
    sent = [name for name in _CHANGEABLE if text(form.get(name))]
    if not sent:
        raise Refused("One of `email`, `firstname`, `lastname`, or `language` is required")
    if "email" in sent:
        _check_email(whmcs, text(form["email"]), of=user.id)
    for name in sent:
        setattr(user, name, text(form[name]))
    whmcs.users.put(user)
    return Answer({"user_id": str(user.id)}, key=str(user.id), detail={"changed": sent})


def get_users(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Users whose e-mail or name begins with `search`, in a plain array: the way from a user's id to client ids."""
    wanted = text(form.get("search")).casefold()
    descending = text(form.get("sorting")).upper() == "DESC"
    if wanted:
        found = beginning_so(whmcs.users, ("email", "firstname", "lastname"), wanted)
        listing = page_of(form, found[::-1] if descending else found)
    else:
        listing = page_of_book(form, whmcs.users, newest_first=descending)
    envelope = listing.envelope("users", "user", lambda user: _row(whmcs, user))
    return Answer({**envelope, "users": envelope["users"]["user"]})


def _row(whmcs: Whmcs, user: User) -> Payload:
    clients = [{"id": each.id, "isOwner": each.owner_user_id == user.id} for each in users.clients_of(whmcs, user.id)]
    return {
        "id": user.id,
        "firstname": user.firstname,
        "lastname": user.lastname,
        "email": user.email,
        "datecreated": user.created,
        "validationdata": "",
        "clients": clients,
    }


def get_permissions_list(_: Whmcs, __: PhpArray) -> Answer:
    """Everything a user may be allowed for a client; the official sample has `status` in place of `result`."""
    return Answer({"permissions": {"permission": list(PERMISSIONS)}}, verdict="status")


def get_user_permissions(whmcs: Whmcs, form: PhpArray) -> Answer:
    """What a user may do for a client: the owner everything. The shape of the list is not documented; it is that of
    GetPermissionsList."""
    user, client = _user_and_client(whmcs, form)
    link = users.link_of(whmcs, user.id, client.id)
    if link is None and user.id != client.owner_user_id:
        raise Refused("User is not associated with client")
    held = list(PERMISSIONS) if link is None else link.permissions
    return Answer({"permissions": {"permission": held}}, key=str(user.id))


def update_user_permissions(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Replaces what an invited user may do; the owner may everything, always."""
    user, client = _user_and_client(whmcs, form)
    if user.id == client.owner_user_id:
        raise Refused("Permissions cannot be set on a client owner")
    permissions = _permissions(form)
    if not permissions:
        raise Refused("Missing permissions definition")
    link = _link(whmcs, user, client)
    link.permissions = permissions
    whmcs.user_links.put(link)
    return Answer(key=str(user.id), detail={"client": client.id, "permissions": permissions})


def delete_user_client(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Ends an invited user's way to the client; the owner stays."""
    user, client = _user_and_client(whmcs, form)
    if user.id == client.owner_user_id:
        raise Refused("You cannot remove the account owner")
    whmcs.user_links.delete(_link(whmcs, user, client).id)
    return Answer(key=str(user.id), detail={"client": client.id})


def _user_and_client(whmcs: Whmcs, form: PhpArray) -> tuple[User, Client]:
    user = whmcs.users.get(to_int(form.get("user_id")))
    if user is None:
        raise Refused("Invalid user id")
    client = whmcs.clients.get(to_int(form.get("client_id")))
    if client is None:
        raise Refused("Invalid client id")
    return user, client


def _link(whmcs: Whmcs, user: User, client: Client) -> UserLink:
    link = users.link_of(whmcs, user.id, client.id)
    if link is None:
        raise Refused("User is not associated with client")
    return link


def _permissions(form: PhpArray) -> list[str]:
    """Those of the comma list that there are, each once, in WHMCS's own order."""
    sent = {each.strip().lower() for each in text(form.get("permissions")).split(",")}
    return [each for each in PERMISSIONS if each in sent]


def create_client_invite(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Mails an invitation to act for a client. Not repeatable: each call mails another."""
    email = text(form.get("email"))
    if not email:
        raise Refused("Email is required")
    client = whmcs.clients.get(to_int(form.get("client_id")))
    if client is None:
        raise Refused("Invalid client id")
    if not is_email(email):
        raise Refused(_INVALID_EMAIL)
    permissions = _permissions(form)
    if not permissions:
        raise Refused("User permissions are required")
    user = users.by_email(whmcs, email)
    if user is not None and users.may_act_for(whmcs, user.id, client):
        raise Refused("User already associated with client")
    number, token = whmcs.invites.next_id(), secrets.token_hex(20)
    whmcs.invites.put(Invite(number, client.id, email, permissions, token, whmcs.timestamp()))
    mails.deliver(whmcs, email, "Account Access Invitation", f"You are invited to act for {client.fullname}.")
    return Answer(key=str(client.id), detail={"invite": number, "permissions": permissions})
