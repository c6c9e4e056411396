"""AddPayMethod (whmcs-wire §3.1)."""

import secrets

from sandbox.whmcs.accounts.card_details import now, rank, remote_error, take_card
from sandbox.whmcs.accounts.switches import Storage
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.records import Client, PayMethod, Settings


def add_pay_method(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Stores a card or bank account where a payment module keeps such. Not repeatable: each call stores another."""
    if not text(form.get("clientid")):
        raise Refused("Client ID Is Required")
    client = whmcs.clients.get(to_int(form["clientid"]))
    if client is None:
        raise Refused("Invalid Client ID")
    kind = text(form.get("type")) or "CreditCard"
    if kind not in ("BankAccount", "CreditCard", "RemoteCreditCard"):
        raise Refused(
            "Invalid Pay Method Type. Type should be one of 'BankAccount', 'CreditCard', or 'RemoteCreditCard'"
        )
    method = _bank_account(whmcs, client, form) if kind == "BankAccount" else _card(whmcs, client, form, kind)
    method.rank = rank(whmcs, client.id, form)
    whmcs.pay_methods.put(method)
    numbers = {"clientid": str(client.id), "paymethodid": str(method.id)}
    return Answer(numbers, key=str(client.id), detail={"paymethod": method.id, "type": method.type})


def _card(whmcs: Whmcs, client: Client, form: PhpArray, kind: str) -> PayMethod:
    settings = whmcs.settings
    gateway = text(form.get("gateway_module_name"))
    if kind == "RemoteCreditCard" and not gateway:
        raise Refused("Gateway is Required for RemoteCreditCard type")
    if kind == "CreditCard" and not _any_storage(settings, "local"):
        raise Refused("No Local Credit Card Payment Gateways Enabled")
    method = _blank(whmcs, client, kind, form)
    take_card(method, form, adding=True)
    if kind == "RemoteCreditCard":
        method.token = _remote_token(settings, gateway, text(form.get("card_number")))
        method.gateway = gateway
    return method


def _bank_account(whmcs: Whmcs, client: Client, form: PhpArray) -> PayMethod:
    """Of the account only the bank's name is kept."""
    if not text(form.get("bank_code")):
        raise Refused("Routing number is required")
    if not text(form.get("bank_account")):
        raise Refused("Account number is required")
    if not _any_storage(whmcs.settings, "bank"):
        raise Refused("Gateway is Required for Bank Account Storage")
    method = _blank(whmcs, client, "BankAccount", form)
    method.bank_name = text(form.get("bank_name"))
    return method


def _blank(whmcs: Whmcs, client: Client, kind: str, form: PhpArray) -> PayMethod:
    return PayMethod(
        id=whmcs.pay_methods.next_id(),
        client_id=client.id,
        brand="",
        last_four="",
        expiry="",
        description=text(form.get("description")),
        token="",
        updated=now(whmcs),
        gateway="",
        type=kind,
    )


def _any_storage(settings: Settings, storage: Storage) -> bool:
    return any(settings.card_storage.get(each.module) == storage for each in settings.gateways)


def _remote_token(settings: Settings, gateway: str, number: str) -> str:
    """What the payment module gives for a card. Raises Refused when it is not active, keeps none, or says no."""
    active = [each.module for each in settings.gateways]
    if gateway not in active:
        raise Refused(f"Invalid Gateway Module Name. Must be one of: {', '.join(active)}")
    if settings.card_storage.get(gateway) != "remote":
        raise Refused("Unsupported Gateway Type for Storage")
    error = remote_error(settings, number)
    if error:
        raise Refused(f"Error Creating Remote Token: {error}")
    return f"pm_{secrets.token_hex(12)}"
