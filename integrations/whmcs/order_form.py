"""The parameters of AddOrder: parallel arrays joined by key (whmcs-wire.md §1.3, §3.3; decisions.md 24)."""

import re
from typing import Any

from integrations.whmcs.php import encoded
from integrations.whmcs.schemas import OrderLineRequest, OrderRequest

MARK_TOKEN = "sfOrderId="  # noqa: S105 (what proves in the notes which Salesforce order it is)
_TOKEN = re.compile(re.escape(MARK_TOKEN), re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


def without_mark(text: str) -> str:
    """A customer's text on one line, unable to pose as the mark of an order (security.md §4)."""
    line = _CONTROL.sub(" ", text)
    while _TOKEN.search(line):
        line = _TOKEN.sub("", line)
    return line.strip()


def order_form(request: OrderRequest, payment_method: str) -> dict[str, Any]:
    """What AddOrder is sent, credentials aside.

    `notes`, which holds the mark, holds nothing of a customer's; it is left out when empty.
    """
    form: dict[str, Any] = {
        "clientid": request.client_id,
        "paymentmethod": payment_method,
        "noemail": "1",
        "noinvoiceemail": "1",
    }
    if request.notes:
        form["notes"] = request.notes
    for position, line in enumerate(request.lines):
        form |= {f"{name}[{position}]": value for name, value in _line(line).items()}
    return form


def _line(line: OrderLineRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {"pid": line.pid, "billingcycle": line.cycle, "priceoverride": line.price}
    if line.quantity != 1:
        fields["qty"] = line.quantity
    if line.config_options:
        fields["configoptions"] = encoded(line.config_options)
    if line.custom_fields:
        fields["customfields"] = encoded({field: without_mark(text) for field, text in line.custom_fields.items()})
    return fields
