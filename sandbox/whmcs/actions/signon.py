"""CreateSsoToken (whmcs-wire §3.1)."""

import secrets

from sandbox.whmcs import sso
from sandbox.whmcs.accounts import users
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.records import Client, SsoToken

LIFETIME_S = 60
_NOBODY = "A valid client_id or user_id is required"


def create_sso_token(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A 40-digit token for one sign-in within 60 seconds of the sandbox's clock. Each call makes another."""
    client, user_id = _who(whmcs, form)
    if not client.allow_sso:
        raise Refused(f"SSO authentication blocked for client {client.id}")
    token = SsoToken(
        id=whmcs.sso_tokens.next_id(),
        token=secrets.token_hex(20),
        client_id=client.id,
        user_id=user_id,
        path=sso.landing(whmcs, client, form),
        expires=whmcs.clock.now().timestamp() + LIFETIME_S,
    )
    whmcs.sso_tokens.put(token)
    url = f"{whmcs.config.people_url}{sso.CLIENT_AREA}/oauth/singlesignon.php?access_token={token.token}"
    detail = {"destination": text(form.get("destination"))}
    return Answer({"access_token": token.token, "redirect_url": url}, key=str(client.id), detail=detail)


def _who(whmcs: Whmcs, form: PhpArray) -> tuple[Client, int]:
    """The client of `client_id` and its owner, or the user of `user_id`, who has to be one of that client's; a user
    alone comes in as the first client that is the user's."""
    user_id = to_int(form.get("user_id"))
    if text(form.get("client_id")):
        client = whmcs.clients.get(to_int(form["client_id"]))
        if client is None:
            raise Refused("Invalid client_id")
        _check_user(whmcs, form, client)
        return client, user_id or client.owner_user_id
    if not text(form.get("user_id")):
        raise Refused(_NOBODY)
    _check_user(whmcs, form, None)
    mine = users.clients_of(whmcs, user_id)
    if not mine:
        raise Refused(_NOBODY)
    return mine[0], user_id


def _check_user(whmcs: Whmcs, form: PhpArray, client: Client | None) -> None:
    if not text(form.get("user_id")):
        return
    user = whmcs.users.get(to_int(form["user_id"]))
    if user is None:
        raise Refused("Invalid user_id")
    if client is not None and not users.may_act_for(whmcs, user.id, client):
        raise Refused("Invalid user_id for client")
