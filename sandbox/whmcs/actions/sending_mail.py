"""SendEmail (whmcs-wire §3.6)."""

import html
import re
from decimal import Decimal

from sandbox.whmcs import mails
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.arrays import encoded_array
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import formatted
from sandbox.whmcs.php import PhpArray, text, to_int

_TYPES = ("general", "product", "domain", "invoice", "support", "affiliate")
_FAILED = "Sending Failed. Please see documentation."
_TAG = re.compile(r"<[^>]*>")


def send_email(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Mails one of the templates, or a text of the caller's own, to whom `id` leads to: the id of a client, service,
    invoice or ticket, as the type of the mail has it. Not repeatable: each call mails again."""
    name = text(form.get("messagename"))
    _check(whmcs, form, name)
    number = to_int(form.get("id"))
    if name:
        client_id, facts = _about(whmcs, mails.kind_of(name), number)
        # Such as those about an order, which no type of mail leads to.
        if mails.facts_of(name) - facts.keys():
            raise Refused(_FAILED)
        sent = mails.send(whmcs, client_id, name, **facts)
    else:
        client_id, facts = _about(whmcs, text(form["customtype"]).lower(), number)
        sent = _custom(whmcs, form, client_id, facts)
    return Answer(key=str(client_id), detail={"mails": sent})


def _check(whmcs: Whmcs, form: PhpArray, name: str) -> None:
    kind = text(form.get("customtype")).lower()
    if not name and not kind:
        raise Refused("You must provide either an existing email template name or a custom message type")
    if not name and kind not in _TYPES:
        raise Refused("Invalid message type provided")
    if not name and not text(form.get("customsubject")):
        raise Refused("A subject is required for a custom message")
    if not name and not text(form.get("custommessage")):
        raise Refused("A message body is required for a custom message")
    if text(form.get("customvars")) and not encoded_array(form["customvars"]):
        raise Refused("The custom variables you provided are invalid.")
    if not text(form.get("id")):
        raise Refused("A related ID is required")
    if name and name not in mails.TEMPLATES:
        raise Refused("Email Template not found")
    if name in whmcs.settings.disabled_mail_templates:
        raise Refused("Email Template is disabled")


def _about(whmcs: Whmcs, kind: str, number: int) -> tuple[int, dict[str, str]]:
    """The client that is mailed, and what there is to say. Raises Refused when the id leads nowhere."""
    found: tuple[int, dict[str, str]] | None = None
    if kind == "general":
        client = whmcs.clients.get(number)
        found = (client.id, {}) if client else None
    if kind == "product":
        found = _about_service(whmcs, number)
    if kind == "invoice":
        found = _about_invoice(whmcs, number)
    if kind == "support":
        ticket = whmcs.tickets.get(number)
        found = (ticket.client_id, {"ticket": ticket.tid, "subject": ticket.subject}) if ticket else None
    if found is None or whmcs.clients.get(found[0]) is None:
        raise Refused(_FAILED)
    return found


def _about_service(whmcs: Whmcs, number: int) -> tuple[int, dict[str, str]] | None:
    service = whmcs.services.get(number)
    if service is None:
        return None
    facts = {"product": whmcs.products[service.pid].name, "service": str(service.id)}
    return service.client_id, {**facts, "reason": service.suspend_reason, "type": ""}


def _about_invoice(whmcs: Whmcs, number: int) -> tuple[int, dict[str, str]] | None:
    invoice = whmcs.invoices.get(number)
    if invoice is None:
        return None
    total = formatted(Decimal(invoice.total))
    return invoice.client_id, {"invoice": str(invoice.id), "total": total, "amount": total, "due": invoice.due}


def _custom(whmcs: Whmcs, form: PhpArray, client_id: int, facts: dict[str, str]) -> list[str]:
    """The caller's own text with its variables, such as {$client_name}, filled in."""
    client = whmcs.clients.get(client_id)
    if client is None:
        raise Refused(_FAILED)
    sent = {str(key): str(value) for key, value in encoded_array(form.get("customvars")).items()}
    known = {**facts, "client_name": client.fullname, "client_email": client.email, **sent}
    body, subject = text(form["custommessage"]), text(form["customsubject"])
    for name, value in known.items():
        body = body.replace(f"{{${name}}}", html.escape(value))
        subject = subject.replace(f"{{${name}}}", value)
    mails.post(whmcs, client, subject, html.unescape(_TAG.sub("", body)), html_body=body)
    return [subject]
