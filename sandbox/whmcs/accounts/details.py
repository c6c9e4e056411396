"""A client as GetClientsDetails shows it (whmcs-wire §3.1)."""

from decimal import Decimal
from typing import Any

from sandbox.whmcs.accounts.addresses import calling_code, country_name, formatted_phone
from sandbox.whmcs.accounts.users import users_of
from sandbox.whmcs.answers import Payload
from sandbox.whmcs.billing.records import Invoice
from sandbox.whmcs.billing.settlement import left_to_pay
from sandbox.whmcs.billing.wallet import balance
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, formatted, written
from sandbox.whmcs.products import CURRENCY
from sandbox.whmcs.records import Client

# Figures about invoices of one status: the part of their names that tells which.
_BY_STATUS = {
    "unpaid": "Unpaid",
    "paid": "Paid",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "collections": "Collections",
    "paymentpending": "Payment Pending",
}


def client_details(whmcs: Whmcs, client: Client) -> Payload:
    """All fields of a client, its custom fields without their names, and the users who may act for it."""
    return {
        "client_id": client.id,
        "owner_user_id": client.owner_user_id,
        "userid": client.id,
        "id": client.id,
        "uuid": client.uuid,
        **_person(client),
        **_standing(whmcs, client),
        **_customfields(whmcs, client),
        "users": {"user": [_user(each.id, each, client) for each in users_of(whmcs, client)]},
    }


def _user(number: int, user: Any, client: Client) -> Payload:
    name = f"{user.firstname} {user.lastname}"
    return {"id": number, "name": name, "email": user.email, "is_owner": number == client.owner_user_id}


def _customfields(whmcs: Whmcs, client: Client) -> Payload:
    """Once with their ids, and once under names that count the fields in the order in which they are shown."""
    values = [(each.id, client.customfields.get(str(each.id), "")) for each in whmcs.settings.client_fields]
    numbered = {f"customfields{place}": value for place, (_, value) in enumerate(values, 1)}
    return {"customfields": [{"id": number, "value": value} for number, value in values], **numbered}


def _person(client: Client) -> Payload:
    phone = formatted_phone(client.country, client.phonenumber)
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
        "email_preferences": {kind: "1" if wanted else "0" for kind, wanted in client.email_preferences.items()},
        "statecode": client.state,
        "countryname": country_name(client.country),
        "phonecc": calling_code(client.country),
        "phonenumberformatted": phone,
        "telephoneNumber": phone,
    }


def _standing(whmcs: Whmcs, client: Client) -> Payload:
    owner = whmcs.users.get(client.owner_user_id)
    seen = f"Date: {owner.last_login}<br>IP Address: {owner.last_ip}<br>Host: {owner.last_ip}" if owner else ""
    return {
        "billingcid": 0,
        "notes": client.notes,
        "currency": client.currency,
        "defaultgateway": client.gateway,
        "groupid": client.groupid,
        "status": client.status,
        "credit": written(balance(whmcs, client.id)),
        "taxexempt": client.tax_exempt,
        "latefeeoveride": client.late_fee_override,
        "overideduenotices": client.override_due_notices,
        "separateinvoices": client.separate_invoices,
        "disableautocc": client.disable_auto_capture,
        "emailoptout": not client.marketing,
        "marketing_emails_opt_in": client.marketing,
        "overrideautoclose": client.override_auto_close,
        "allowSingleSignOn": int(client.allow_sso),
        "email_verified": False,
        "language": client.language,
        "isOptedInToMarketingEmails": client.marketing,
        "lastlogin": seen if owner and owner.last_login else "No Login Logged",
        "currency_code": CURRENCY,
    }


def client_stats(whmcs: Whmcs, client: Client) -> Payload:
    """The figures of `stats`: amounts formatted for people, everything else counted."""
    invoices = whmcs.invoices.find("client_id", client.id)
    unpaid = [each for each in invoices if each.status == "Unpaid"]
    overdue = [each for each in unpaid if each.due < whmcs.today()]
    credit = balance(whmcs, client.id)
    return {
        "numdueinvoices": len(unpaid),
        "dueinvoicesbalance": _owed(whmcs, unpaid),
        "incredit": credit > 0,
        "creditbalance": formatted(credit),
        **_turnover(whmcs, client),
        "numoverdueinvoices": len(overdue),
        "overdueinvoicesbalance": _owed(whmcs, overdue),
        "numDraftInvoices": sum(each.status == "Draft" for each in invoices),
        "draftInvoicesBalance": _total(each for each in invoices if each.status == "Draft"),
        **_invoice_figures(invoices),
        **_service_figures(whmcs, client),
        "numactivedomains": 0,
        "numdomains": 0,
        "numacceptedquotes": 0,
        "numquotes": 0,
        **_ticket_figures(whmcs, client),
        "numaffiliatesignups": 0,
        "isAffiliate": False,
    }


def _owed(whmcs: Whmcs, invoices: list[Invoice]) -> str:
    return formatted(sum((left_to_pay(whmcs, each) for each in invoices), ZERO))


def _total(invoices: Any) -> str:
    return formatted(sum((Decimal(each.total) for each in invoices), ZERO))


def _turnover(whmcs: Whmcs, client: Client) -> Payload:
    moved = whmcs.transactions.find("client_id", client.id)
    came = sum((Decimal(each.amount_in) for each in moved), ZERO)
    went = sum((Decimal(each.amount_out) + Decimal(each.fees) for each in moved), ZERO)
    return {"grossRevenue": formatted(came), "expenses": formatted(went), "income": formatted(came - went)}


def _invoice_figures(invoices: list[Invoice]) -> Payload:
    figures: Payload = {}
    for name, status in _BY_STATUS.items():
        those = [each for each in invoices if each.status == status]
        figures |= {f"num{name}invoices": len(those), f"{name}invoicesamount": _total(those)}
    return figures


def _service_figures(whmcs: Whmcs, client: Client) -> Payload:
    """Every product here is of the type "other"."""
    services = whmcs.services.find("client_id", client.id)
    active = sum(each.status == "Active" for each in services)
    none = {f"productsnum{part}{kind}": 0 for kind in ("hosting", "reseller", "servers") for part in ("active", "")}
    return {
        **none,
        "productsnumactiveother": active,
        "productsnumother": len(services),
        "productsnumactive": active,
        "productsnumtotal": len(services),
    }


def _ticket_figures(whmcs: Whmcs, client: Client) -> Payload:
    tickets = whmcs.tickets.find("client_id", client.id)
    return {"numtickets": len(tickets), "numactivetickets": sum(each.status != "Closed" for each in tickets)}
