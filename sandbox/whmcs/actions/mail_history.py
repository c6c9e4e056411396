"""GetEmails and GetEmailTemplates (whmcs-wire §3.6)."""

from sandbox.whmcs import mails
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.records import Client, SentMail


def get_emails(whmcs: Whmcs, form: PhpArray) -> Answer:
    """What was mailed to a client, the newest first; messages are HTML."""
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None:
        raise Refused("Client ID Not Found")
    found = [each for each in whmcs.sent_mails.find("client_id", client.id) if _matches(each, form)][::-1]
    return Answer(page_of(form, found).envelope("emails", "email", lambda sent: _row(client, sent)), key=str(client.id))


def _matches(sent: SentMail, form: PhpArray) -> bool:
    return text(form.get("subject")).casefold() in sent.subject.casefold() and sent.date.startswith(
        text(form.get("date"))
    )


def _row(client: Client, sent: SentMail) -> Payload:
    return {
        "id": sent.id,
        "userid": client.id,
        "subject": sent.subject,
        "message": sent.html or mails.as_html(sent.message),
        "date": sent.date,
        "to": f"{client.fullname} <{sent.to}>",
        "cc": "",
        "bcc": "",
        "attachments": None,
        "pending": 0,
        "message_data": None,
        "failed": 0,
        "failure_reason": "",
        "retry_count": 0,
        "created_at": sent.date,
        "updated_at": sent.date,
        "campaign_id": 0,
    }


def get_email_templates(_: Whmcs, form: PhpArray) -> Answer:
    """The templates that this installation mails by, of one `type` or all; they exist in one language."""
    kind = text(form.get("type")).lower()
    named = enumerate(mails.TEMPLATES.items(), 1)
    rows = [
        {"id": number, "name": name, "subject": subject, "custom": 0}
        for number, (name, (subject, _sentence)) in named
        if kind in ("", mails.kind_of(name)) and not text(form.get("language"))
    ]
    return Answer({"totalresults": len(rows), "emailtemplates": {"emailtemplate": rows}})
