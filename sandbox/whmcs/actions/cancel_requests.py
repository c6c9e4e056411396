"""AddCancelRequest and GetCancelledPackages (whmcs-wire §3.4)."""

from sandbox.whmcs import mails
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.billing.invoices import name_of
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of_book
from sandbox.whmcs.ordering import cancellations
from sandbox.whmcs.ordering.cancellations import AT_END, IMMEDIATE
from sandbox.whmcs.ordering.records import CancelRequest
from sandbox.whmcs.php import PhpArray, text, to_int


def add_cancel_request(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Notes the wish; the daily automation carries it out. There is one request for a service, ever.

    A `type` that is neither of the two counts as not sent: which one is meant then is a switch, as nobody documents it.
    """
    service = whmcs.services.get(to_int(form.get("serviceid")))
    if service is None:
        raise Refused("Service ID Not Found")
    if whmcs.cancel_requests.count("service_id", service.id):
        raise Refused("Existing Cancellation Request Exists")
    sent = text(form.get("type"))
    kind = sent if sent in (IMMEDIATE, AT_END) else whmcs.settings.cancel_type_default
    cancellations.request(whmcs, service, kind, text(form.get("reason")))
    said = {"product": name_of(whmcs, service), "service": str(service.id), "type": kind}
    mailed = mails.send(whmcs, service.client_id, "Cancellation Request Confirmation", **said)
    detail = {"client": service.client_id, "mark": service.mark, "type": kind, "mails": mailed}
    return Answer({"serviceid": service.id, "userid": service.client_id}, key=str(service.id), detail=detail)


def get_cancelled_packages(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Every request, carried out or not, oldest first; there is no filter for a client (§3.4)."""
    return Answer(page_of_book(form, whmcs.cancel_requests).envelope("packages", "package", _row))


def _row(request: CancelRequest) -> Payload:
    return {
        "id": request.id,
        "date": request.date,
        "relid": request.service_id,
        "reason": request.reason,
        "type": request.type,
        "created_at": request.date,
        "updated_at": request.updated,
    }
