"""What the portal asks of WHMCS, one typed method each.

Every method has a total deadline and raises, from integrations.errors: Rejected (their error; the codes are in
refusals.py), Misconfigured, Unavailable, and, where the docstring says "never repeated", UnknownOutcome when something
was sent and no usable answer came. None may be called in a database transaction.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from integrations.errors import Misconfigured, Rejected, Unavailable
from integrations.http import Caller
from integrations.whmcs import records
from integrations.whmcs.endpoint import Endpoint
from integrations.whmcs.order_form import order_form, without_mark
from integrations.whmcs.parsing import Row, integer, maybe_integer, rows, text
from integrations.whmcs.php import encoded
from integrations.whmcs.schemas import (
    AddedOrder,
    CatalogueProduct,
    Client,
    ClientProfile,
    Invoice,
    OrderRequest,
    PayMethod,
    Service,
    WhmcsOrder,
)

T = TypeVar("T")

PAGE = 100
LANGUAGES = {"ja": "japanese"}
ON, OFF = "1", "0"  # PHP takes the text "false" for true (whmcs-wire.md §0 no. 1)
RELATIVE_PATH = re.compile(r"/?[A-Za-z0-9_.][A-Za-z0-9_.?=&%/+-]*")


@dataclass(frozen=True)
class Deadlines:
    """Seconds in all for a read, for AddOrder and AddClient, and for what runs modules (decisions.md 26)."""

    read: float = 15
    add: float = 30
    module: float = 120


class WhmcsClient:
    """The billing system. Safe to share between threads."""

    def __init__(
        self,
        *,
        caller: Caller,
        url: str,
        identifier: str,
        secret: str,
        payment_method: str,
        currency_id: int,
        customer_number_field: int,
        sso_origins: Sequence[str] = (),
        deadlines: Deadlines | None = None,
        time_zone: str = "Asia/Tokyo",
    ) -> None:
        self._endpoint = Endpoint(caller=caller, url=url, identifier=identifier, secret=secret)
        self._payment_method, self._currency_id = payment_method, currency_id
        self._customer_number_field = customer_number_field
        self._sso_origins = set(sso_origins) or {_origin(url)}
        self._deadlines = deadlines or Deadlines()
        self._time_zone = ZoneInfo(
            time_zone
        )  # of the installation: WHMCS gives days, and which one is today is its own

    # --- who the customer is

    def client_by_email(self, email: str) -> Client | None:
        """The client whose own e-mail this is, whatever its case (whmcs-wire.md §3.1). Repeatable."""
        found = self._client(email=email)
        if found and found.email.casefold() != email.casefold():
            raise _foreign("GetClientsDetails")
        return found

    def client(self, client_id: int) -> Client | None:
        """The client of this id (whmcs-wire.md §3.1). Repeatable."""
        found = self._client(clientid=client_id)
        if found and found.id != client_id:
            raise _foreign("GetClientsDetails")
        return found

    def _client(self, **wanted: int | str) -> Client | None:
        try:
            return self._read("GetClientsDetails", wanted, records.client)
        except Rejected as refused:
            if refused.code == "not_found":
                return None
            raise

    def add_client(self, *, email: str, given_name: str, family_name: str, language: str, customer_number: str) -> int:
        """A new client and its user, without mail (decisions.md 4); gives the client's id. Never repeated.

        Rejected with code `email_taken` when a client or user has the e-mail.
        """
        form = {
            "firstname": without_mark(given_name),
            "lastname": without_mark(family_name),
            "email": email,
            "country": "JP",
            "currency": self._currency_id,
            "language": LANGUAGES.get(language, "english"),
            "password2": secrets.token_urlsafe(24),
            "customfields": encoded({self._customer_number_field: customer_number}),
            "skipvalidation": ON,
            "noemail": ON,
        }
        return self._once("AddClient", form, lambda body: integer(body, "clientid"), self._deadlines.add)

    def set_customer_number(self, *, client_id: int, customer_number: str) -> None:
        """Writes the customer-number field; other fields stay (whmcs-wire.md §3.1). Repeatable."""
        fields = encoded({self._customer_number_field: customer_number})
        self._read("UpdateClient", {"clientid": client_id, "customfields": fields}, _done)

    def update_profile(self, client_id: int, profile: ClientProfile) -> None:
        """Writes what the profile holds of a client (whmcs-wire.md §3.1). Repeatable.

        Rejected with code `email_taken` when the address is another client's; nothing is written then.
        """
        form = _of_client(profile)
        if form:
            self._read("UpdateClient", {"clientid": client_id, **form}, _done)

    # --- how the customer pays

    def pay_methods(self, client_id: int) -> list[PayMethod]:
        """Stored ways to pay, the first is charged first; without tokens (whmcs-wire.md §3.1). Repeatable."""
        today = datetime.now(self._time_zone).date()
        return self._read(
            "GetPayMethods",
            {"clientid": client_id},
            lambda body: [records.pay_method(row, today) for row in rows(body.get("paymethods"), "paymethod")],
        )

    def sso_url(self, *, client_id: int, destination: str, path: str = "") -> str:
        """An address that signs the client in once, within 60 seconds; not to be stored or logged. Repeatable.

        `destination` such as `clientarea:billing_info`; `path`, for `sso:custom_redirect`, is relative to the
        installation (whmcs-wire.md §3.1). ValueError for any other path, Misconfigured for a host that is not allowed.
        """
        if path and not RELATIVE_PATH.fullmatch(path):
            raise ValueError("not a path within WHMCS")
        form = {"client_id": client_id, "destination": destination} | ({"sso_redirect_path": path} if path else {})
        url = self._read("CreateSsoToken", form, lambda body: text(body, "redirect_url"))
        if _origin(url) not in self._sso_origins:
            sentence = f"WHMCS sends customers to {urlsplit(url).hostname}: add its origin to WHMCS_SSO_ORIGINS."
            raise Misconfigured("whmcs", "CreateSsoToken", "sso_origin", sentence)
        return url

    # --- what is for sale

    def catalogue(self) -> list[CatalogueProduct]:
        """All products, hidden and retired ones too (whmcs-wire.md §3.2). Repeatable."""
        return self._read(
            "GetProducts", {}, lambda body: [records.product(row) for row in rows(body.get("products"), "product")]
        )

    # --- orders and services

    def add_order(self, request: OrderRequest) -> AddedOrder:
        """A Pending order, its services and its invoice, without mails (whmcs-wire.md §3.3). Never repeated."""
        form = order_form(request, self._payment_method)
        return self._once("AddOrder", form, records.added_order, self._deadlines.add)

    def accept_order(self, order_id: int, *, set_up: bool = True) -> None:
        """Sets a Pending order up, or with `set_up` off only accepts it (decisions.md 23, 24). Never repeated.

        Rejected with code `not_pending` says nothing: read the order (whmcs-wire.md §0 no. 5).
        """
        form = {"orderid": order_id, "autosetup": ON if set_up else OFF}
        self._once("AcceptOrder", form, _done, self._deadlines.module)

    def cancel_order(self, order_id: int) -> None:
        """Cancels a Pending order, without mail; read services and invoice back (decisions.md 24). Never repeated."""
        self._once("CancelOrder", {"orderid": order_id, "noemail": ON}, _done, self._deadlines.read)

    def order(self, order_id: int) -> WhmcsOrder | None:
        """One order (whmcs-wire.md §3.3). Repeatable."""
        found = self._read("GetOrders", {"id": order_id}, _orders)
        if any(order.id != order_id for order in found):
            raise _foreign("GetOrders")
        return found[0] if found else None

    def orders(self, client_id: int) -> list[WhmcsOrder]:
        """All orders of a client, newest first (whmcs-wire.md §3.3). Repeatable; one call for 100 orders."""
        found = {order.id: order for order in self._pages("GetOrders", {"userid": client_id}, _orders)}
        if any(order.client_id != client_id for order in found.values()):
            raise _foreign("GetOrders")
        return list(found.values())

    def services(self, client_id: int) -> list[Service]:
        """All services of a client (whmcs-wire.md §3.4). Repeatable; one call for 100 services."""
        found = {each.id: each for each in self._pages("GetClientsProducts", {"clientid": client_id}, _services)}
        if any(service.client_id != client_id for service in found.values()):
            raise _foreign("GetClientsProducts")
        return list(found.values())

    def module_create(self, service_id: int) -> None:
        """Runs the service's module (whmcs-wire.md §3.4). Rejected `no_module` when it has none. Never repeated."""
        self._once("ModuleCreate", {"serviceid": service_id}, _done, self._deadlines.module)

    def set_service_status(self, service_id: int, status: str) -> None:
        """Sets the status without running the module (whmcs-wire.md §3.4). Repeatable."""
        self._read("UpdateClientProduct", {"serviceid": service_id, "status": status}, _done)

    # --- invoices

    def invoice(self, invoice_id: int) -> Invoice | None:
        """One invoice of any client (whmcs-wire.md §3.5). Repeatable."""
        try:
            found = self._read("GetInvoice", {"invoiceid": invoice_id}, records.invoice)
        except Rejected as refused:
            if refused.code == "not_found":
                return None
            raise
        if found.id != invoice_id:
            raise _foreign("GetInvoice")
        return found

    def cancel_invoice(self, invoice_id: int) -> None:
        """Sets the status to Cancelled; nothing is paid back (whmcs-wire.md §3.5). Repeatable."""
        self._read("UpdateInvoice", {"invoiceid": invoice_id, "status": "Cancelled"}, _done)

    # --- how

    def _read(self, action: str, form: Mapping[str, Any], read: Callable[[Row], T]) -> T:
        return self._endpoint.call(action, form, read, deadline_s=self._deadlines.read)

    def _once(self, action: str, form: Mapping[str, Any], read: Callable[[Row], T], deadline_s: float) -> T:
        return self._endpoint.call(action, form, read, deadline_s=deadline_s, repeatable=False)

    def _pages(self, action: str, form: Mapping[str, Any], read: Callable[[Row], list[T]]) -> Iterator[T]:
        """Rows of all pages. The totals decide when it ends, for a page may be shorter than asked.

        Raises Unavailable rather than give a part: who looks whether something exists would make it a second time.
        """
        start, total = 0, 1
        while start < total:
            page, total = self._read(
                action,
                {**form, "limitstart": start, "limitnum": PAGE},
                lambda body: (read(body), maybe_integer(body, "totalresults") or 0),
            )
            yield from page
            start += len(page)
            if (not page and start < total) or (page and not total):
                raise Unavailable("whmcs", action, "short_list", f"WHMCS gave {start} rows of {total}.")


