"""GetPayMethods and CreateSsoToken (whmcs-wire §3.1)."""

import secrets

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.records import Client, PayMethod, SsoToken

SSO_LIFETIME_S = 60
CLIENT_AREA = "/whmcs"
HOME = "clientarea.php"
INVOICES = "clientarea.php?action=invoices"
PAYMENT_METHODS = "index.php?rp=/account/paymentmethods"
CUSTOM_REDIRECT = "sso:custom_redirect"
_CARD_TYPES = {"CreditCard": ("CreditCard", "RemoteCreditCard"), "BankAccount": ("BankAccount", "RemoteBankAccount")}
# The destinations that the client area of this sandbox really has lead to their page, all others to its home.
DESTINATIONS = {
    "clientarea:billing_info": PAYMENT_METHODS,
    "clientarea:invoices": INVOICES,
    **dict.fromkeys(
        (
            "clientarea:profile",
            "clientarea:emails",
            "clientarea:announcements",
            "clientarea:downloads",
            "clientarea:knowledgebase",
            "clientarea:network_status",
            "clientarea:services",
            "clientarea:product_details",
            "clientarea:domains",
            "clientarea:domain_details",
            "clientarea:tickets",
            "clientarea:submit_ticket",
            "clientarea:shopping_cart",
            "clientarea:shopping_cart_addons",
            "clientarea:shopping_cart_domain_register",
            "clientarea:shopping_cart_domain_transfer",
        ),
        HOME,
    ),
}


def get_pay_methods(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Stored cards as a plain array, oldest first; the order is all that tells which one is charged first."""
    if not form.get("clientid"):
        raise Refused("Client ID Is Required")
    kind = text(form.get("type"))
    if kind and kind not in _CARD_TYPES:
        raise Refused("Invalid Pay Method Type. Should be 'BankAccount' or 'CreditCard'")
    client = whmcs.clients.get(to_int(form["clientid"]))
    if client is None:
        raise Refused("Client Not Found")
    number = to_int(form.get("paymethodid"))
    found = whmcs.pay_methods.find("client_id", client.id) if kind != "BankAccount" else []
    rows = [_row(each) for each in found if number in (0, each.id)]
    return Answer({"clientid": client.id, "paymethods": rows}, key=str(client.id), detail={"count": len(rows)})


def _row(method: PayMethod) -> Payload:
    return {
        "id": method.id,
        "type": "RemoteCreditCard",
        "description": method.description,
        "gateway_name": method.gateway,
        "contact_type": "Client",
        "contact_id": method.client_id,
        "card_last_four": method.last_four,
        "expiry_date": method.expiry,
        "start_date": "",
        "issue_number": "",
        "card_type": method.brand,
        "remote_token": method.token,
        "last_updated": method.updated,
    }


def create_sso_token(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A 40-digit token for one sign-in within 60 seconds of the sandbox's clock."""
    client = _client(whmcs, form)
    if not client.allow_sso:
        raise Refused(f"SSO authentication blocked for client {client.id}")
    destination = text(form.get("destination"))
    token = SsoToken(
        id=whmcs.sso_tokens.next_id(),
        token=secrets.token_hex(20),
        client_id=client.id,
        path=_path(destination, form),
        expires=whmcs.clock.now().timestamp() + SSO_LIFETIME_S,
    )
    whmcs.sso_tokens.put(token)
    url = f"{whmcs.config.people_url}{CLIENT_AREA}/oauth/singlesignon.php?access_token={token.token}"
    return Answer(
        {"access_token": token.token, "redirect_url": url}, key=str(client.id), detail={"destination": destination}
    )


def _client(whmcs: Whmcs, form: PhpArray) -> Client:
    """By `client_id`, or the first client that the user in `user_id` owns; both together have to fit."""
    if not form.get("client_id") and not form.get("user_id"):
        raise Refused("A valid client_id or user_id is required")
    user_id = to_int(form.get("user_id"))
    if form.get("user_id") and whmcs.users.get(user_id) is None:
        raise Refused("Invalid user_id")
    if not form.get("client_id"):
        owned = next(iter(whmcs.clients.find("owner_user_id", user_id)), None)
        if owned is None:
            raise Refused("A valid client_id or user_id is required")
        return owned
    client = whmcs.clients.get(to_int(form["client_id"]))
    if client is None:
        raise Refused("Invalid client_id")
    if user_id not in (0, client.owner_user_id):
        raise Refused("Invalid user_id for client")
    return client


def _path(destination: str, form: PhpArray) -> str:
    """Where redemption lands, relative to the client area."""
    if not destination:
        return HOME
    if destination == CUSTOM_REDIRECT:
        return text(form.get("sso_redirect_path")).lstrip("/") or HOME
    if destination not in DESTINATIONS:
        raise Refused("Invalid destination")
    return DESTINATIONS[destination]
