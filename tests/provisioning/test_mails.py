"""What customers are written about the end of an attempt."""

import uuid

import pytest
from django.utils import timezone

from accounts.models import User
from integrations.errors import Rejected, Unavailable
from notifications.models import Email
from notifications.rendering import render
from orders.models import Order
from provisioning import sweepers
from provisioning.models import Attempt
from tests.people import make_customer
from tests.provisioning.conftest import arrive_and_run
from tests.provisioning.doubles import CLIENT, ORDER, SalesforceDouble, WhmcsDouble, item, order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> User:
    return make_customer(sf_account_id="001000000000001AAA", whmcs_client_id=CLIENT, given_name="Maria")


@pytest.fixture
def portal_order(customer: User) -> Order:
    return Order.objects.create(
        user=customer,
        cart_hash="h",
        portal_ref=str(uuid.uuid4()),
        correlation_id="corr-mail-1",
        local_state=Order.Local.PLACED,
        sf_order_id=ORDER,
        category="Internet",
        terms_version="1",
        terms_accepted_at=timezone.now(),
    )


def templates() -> list[str]:
    return list(Email.objects.order_by("id").values_list("template", flat=True))


def ask_again(salesforce: SalesforceDouble, number: int) -> None:
    salesforce.request_provisioning(ORDER)
    arrive_and_run(number)


def test_an_active_order_is_announced_once_with_its_number_and_prices(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, portal_order: Order, customer: User
) -> None:
    arrive_and_run()
    email = Email.objects.get()
    rendered = render(email)
    assert email.to == customer.email
    assert portal_order.number in rendered.subject
    for part in (rendered.text, rendered.html):
        assert "Maria" in part
        assert "Home Apartment 1G" in part
        assert "4,730" in part
        assert f"/orders/{portal_order.number}/" in part


def test_the_order_page_is_told_in_the_same_transaction(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, portal_order: Order
) -> None:
    arrive_and_run()
    portal_order.refresh_from_db()
    assert (portal_order.progress, portal_order.whmcs_order_id) == ("Provisioned", 501)
    assert list(portal_order.lines.values_list("whmcs_service_id", flat=True)) == [1001, 1002]


def test_trouble_of_ours_is_written_about_once_per_order(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, portal_order: Order
) -> None:
    whmcs.trouble("add_order", Rejected("whmcs", "AddOrder", "app", "no"), times=2)
    arrive_and_run(1)
    ask_again(salesforce, 2)
    assert templates() == ["order_delayed"]
    portal_order.refresh_from_db()
    assert portal_order.progress == "Failed"
    ask_again(salesforce, 3)
    assert templates() == ["order_delayed", "order_provisioned"]


def test_a_missing_payment_method_is_asked_for_each_time(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, portal_order: Order
) -> None:
    whmcs.methods = []
    arrive_and_run(1)
    ask_again(salesforce, 2)
    assert templates() == ["order_payment_needed"] * 2
    assert "/account/payment/" in render(Email.objects.latest("id")).text


def test_a_missing_identity_is_asked_for(salesforce: SalesforceDouble, whmcs: WhmcsDouble, portal_order: Order) -> None:
    salesforce.orders[ORDER] = order(items=(item(category="SIM"),))
    arrive_and_run()
    assert templates() == ["order_identity_needed"]
    assert portal_order.number in render(Email.objects.get()).html


def test_no_mail_tells_codes_or_causes(salesforce: SalesforceDouble, whmcs: WhmcsDouble, portal_order: Order) -> None:
    whmcs.trouble("add_order", Rejected("whmcs", "AddOrder", "app", "inner words"))
    arrive_and_run()
    rendered = render(Email.objects.get())
    for word in ("inner words", "whmcs", "AddOrder", "Salesforce"):
        assert word.lower() not in (rendered.subject + rendered.text).lower()


def test_an_order_that_is_not_ours_sends_nothing(salesforce: SalesforceDouble, whmcs: WhmcsDouble) -> None:
    assert arrive_and_run().state == "PROVISIONED"
    assert templates() == []


def test_who_was_told_that_the_order_is_active_hears_no_more_of_it(
    salesforce: SalesforceDouble, whmcs: WhmcsDouble, portal_order: Order
) -> None:
    """Its report was lost, and somebody asked again, twice."""
    arrive_and_run(1)
    whmcs.trouble("services", Unavailable("whmcs", "GetClientsProducts", "http_503"))
    ask_again(salesforce, 2)
    sweepers.resolve_unknown()
    ask_again(salesforce, 3)
    assert [each.state for each in Attempt.objects.order_by("created_at")] == ["PROVISIONED"] * 3
    assert templates() == ["order_provisioned"]
