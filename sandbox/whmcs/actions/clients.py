"""GetClientsDetails and GetClients (whmcs-wire §3.1)."""

from typing import Any

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.billing.wallet import balance
from sandbox.whmcs.install import SEARCHED, Whmcs
from sandbox.whmcs.listing import Listing, page_of, page_of_book
from sandbox.whmcs.money import written
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.products import CURRENCY
from sandbox.whmcs.records import CUSTOMER_NUMBER_FIELD, Client

_CALLING_CODE = "81"
_COUNTRY_NAMES = {"JP": "Japan"}
_MAIL_KINDS = ("general", "invoice", "support", "product", "domain", "affiliate")


def get_clients_details(whmcs: Whmcs, form: PhpArray) -> Answer:
    """One client by id or by the client's own e-mail; its fields come under `client` and again at the top (§1.5)."""
    if not form.get("clientid") and not form.get("email"):
        raise Refused("Either clientid Or email Is Required")
    client = find_client(whmcs, form)
    if client is None:
        raise Refused("Client Not Found")
    details = _details(whmcs, client)
    stats = {"stats": _stats(whmcs, client)} if truthy(form.get("stats")) else {}
    return Answer({**details, "client": details, **stats}, key=str(client.id))


def find_client(whmcs: Whmcs, form: PhpArray) -> Client | None:
    """By `clientid` when it is sent, else by `email`."""
    if form.get("clientid"):
        return whmcs.clients.get(to_int(form["clientid"]))
    return next(iter(whmcs.clients.find("email", text(form.get("email")))), None)


def _details(whmcs: Whmcs, client: Client) -> Payload:
    owner = whmcs.users.get(client.owner_user_id)
    fields = sorted(({str(CUSTOMER_NUMBER_FIELD): ""} | client.customfields).items(), key=lambda item: int(item[0]))
    return {
        "client_id": client.id,
        "owner_user_id": client.owner_user_id,
        "userid": client.id,
        "id": client.id,
        "uuid": client.uuid,
        **_person(client),
        **_standing(client, written(balance(whmcs, client.id))),
        "customfields": [{"id": int(number), "value": value} for number, value in fields],
        **{f"customfields{position}": value for position, (_, value) in enumerate(fields, 1)},
        "users": {"user": [_user(owner.id, f"{owner.firstname} {owner.lastname}", owner.email)] if owner else []},
    }


def _user(number: int, name: str, email: str) -> Payload:
    return {"id": number, "name": name, "email": email, "is_owner": True}


def _person(client: Client) -> Payload:
    country = _COUNTRY_NAMES.get(client.country, client.country)
    return {
        "firstname": client.firstname,
        "lastname": client.lastname,
        "fullname": f"{client.firstname} {client.lastname}",
        "companyname": client.companyname,
        "email": client.email,
        "address1": client.address1,
        "address2": client.address2,
        "city": client.city,
        "fullstate": client.state,
        "state": client.state,
        "postcode": client.postcode,
        "countrycode": client.country,
        "country": client.country,
        "phonenumber": client.phonenumber,
        "tax_id": client.tax_id,
        "email_preferences": dict.fromkeys(_MAIL_KINDS, "1"),
        "statecode": client.state,
        "countryname": country,
        **_phone(client.phonenumber),
    }


def _phone(number: str) -> Payload:
    """The number with the calling code split off, as far as it begins with Japan's."""
    local = number.removeprefix(_CALLING_CODE).removeprefix("0")
    formatted = f"+{_CALLING_CODE}.{local}" if number else ""
    return {"phonecc": int(_CALLING_CODE), "phonenumberformatted": formatted, "telephoneNumber": formatted}


def _standing(client: Client, credit: str) -> Payload:
    return {
        "billingcid": 0,
        "notes": client.notes,
        "currency": client.currency,
        "currency_code": CURRENCY,
        "defaultgateway": "",
        "groupid": client.groupid,
        "status": client.status,
        "credit": credit,
        "taxexempt": False,
        "latefeeoveride": False,
        "overideduenotices": False,
        "separateinvoices": False,
        "disableautocc": False,
        "emailoptout": False,
        "marketing_emails_opt_in": False,
        "overrideautoclose": False,
        "allowSingleSignOn": int(client.allow_sso),
        "email_verified": False,
        "language": client.language,
        "isOptedInToMarketingEmails": False,
        "lastlogin": "No Login Logged",
    }


def _stats(whmcs: Whmcs, client: Client) -> Payload:
    services = whmcs.services.find("client_id", client.id)
    invoices = whmcs.invoices.find("client_id", client.id)
    unpaid = sum(float(each.total) for each in invoices if each.status == "Unpaid")
    return {
        "numdueinvoices": sum(each.status == "Unpaid" for each in invoices),
        "dueinvoicesbalance": f"¥{unpaid:,.0f} {CURRENCY}",
        "productsnumactive": sum(each.status == "Active" for each in services),
        "productsnumtotal": len(services),
    }


def get_clients(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Clients whose e-mail, company or name begins with `search`; unknown filters are ignored (§0 no. 10)."""
    return Answer(_found(whmcs, form).envelope("clients", "client", _row))


def _found(whmcs: Whmcs, form: PhpArray) -> Listing[Client]:
    wanted, status = text(form.get("search")).casefold(), text(form.get("status"))
    if wanted:
        found = [each for each in _named(whmcs, wanted) if status.casefold() in ("", each.status.casefold())]
        return page_of(form, found)
    return page_of(form, whmcs.clients.find("status", status)) if status else page_of_book(form, whmcs.clients)


def _named(whmcs: Whmcs, wanted: str) -> list[Client]:
    """Clients one of whose names begins so, by id: first and last name with a space between them are one as well."""
    found = [each for field in SEARCHED for each in whmcs.clients.beginning(field, wanted)]
    for space in (at for at, character in enumerate(wanted) if character == " "):
        same_first = whmcs.clients.find("firstname", wanted[:space])
        found += [each for each in same_first if each.lastname.casefold().startswith(wanted[space + 1 :])]
    return [client for _, client in sorted({each.id: each for each in found}.items())]


def _row(client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "firstname": client.firstname,
        "lastname": client.lastname,
        "companyname": client.companyname,
        "email": client.email,
        "datecreated": client.created[:10],
        "groupid": client.groupid,
        "status": client.status,
    }
