"""Mail that WHMCS sends to its clients: it lands in the sandbox's mailbox and in the client's e-mail history."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

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


def post(whmcs: Whmcs, client: Client, subject: str, text: str, *, template: str = "") -> SentMail:
    """Mails a text to a client, as `send` does, and keeps it in the client's history."""
    sent = SentMail(whmcs.sent_mails.next_id(), client.id, template, subject, text, whmcs.timestamp(), client.email)
    whmcs.sent_mails.put(sent)
    raw = _message(whmcs, sent)

    def deliver() -> None:
        whmcs.mailbox.receive(SENDER, [sent.to], raw)

    whmcs.store.on_commit(deliver)
    return sent


def _message(whmcs: Whmcs, sent: SentMail) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"{COMPANY} <{SENDER}>"
    message["To"] = sent.to
    message["Subject"] = " ".join(sent.subject.split())
    message["Date"] = format_datetime(whmcs.server_now())
    message["Message-ID"] = make_msgid(domain="whmcs.example")
    message.set_content(sent.message)
    return message.as_bytes()
