"""An unmodified whmcspy against the sandbox on the wire: whmcs-wire §7, acceptance checks 4 and 6."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from whmcspy import WHMCS, exceptions

from tests.sandbox_process import Sandbox

# whmcspy does not verify certificates, and has no way to be told to.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

HOME = 101
VPN = 191


@pytest.fixture
def whmcs(sandbox_process: Sandbox) -> WHMCS:
    return client_of(sandbox_process, sandbox_process.urls["whmcs_identifier"], sandbox_process.urls["whmcs_secret"])


def client_of(sandbox: Sandbox, identifier: str, secret: str) -> WHMCS:
    return WHMCS(f"{sandbox.urls['whmcs_url']}/includes/api.php", identifier, secret)


@pytest.fixture
def emi(whmcs: WHMCS) -> str:
    """A new client; whmcspy hands on the id as WHMCS wrote it."""
    made = whmcs.add_client(
        "恵美",
        "Sato",
        f"emi-{uuid4().hex}@example.jp",
        "3-12-8 Shibaura",
        "Minato-ku",
        "Tokyo",
        "108-0023",
        "JP",
        "+81 90-1234-5678",
        uuid4().hex,
        noemail=True,
    )
    assert isinstance(made, str)
    return made


def ordered(whmcs: WHMCS, client: str, *pids: int) -> dict[str, Any]:
    products = [{"id": pid, "domain": f"line-{place}"} for place, pid in enumerate(pids)]
    made: dict[str, Any] = whmcs.add_order(client, paymentmethod="stripe", products=products, noemail=True)
    return made


def orders(whmcs: WHMCS, client: str) -> list[dict[str, Any]]:
    return list(whmcs.get_orders(userid=client))


def test_an_order_is_made_listed_accepted_and_never_accepted_twice(whmcs: WHMCS, emi: str) -> None:
    made = ordered(whmcs, emi, HOME, VPN)
    (listed,) = orders(whmcs, emi)
    assert (str(listed["id"]), listed["status"], listed["name"]) == (made["orderid"], "Pending", "恵美 Sato")
    assert [line["domain"] for line in listed["lineitems"]["lineitem"]] == ["line-0", "line-1"]
    assert whmcs.accept_order(made["orderid"], autosetup=True)["result"] == "success"
    with pytest.raises(exceptions.Error, match=r"^Order ID not found or Status not Pending$"):
        whmcs.accept_order(made["orderid"])
    services = list(whmcs.get_clients_products(clientid=emi))
    assert [service["pid"] for service in services] == [str(HOME), str(VPN)]
    assert len(list(whmcs.get_clients_products(clientid=emi, productid=VPN))) == 1
    assert list(whmcs.get_clients_products(clientid=emi, active=True))


def test_only_a_pending_order_is_cancelled_and_only_a_cancelled_one_deleted(whmcs: WHMCS, emi: str) -> None:
    first, second = ordered(whmcs, emi, HOME)["orderid"], ordered(whmcs, emi, VPN)["orderid"]
    whmcs.accept_order(first)
    with pytest.raises(exceptions.Error, match="Order ID not found or Status not Pending"):
        whmcs.cancel_order(first)
    with pytest.raises(exceptions.Error, match="must be in Cancelled or Fraud to be deleted"):
        whmcs.delete_order(second)
    whmcs.cancel_order(second)
    whmcs.delete_order(second)
    assert [str(order["id"]) for order in orders(whmcs, emi)] == [first]


def test_a_service_is_asked_to_end_once(whmcs: WHMCS, emi: str) -> None:
    whmcs.accept_order(ordered(whmcs, emi, HOME)["orderid"])
    (service,) = whmcs.get_clients_products(clientid=emi)
    wish = {"serviceid": service["id"], "type": "End of Billing Period", "reason": "moving"}
    assert whmcs.call("AddCancelRequest", **wish)["userid"] in (emi, int(emi))
    with pytest.raises(exceptions.Error, match="Existing Cancellation Request Exists"):
        whmcs.call("AddCancelRequest", **wish)
    listed = [row for page in whmcs.paginated_call("GetCancelledPackages") for row in page["packages"]["package"]]
    assert [row["reason"] for row in listed if str(row["relid"]) == str(service["id"])] == ["moving"]


def test_pages_are_turned_until_there_is_nothing_left(whmcs: WHMCS, emi: str) -> None:
    made = [ordered(whmcs, emi, VPN)["orderid"] for _ in range(27)]
    assert [str(order["id"]) for order in orders(whmcs, emi)] == made[::-1]
    assert list(whmcs.get_orders(userid=emi, limitstart=27)) == []
    assert list(whmcs.get_clients_domains(clientid=emi)) == []


def test_money_moves(whmcs: WHMCS, emi: str) -> None:
    invoice = whmcs.get_invoice(ordered(whmcs, emi, HOME)["invoiceid"])
    paid = {"invoiceid": invoice["invoiceid"], "transid": uuid4().hex, "gateway": "stripe", "date": "2026-11-21"}
    whmcs.call("AddInvoicePayment", **paid, noemail=True)
    (payment,) = whmcs.get_transactions(clientid=emi)
    assert (payment["transid"], payment["amountin"]) == (paid["transid"], invoice["total"])
    assert whmcs.get_invoice(invoice["invoiceid"])["status"] == "Paid"


def test_a_ticket_is_opened_and_found(whmcs: WHMCS, emi: str) -> None:
    whmcs.open_ticket(1, "信号なし", "今朝から。", clientid=emi, noemail=True)
    (ticket,) = whmcs.get_tickets(clientid=emi)
    assert (ticket["subject"], ticket["status"]) == ("信号なし", "Open")


def test_a_service_changes_and_a_second_create_is_the_modules_to_refuse(whmcs: WHMCS, emi: str) -> None:
    whmcs.accept_order(ordered(whmcs, emi, HOME)["orderid"])
    (service,) = whmcs.get_clients_products(clientid=emi)
    assert whmcs.update_client_product(service["id"], domain="line-9")["serviceid"] == service["id"]
    with pytest.raises(exceptions.Error, match="Already provisioned"):
        whmcs.module_create(service["id"])
    assert [row["domain"] for row in whmcs.get_clients_products(clientid=emi)] == ["line-9"]


@pytest.fixture
def reader(sandbox_process: Sandbox) -> Iterator[WHMCS]:
    """Credentials that may list orders and nothing else."""
    settings = {
        "api_roles": {"reader": ["GetOrders"]},
        "api_credentials": [{"identifier": "reader", "secret": "r", "roles": ["reader"]}],
    }
    sandbox_process.control("/control/whmcs/settings", settings)
    yield client_of(sandbox_process, "reader", "r")
    sandbox_process.control("/control/whmcs/settings", {"api_roles": {}, "api_credentials": []})


def test_what_a_role_does_not_list_is_a_missing_permission(reader: WHMCS, emi: str) -> None:
    assert list(reader.get_orders(userid=emi)) == []
    with pytest.raises(exceptions.MissingPermission, match='API action "addorder" is not allowed'):
        ordered(reader, emi, HOME)
    with pytest.raises(exceptions.MissingPermission, match='API action "getservers" is not allowed'):
        reader.get_servers()


def test_a_wrong_secret_is_a_missing_permission_too(sandbox_process: Sandbox) -> None:
    stranger = client_of(sandbox_process, sandbox_process.urls["whmcs_identifier"], "wrong")
    with pytest.raises(exceptions.MissingPermission, match="Authentication Failed"):
        next(stranger.get_orders())
