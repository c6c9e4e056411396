"""What an answer of WHMCS means, from a far side that says anything (whmcs-wire.md §1.2)."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
import time_machine

from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable, UnknownOutcome
from integrations.http import Caller
from integrations.whmcs.client import WhmcsClient
from integrations.whmcs.schemas import OrderLineRequest, OrderRequest
from portal import clients
from tests.integrations.conftest import Recorded
from tests.integrations.far_side import Behaviour, FarSide, answer

ORDER = OrderRequest(client_id=7, lines=[OrderLineRequest(pid=101, cycle="monthly", quantity=1, price=4950)], notes="")


@pytest.fixture
def whmcs(caller: Caller, far: FarSide) -> WhmcsClient:
    return WhmcsClient(
        caller=caller,
        url=f"{far.url}/includes/api.php",
        identifier="id",
        secret="s3cret",
        payment_method="stripe",
        currency_id=1,
        customer_number_field=12,
        sso_origins=["https://billing.example.jp"],
    )


def says(body: object, status: str = "200 OK") -> Behaviour:
    return answer(json.dumps(body).encode(), status)


def refused(message: str, status: str = "200 OK") -> Behaviour:
    return says({"result": "error", "message": message}, status)


def reading(whmcs: WhmcsClient) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        whmcs.catalogue()
    return caught.value


def ordering(whmcs: WhmcsClient) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        whmcs.add_order(ORDER)
    return caught.value


HTML = answer(b"<html>Down for maintenance</html>", kind="text/html")
NO_ANSWERS = [
    (HTML, "bad_body", Unavailable),
    (answer(b"<html/>", "503 Service Unavailable"), "http_503", Unavailable),
    (answer(b"", "502 Bad Gateway"), "http_502", Unavailable),
    (says({"result": "success", "orderid": "5"}, "500 Internal Server Error"), "http_500", Unavailable),
    (answer(b"<br />Warning: x in y.php {"), "bad_body", Unavailable),
    (says({"orders": []}), "bad_body", Unavailable),
    (answer(b"", "403 Forbidden"), "http_403", Unavailable),
    (answer(b"", "302 Found", headers=("Location: https://elsewhere.example/",)), "http_302", Misconfigured),
    (answer(b"<html/>", "404 Not Found"), "http_404", Misconfigured),
]


@pytest.mark.parametrize(("behaviour", "code", "kind_of_read"), NO_ANSWERS)
def test_no_usable_answer_leaves_a_write_unknown(
    whmcs: WhmcsClient, far: FarSide, behaviour: Behaviour, code: str, kind_of_read: type[OutsideError]
) -> None:
    far.will(behaviour)
    unknown = ordering(whmcs)
    assert (type(unknown), unknown.code) == (UnknownOutcome, code)
    assert type(reading(whmcs)) is kind_of_read
    assert len(far.requests) == 2


def test_an_order_without_an_id_is_unknown(whmcs: WhmcsClient, far: FarSide) -> None:
    far.will(says({"result": "success", "serviceids": "1"}))
    assert isinstance(ordering(whmcs), UnknownOutcome)


@pytest.mark.parametrize(
    ("message", "status", "code", "named"),
    [
        ("Authentication Failed", "403 Forbidden", "credentials", "WHMCS_API_IDENTIFIER"),
        ("Invalid or missing credentials", "403 Forbidden", "credentials", "WHMCS_API_SECRET"),
        ("Invalid IP 203.0.113.9", "403 Forbidden", "ip", "IP access restriction"),
        ('Invalid Permissions: API action "getproducts" is not allowed', "403 Forbidden", "permission", "GetProducts"),
        ('Invalid API Action: "x" is not a valid API action', "200 OK", "action", "WHMCS_API_URL"),
        ("Banned", "403 Forbidden", "forbidden", "forbids"),
    ],
)
def test_what_a_person_must_mend(
    whmcs: WhmcsClient, far: FarSide, message: str, status: str, code: str, named: str
) -> None:
    far.will(refused(message, status))
    error = reading(whmcs)
    assert (type(error), error.code) == (Misconfigured, code)
    assert named in error.text


@pytest.mark.parametrize(
    ("message", "kind", "code"),
    [
        ("Unable to add order when client status is Closed", Rejected, "client_closed"),
        ("Client ID Not Found", Rejected, "not_found"),
        ("Invalid Payment Method. Valid options include a,b", Misconfigured, "payment_module"),
        ("Authentication Failed: the module server said no", Rejected, "rejected"),
        ("No items added to cart so order cannot proceed", Rejected, "rejected"),
    ],
)
def test_a_refusal_is_definite_even_for_a_write(
    whmcs: WhmcsClient, far: FarSide, recorded: Recorded, message: str, kind: type[OutsideError], code: str
) -> None:
    far.will(refused(message))
    error = ordering(whmcs)
    assert (type(error), error.code) == (kind, code)
    assert recorded.calls == [("AddOrder", "app_error", 200)]


def test_too_many_requests_means_that_nothing_happened(whmcs: WhmcsClient, far: FarSide) -> None:
    far.will(says({"message": "Rate Limit Exceeded"}, "429 Too Many Requests"))
    assert (type(ordering(whmcs)), ordering(whmcs).code) == (Unavailable, "rate_limit")


def test_the_refusal_of_a_module_shows_no_address(whmcs: WhmcsClient, far: FarSide) -> None:
    far.will(refused("aiko@example.jp is in use"))
    assert ordering(whmcs).text == "…@… is in use"


def test_credentials_go_in_the_body_and_flags_as_ones(whmcs: WhmcsClient, far: FarSide) -> None:
    far.will(says({"result": "success", "orderid": "5", "serviceids": "8,9", "invoiceid": ""}))
    added = whmcs.add_order(ORDER)
    assert (added.order_id, added.service_ids, added.invoice_id) == (5, (8, 9), None)
    head, _, body = far.requests[0].partition(b"\r\n\r\n")
    form = parse_qs(body.decode())
    assert head.startswith(b"POST /includes/api.php HTTP/1.1\r\n")
    assert b"s3cret" not in head
    assert (form["noemail"], form["noinvoiceemail"], form["priceoverride[0]"]) == (["1"], ["1"], ["4950"])
    assert "notes" not in form
    assert "qty[0]" not in form


def test_a_customer_s_text_cannot_pose_as_the_mark(whmcs: WhmcsClient, far: FarSide) -> None:
    far.will(says({"result": "success", "orderid": "5", "clientid": "6"}))
    line = OrderLineRequest(201, "monthly", 1, 980, custom_fields={7: "x\nsfOrderId=801"})
    whmcs.add_order(OrderRequest(7, [line], "sfOrderId=8015j0000000001AAA"))
    whmcs.add_client(
        email="a@example.jp", given_name="A\0\nsfOrderId=1", family_name="B", language="en", customer_number="1"
    )
    order, client = (parse_qs(request.decode().rpartition("\r\n\r\n")[2]) for request in far.requests)
    assert base64.b64decode(order["customfields[0]"][0]) == b'a:1:{i:7;s:5:"x 801";}'
    assert order["notes"] == ["sfOrderId=8015j0000000001AAA"]
    assert client["firstname"] == ["A 1"]


ORDERS = {"result": "success", "totalresults": 1, "orders": {"order": [{"id": 1, "userid": 8, "status": "Active"}]}}
SERVICE = {"id": 5, "orderid": 2, "clientid": 8, "pid": 101, "recurringamount": "1.00", "billingcycle": "Monthly"}


def test_rows_of_others_are_never_shown(whmcs: WhmcsClient, far: FarSide) -> None:
    far.will(says(ORDERS))
    with pytest.raises(Misconfigured, match="foreign_row"):
        whmcs.orders(7)
    with pytest.raises(Misconfigured, match="foreign_row"):
        whmcs.order(2)
    far.will(says({"result": "success", "totalresults": "1", "products": {"product": [SERVICE]}}))
    with pytest.raises(Misconfigured, match="foreign_row"):
        whmcs.services(7)
    far.will(says({"result": "success", "client": {"id": 8, "email": "ben@example.jp"}}))
    with pytest.raises(Misconfigured, match="foreign_row"):
        whmcs.client(7)
    with pytest.raises(Misconfigured, match="foreign_row"):
        whmcs.client_by_email("aiko@example.jp")


def test_pages_are_read_to_the_end_whatever_their_size(whmcs: WhmcsClient, far: FarSide) -> None:
    def page(*ids: int) -> Behaviour:
        found = [{**SERVICE, "id": each} for each in ids]
        return says({"result": "success", "totalresults": "3", "products": {"product": found}})

    far.will(page(1, 2), page(3))
    assert [service.id for service in whmcs.services(8)] == [1, 2, 3]
    assert b"limitstart=2&" in far.requests[1]


@pytest.mark.parametrize(
    "body",
    [
        {"totalresults": "3", "products": ""},
        {"totalresults": "0", "products": {"product": [SERVICE]}},
        {"products": {"product": [SERVICE]}},
    ],
)
def test_a_part_of_a_list_is_never_taken_for_the_whole(
    whmcs: WhmcsClient, far: FarSide, body: dict[str, object]
) -> None:
    """Whoever looks for an order in it would make the order a second time."""
    far.will(says({"result": "success", **body}))
    with pytest.raises(Unavailable, match="short_list"):
        whmcs.services(8)
    assert len(far.requests) == 1


@pytest.mark.parametrize("nothing", [{"totalresults": 0, "products": ""}, {"products": ""}])
def test_a_customer_without_services_has_none(whmcs: WhmcsClient, far: FarSide, nothing: dict[str, object]) -> None:
    far.will(says({"result": "success", **nothing}))
    assert whmcs.services(8) == []


def test_an_order_without_a_usable_id_is_no_success(whmcs: WhmcsClient, far: FarSide) -> None:
    far.will(says({"result": "success", "orderid": "0", "serviceids": ""}))
    assert isinstance(ordering(whmcs), UnknownOutcome)


INVOICE = {"result": "success", "invoiceid": 901, "userid": 8, "total": "4950.00", "balance": "4950.00"}


@pytest.mark.parametrize(
    ("changes", "charged"),
    [
        ({"status": "Unpaid"}, False),
        ({"status": "Unpaid", "balance": "950.00"}, True),
        ({"status": "Paid", "balance": "0.00"}, True),
        ({"status": "Paid", "total": "0.00", "balance": "0.00"}, False),
        ({"status": "Payment Pending"}, True),
        ({"status": "Refunded", "balance": "0.00"}, False),
        ({"status": "Cancelled"}, False),
    ],
)
def test_an_invoice_tells_whether_money_was_taken(
    whmcs: WhmcsClient, far: FarSide, changes: dict[str, str], charged: bool
) -> None:
    far.will(says(INVOICE | changes))
    invoice = whmcs.invoice(901)
    assert invoice is not None
    assert (invoice.client_id, invoice.charged) == (8, charged)


def test_customers_are_sent_to_allowed_hosts_only(whmcs: WhmcsClient, far: FarSide) -> None:
    far.will(says({"result": "success", "redirect_url": "https://billing.example.jp/oauth?access_token=x"}))
    assert whmcs.sso_url(client_id=7, destination="clientarea:billing_info").startswith("https://billing.example.jp/")
    for url in ("https://evil.example/", "http://billing.example.jp/", "https://billing.example.jp@evil.example/", ""):
        far.will(says({"result": "success", "redirect_url": url}))
        with pytest.raises(Misconfigured, match="WHMCS_SSO_ORIGINS"):
            whmcs.sso_url(client_id=7, destination="clientarea:billing_info")


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "a\r\nb", "javascript:alert(1)", "\\\\evil"]
)
def test_a_path_stays_within_whmcs(whmcs: WhmcsClient, far: FarSide, path: str) -> None:
    with pytest.raises(ValueError, match="not a path within WHMCS"):
        whmcs.sso_url(client_id=7, destination="sso:custom_redirect", path=path)
    assert far.requests == []


@pytest.mark.parametrize(("zone", "expired"), [("Asia/Tokyo", True), ("UTC", False)])
def test_a_card_has_expired_by_the_day_of_the_installation(
    far: FarSide, settings: Any, zone: str, expired: bool
) -> None:
    settings.WHMCS_API_URL, settings.WHMCS_TIME_ZONE = f"{far.url}/includes/api.php", zone
    settings.WHMCS_CA_BUNDLE = str(far.ca)
    card = {"id": 1, "type": "RemoteCreditCard", "expiry_date": "11/26", "remote_token": "tok_1"}
    far.will(says({"result": "success", "paymethods": [card]}))
    with time_machine.travel("2026-11-30T20:00:00Z", tick=True):  # the first of December in Tokyo
        (method,) = clients.whmcs().pay_methods(7)
    assert method.expired is expired
