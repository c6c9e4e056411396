"""GetPayMethods, UpdatePayMethod and DeletePayMethod (whmcs-wire §3.1)."""

from sandbox.whmcs.accounts.card_details import now, rank, remote_error, take_card
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.cards import stored
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import PayMethod, Settings

_SHOWN = {"CreditCard": ("CreditCard", "RemoteCreditCard"), "BankAccount": ("BankAccount", "RemoteBankAccount")}
_CARD_DETAILS = ("card_number", "card_expiry", "card_start", "card_issue_number")
_BANK_DETAILS = ("bank_name", "bank_account_type", "bank_code", "bank_account")


def get_pay_methods(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Stored methods as a plain array; the order is all that tells which one is charged first."""
    if not text(form.get("clientid")):
        raise Refused("Client ID Is Required")
    kind = text(form.get("type"))
    if kind and kind not in _SHOWN:
        raise Refused("Invalid Pay Method Type. Should be 'BankAccount' or 'CreditCard'")
    client = whmcs.clients.get(to_int(form["clientid"]))
    if client is None:
        raise Refused("Client Not Found")
    number = to_int(form.get("paymethodid"))
    found = [each for each in stored(whmcs, client.id) if not kind or each.type in _SHOWN[kind]]
    rows = [_row(each) for each in found if number in (0, each.id)]
    return Answer({"clientid": str(client.id), "paymethods": rows}, key=str(client.id), detail={"count": len(rows)})


def _row(method: PayMethod) -> Payload:
    bank = {"bank_name": method.bank_name}
    card = {
        "card_last_four": method.last_four,
        "expiry_date": method.expiry,
        "start_date": method.start,
        "issue_number": method.issue_number,
        "card_type": method.brand,
    }
    return {
        "id": method.id,
        "type": method.type,
        "description": method.description,
        "gateway_name": method.gateway,
        "contact_type": "Client",
        "contact_id": method.client_id,
        **(card if method.type.endswith("CreditCard") else bank),
        "remote_token": method.token,
        "last_updated": method.updated,
    }


def update_pay_method(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent; a number can be changed only where WHMCS has the card itself or may pass it on."""
    if not text(form.get("paymethodid")):
        raise Refused("Pay Method ID is Required")
    if not text(form.get("clientid")):
        raise Refused("Client ID is Required")
    method = _wanted(whmcs, form)
    _check_update(whmcs.settings, form, method)
    if method.type.endswith("CreditCard"):
        take_card(method, form, adding=False)
    else:
        method.bank_name = text(form.get("bank_name")) or method.bank_name
    method.rank = rank(whmcs, method.client_id, form, method.rank)
    method.updated = now(whmcs)
    whmcs.pay_methods.put(method)
    numbers = {"clientid": str(method.client_id), "paymethodid": str(method.id)}
    return Answer(numbers, key=str(method.client_id), detail={"paymethod": method.id})


def _check_update(settings: Settings, form: PhpArray, method: PayMethod) -> None:
    storage = settings.card_storage.get(method.gateway)
    if method.gateway and storage is None:
        raise Refused("Unsupported Gateway Type for Update")
    details = _CARD_DETAILS if method.type.endswith("CreditCard") else _BANK_DETAILS
    if not [name for name in (*details, "set_as_default") if text(form.get(name))]:
        raise Refused("No Details Provided for Update")
    if storage == "assisted" and text(form.get("card_number")):
        raise Refused("Unable to Update Card Number for Assisted Gateway")
    error = remote_error(settings, text(form.get("card_number"))) if method.gateway else ""
    if error:
        raise Refused(f"Error Updating Remote Pay Method: {error}")


def delete_pay_method(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Forgets a method, even when the payment module cannot, unless `failonremotefailure` was sent."""
    if not text(form.get("clientid")):
        raise Refused("Client ID is Required")
    if not text(form.get("paymethodid")):
        raise Refused("Pay Method ID is Required")
    method = _wanted(whmcs, form)
    error = whmcs.settings.storage_error if method.gateway else ""
    if truthy(form.get("failonremotefailure")) and error:
        raise Refused(f"Error Deleting Remote Pay Method: {error}")
    whmcs.pay_methods.delete(method.id)
    return Answer({"paymethodid": str(method.id)}, key=str(method.client_id), detail={"paymethod": method.id})


def _wanted(whmcs: Whmcs, form: PhpArray) -> PayMethod:
    method = whmcs.pay_methods.get(to_int(form.get("paymethodid")))
    if method is None:
        raise Refused("Invalid Pay Method ID")
    if method.client_id != to_int(form.get("clientid")):
        raise Refused("Pay Method does not belong to passed Client ID")
    return method
