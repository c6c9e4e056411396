"""WhmcsClient against the sandbox, in each shape its answers may take (whmcs-wire.md §1.5)."""

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from integrations import gateway
from integrations.errors import Misconfigured, Rejected
from integrations.whmcs import client
from integrations.whmcs.client import WhmcsClient
from integrations.whmcs.schemas import OrderLineRequest, OrderRequest
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
MARK = "8015j0000099999AAA"


@pytest.fixture(params=["strict-docs", "legacy-strings", "single-object"])
def whmcs(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[WhmcsClient]:
    sandbox.control("/control/whmcs/settings", {"quirks": request.param})
    yield gateway.whmcs()
    sandbox.control("/control/whmcs/settings", {"quirks": "strict-docs"})


def new_client(whmcs: WhmcsClient, email: str = "") -> int:
    return whmcs.add_client(
        email=email or f"aiko.{uuid.uuid4().hex[:8]}@example.jp",
        given_name="愛子",
        family_name='佐藤"; O:8',
        language="ja",
        customer_number="105001",
    )


def order_for(client_id: int, *, lines: int = 2, mark: str = MARK) -> OrderRequest:
    plan = OrderLineRequest(101, "monthly", 1, 4950, {11: 113}, {5101: mark})
    fee = OrderLineRequest(191, "onetime", 1, 3300, {}, {5191: mark})
    return OrderRequest(client_id, [plan, fee][:lines], f"sfOrderId={mark}")


def test_a_client_is_added_once_and_found(whmcs: WhmcsClient, sandbox: Sandbox) -> None:
    email = f"Aiko.{uuid.uuid4().hex[:8]}@example.jp"
    client_id = new_client(whmcs, email)
    found = whmcs.client_by_email(email)
    assert found == whmcs.client(client_id)
    assert found is not None
    assert (found.id, found.email, found.status) == (client_id, email, "Active")
    assert found.custom_fields[12] == "105001"
    with pytest.raises(Rejected, match="email_taken"):
        new_client(whmcs, email)


def test_nobody_is_none(whmcs: WhmcsClient) -> None:
    assert whmcs.client_by_email("nobody@example.jp") is None
    assert whmcs.client(999_999) is None
    assert whmcs.order(999_999) is None


def test_the_customer_number_can_be_set(whmcs: WhmcsClient) -> None:
    client_id = new_client(whmcs)
    whmcs.set_customer_number(client_id=client_id, customer_number="105002")
    found = whmcs.client(client_id)
    assert found is not None
    assert found.custom_fields[12] == "105002"


def test_ways_to_pay(whmcs: WhmcsClient, sandbox: Sandbox) -> None:
    client_id = new_client(whmcs)
    assert whmcs.pay_methods(client_id) == []
    sandbox.control(f"/control/whmcs/clients/{client_id}/paymethods", {"expiry": "12/30"})
    sandbox.control(f"/control/whmcs/clients/{client_id}/paymethods", {"expiry": "12/31"})
    first, second = whmcs.pay_methods(client_id)
    assert (first.expires, first.expired, second.expires) == ("12/30", False, "12/31")
    assert len(first.last_four) == 4


def test_the_catalogue_names_prices_and_the_mark_s_fields(whmcs: WhmcsClient) -> None:
    products = {product.pid: product for product in whmcs.catalogue()}
    assert products[101].monthly is not None
    assert products[101].annually is None
    assert isinstance(products[101].monthly, Decimal)
    assert products[101].custom_fields == {"Salesforce Order Id": 5101}


@pytest.mark.parametrize("lines", [1, 2])
def test_from_order_to_services(whmcs: WhmcsClient, sandbox: Sandbox, lines: int) -> None:
    client_id = new_client(whmcs)
    added = whmcs.add_order(order_for(client_id, lines=lines))
    assert len(added.service_ids) == lines
    assert added.invoice_id
    order = whmcs.order(added.order_id)
    assert order is not None
    assert (order.status, order.client_id, order.invoice_id) == ("Pending", client_id, added.invoice_id)
    assert whmcs.orders(client_id) == [order]
    whmcs.accept_order(added.order_id)
    services = {service.id: service for service in whmcs.services(client_id)}
    assert set(services) == set(added.service_ids)
    plan = services[added.service_ids[0]]
    assert (plan.status, plan.order_id, plan.pid, plan.billing_cycle) == ("Active", added.order_id, 101, "monthly")
    assert plan.recurring_amount == Decimal("4950.00")
    assert {service.custom_fields["Salesforce Order Id"] for service in services.values()} == {MARK}
    row = sandbox.ledger(system="whmcs", operation="AddOrder")[-1]
    assert row["detail"]["mails"] == []


def test_accepting_twice_is_refused_with_a_code_that_says_nothing(whmcs: WhmcsClient) -> None:
    added = whmcs.add_order(order_for(new_client(whmcs)))
    whmcs.accept_order(added.order_id)
    with pytest.raises(Rejected, match="not_pending"):
        whmcs.accept_order(added.order_id)


def test_accepting_without_setting_up_then_by_hand(whmcs: WhmcsClient) -> None:
    client_id = new_client(whmcs)
    added = whmcs.add_order(order_for(client_id, lines=1))
    whmcs.accept_order(added.order_id, set_up=False)
    assert [service.status for service in whmcs.services(client_id)] == ["Pending"]
    whmcs.module_create(added.service_ids[0])
    assert [service.status for service in whmcs.services(client_id)] == ["Active"]
    whmcs.set_service_status(added.service_ids[0], "Cancelled")
    assert [service.status for service in whmcs.services(client_id)] == ["Cancelled"]


def test_a_pending_order_can_be_cancelled(whmcs: WhmcsClient) -> None:
    added = whmcs.add_order(order_for(new_client(whmcs)))
    whmcs.cancel_order(added.order_id)
    order = whmcs.order(added.order_id)
    assert order is not None
    assert order.status == "Cancelled"


def test_an_invoice_is_read_and_cancelled(whmcs: WhmcsClient) -> None:
    client_id = new_client(whmcs)
    added = whmcs.add_order(order_for(client_id))
    assert added.invoice_id is not None
    invoice = whmcs.invoice(added.invoice_id)
    assert invoice is not None
    assert (invoice.client_id, invoice.status, invoice.charged) == (client_id, "Unpaid", False)
    whmcs.cancel_invoice(added.invoice_id)
    whmcs.cancel_invoice(added.invoice_id)
    after = whmcs.invoice(added.invoice_id)
    assert after is not None
    assert (after.status, after.settled) == ("Cancelled", True)
    assert whmcs.invoice(999_999) is None


def test_a_module_s_failure_is_a_refusal(whmcs: WhmcsClient, sandbox: Sandbox) -> None:
    added = whmcs.add_order(order_for(new_client(whmcs), lines=1))
    sandbox.control("/control/whmcs/settings", {"module_failure": {"pid": 101, "times": "once", "text": "No port"}})
    with pytest.raises(Rejected, match="No port"):
        whmcs.accept_order(added.order_id)


def test_the_payment_page_is_signed_in_to(whmcs: WhmcsClient, sandbox: Sandbox) -> None:
    url = whmcs.sso_url(client_id=new_client(whmcs), destination="clientarea:billing_info")
    assert url.startswith(sandbox.urls["people_url"])


def test_wrong_credentials_are_said(sandbox: Sandbox, settings: Any) -> None:
    settings.WHMCS_API_SECRET = "wrong"
    gateway.forget()
    with pytest.raises(Misconfigured, match="WHMCS_API_SECRET"):
        gateway.whmcs().catalogue()


def test_a_name_of_a_payment_module_that_does_not_exist_is_said(sandbox: Sandbox, settings: Any) -> None:
    client_id = new_client(gateway.whmcs())
    settings.WHMCS_PAYMENT_METHOD = "goldcoins"
    gateway.forget()
    with pytest.raises(Misconfigured, match="WHMCS_PAYMENT_METHOD"):
        gateway.whmcs().add_order(order_for(client_id))


def test_long_lists_are_read_to_the_end(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 2)
    whmcs = gateway.whmcs()
    client_id = new_client(whmcs)
    made = [whmcs.add_order(order_for(client_id, lines=1)) for _ in range(5)]
    assert {service.id for service in whmcs.services(client_id)} == {each.service_ids[0] for each in made}
    assert [order.id for order in whmcs.orders(client_id)] == [each.order_id for each in reversed(made)]
