"""Mail that WHMCS sends to its clients: it lands in the sandbox's mailbox and in the client's e-mail history."""

import html
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from string import Formatter

from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.records import Client, SentMail

SENDER = "billing@whmcs.example"
COMPANY = "Sonix Billing"
_SIGNATURE = f"\n\n{COMPANY}\n"
# By the names of WHMCS' own templates; what stands in braces is filled in by whoever sends.
TEMPLATES = {
    "Order Confirmation": ("Order Confirmation", "We have received your order {order}. It will be checked shortly."),
    "Invoice Created": ("Customer Invoice", "Invoice {invoice} over {total} was created. It is due on {due}."),
    "Invoice Payment Confirmation": ("Invoice Payment Confirmation", "We received {amount} for invoice {invoice}."),
    "Credit Card Payment Confirmation": (
        "Credit Card Payment Confirmation",
        "Your card was charged {amount} for invoice {invoice}.",
    ),
    "Credit Card Payment Failed": (
        "Credit Card Payment Failed",
        "The card payment of {amount} for invoice {invoice} failed. Please look at your payment methods.",
    ),
    "First Invoice Overdue Notice": (
        "First Invoice Overdue Notice",
        "Invoice {invoice} over {total} was due on {due} and is still unpaid.",
    ),
    "Service Suspension Notification": (
        "Service Suspension Notification",
        "{product} (service {service}) has been suspended: {reason}.",
    ),
    "Service Unsuspension Notification": (
        "Service Unsuspension Notification",
        "{product} (service {service}) works again.",
    ),
    "Cancellation Request Confirmation": (
        "Cancellation Request Confirmation",
        "We received your request to cancel {product} (service {service}): {type}.",
    ),
    "Client Signup Email": ("Welcome", "Your account has been created."),
    "Support Ticket Opened": ("New Support Ticket Opened", "Your ticket {ticket} has been opened: {subject}"),
    "Support Ticket Reply": ("Support Ticket Response", "There is an answer to your ticket {ticket}: {subject}"),
    "Order Cancelled": ("Order Cancelled", "Your order {order} was cancelled."),
    "Other Product/Service Welcome Email": ("New Product Information", "{product} (service {service}) is ready."),
}


def send(whmcs: Whmcs, client_id: int, template: str, **facts: str) -> list[str]:
    """Mails one of the templates to a client once the running change is on disk; returns its name, for the ledger.

    `facts` fill the template's braces; one that is missing raises KeyError. A client that is gone gets no mail.
    """
    client = whmcs.clients.get(client_id)
    if client is None:
        return []
    subject, sentence = TEMPLATES[template]
    text = f"Dear {client.firstname} {client.lastname},\n\n{sentence.format(**facts)}{_SIGNATURE}"
    post(whmcs, client, subject, text, template=template)
    return [template]


def facts_of(template: str) -> set[str]:
    """What has to be filled in."""
    return {name for _, name, _, _ in Formatter().parse(TEMPLATES[template][1]) if name}


def kind_of(template: str) -> str:
    """The type of a template, which tells whose id SendEmail needs for it."""
    facts = facts_of(template)
    kinds = {"invoice": "invoice", "service": "product", "ticket": "support"}
    return next((kind for fact, kind in kinds.items() if fact in facts), "general")


def as_html(text: str) -> str:
    """A plain text as the HTML that GetEmails shows."""
    paragraphs = "".join(f"<p>{html.escape(each)}</p>" for each in text.strip().split("\n\n"))
    return f"<html><body>{paragraphs}</body></html>".replace("\n", "<br />")


def post(whmcs: Whmcs, client: Client, subject: str, text: str, *, template: str = "", html_body: str = "") -> SentMail:
    """Mails a text to a client, as `send` does, and keeps it in the client's history."""
    sent = SentMail(
        id=whmcs.sent_mails.next_id(),
        client_id=client.id,
        template=template,
        subject=subject,
        message=text,
        date=whmcs.timestamp(),
        to=client.email,
        html=html_body,
    )
    whmcs.sent_mails.put(sent)
    deliver(whmcs, sent.to, subject, text, html_body)
    return sent


def deliver(whmcs: Whmcs, to: str, subject: str, text: str, html_body: str = "") -> None:
    """Mails a text to any address once the running change is on disk; it is in no client's history."""
    raw = _message(whmcs, to, subject, text, html_body)

    def hand_over() -> None:
        whmcs.mailbox.receive(SENDER, [to], raw)

    whmcs.store.on_commit(hand_over)


def _message(whmcs: Whmcs, to: str, subject: str, text: str, html_body: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"{COMPANY} <{SENDER}>"
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(whmcs.server_now())
    message["Message-ID"] = make_msgid(domain="whmcs.example")
    message.set_content(text)
    if html_body:
        message.add_alternative(html_body, subtype="html")
    return message.as_bytes()