def _done(_body: Row) -> None:
    """Nothing in the answer matters."""


def _of_client(profile: ClientProfile) -> dict[str, str]:
    """The parameters of UpdateClient; WHMCS leaves alone what is not sent."""
    said = {
        "firstname": without_mark(profile.given_name),
        "lastname": without_mark(profile.family_name),
        "language": LANGUAGES.get(profile.language, "english") if profile.language else "",
        "phonenumber": profile.phone,
        "email": profile.email,
        "marketingoptin": "" if profile.news is None else ON if profile.news else OFF,
    }
    if profile.address1:
        # An empty second line would be ignored, and an old building stay there for ever.
        said |= {"address1": profile.address1, "address2": profile.address2 or "-", "city": profile.city}
        said |= {"state": profile.state, "postcode": profile.postcode, "country": "JP"}
    return {name: value for name, value in said.items() if value}


def _orders(body: Row) -> list[WhmcsOrder]:
    return [records.order(row) for row in rows(body.get("orders"), "order")]


def _services(body: Row) -> list[Service]:
    return [records.service(row) for row in rows(body.get("products"), "product")]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _foreign(action: str) -> Misconfigured:
    """An unknown filter is ignored by WHMCS and gives everybody's rows: none of them may be shown."""
    return Misconfigured("whmcs", action, "foreign_row", "WHMCS answered with rows of other customers.")
