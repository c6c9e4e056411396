"""What CS finds and reads; nobody edits an order by hand."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog.sync import sync
from integrations.errors import Unavailable
from orders.models import Order
from tests.orders.doubles import Salesforce, Whmcs, change
from tests.orders.steps import order_now
from tests.people import make_customer, make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/orders/order/"


@pytest.fixture
def aiko(salesforce: Salesforce, whmcs: Whmcs) -> User:
    return make_customer("aiko@example.jp", whmcs_client_id=4711)


@pytest.fixture
def carol(aiko: User) -> Client:
    """The lead of CS, who may see everything (groups are the portal's own migration)."""
    staff = make_staff().user
    staff.is_superuser = True
    staff.save(update_fields=["is_superuser"])
    return signed_in(staff)


def test_an_order_is_found_by_any_number_somebody_can_read_out(carol: Client, aiko: User) -> None:
    (order,) = order_now(aiko, "VPN-US")
    order_now(make_customer("ben@example.jp"), "VPN-US")
    Order.objects.filter(pk=order.pk).update(whmcs_order_id=88)
    link = aiko.link
    for term in (
        order.number,
        order.number.lower(),
        order.sf_order_id,
        order.sf_order_number,
        order.sf_opportunity_id,
        order.portal_ref,
        "aiko@example.jp",
        "AIKO@example.jp ",
        link.sf_account_no,
        link.sf_account_id,
        "88",
        "4711",
    ):
        page = carol.get(LIST, {"q": str(term)}).content.decode()
        assert order.number in page, term
        assert "1 order" in page or page.count("field-customer") == 1, term
    for term in ("nothing", "%", "9" * 60, "' OR 1=1 --"):
        assert order.number not in carol.get(LIST, {"q": str(term)}).content.decode()


@pytest.mark.parametrize("orders", [1, 5])
@pytest.mark.parametrize("query", ["", "?q=aiko@example.jp", "?sf_status=Pending+Review"])
def test_the_list_costs_at_most_eight_queries(carol: Client, aiko: User, orders: int, query: str) -> None:
    for _ in range(orders):
        order_now(aiko, "VPN-US")
    with CaptureQueriesContext(connection) as asked:
        assert carol.get(LIST + query).status_code == 200
    assert len(asked) <= 8, [row["sql"][:100] for row in asked]


def test_one_page_shows_lines_events_and_remote_ids(carol: Client, aiko: User) -> None:
    (order,) = order_now(aiko, "VPN-US")
    page = carol.get(f"{LIST}{order.pk}/change/").content.decode()
    for words in (
        "VPN-US",
        "ACT-VPN",
        "submitted",
        "placed",
        order.sf_order_id,
        order.portal_ref,
        order.correlation_id,
    ):
        assert str(words) in page


def test_nothing_is_edited_by_hand(carol: Client, aiko: User) -> None:
    (order,) = order_now(aiko, "VPN-US")
    for path in (f"{LIST}{order.pk}/change/", f"{LIST}{order.pk}/delete/", f"{LIST}add/"):
        assert carol.post(path, {"local_state": "refused", "post": "yes"}).status_code == 403
    assert Order.objects.get().local_state == "placed"


def test_refreshing_from_salesforce(carol: Client, aiko: User, salesforce: Salesforce) -> None:
    (order,) = order_now(aiko, "VPN-US")
    form: dict[str, Any] = {"action": "refresh_from_salesforce", "_selected_action": [order.pk]}
    salesforce.changes = [change(order.sf_order_id or "", status="Approved", minute=5)]
    assert "1 orders changed." in carol.post(LIST, form, follow=True).content.decode()
    event = order.events.last()
    assert event is not None
    assert (event.what, event.actor) == ("salesforce", "carol@example.jp")
    salesforce.fails["order_change"] = Unavailable("salesforce", "order_change", "timeout")
    assert f"{order.number}: salesforce order_change: timeout" in carol.post(LIST, form, follow=True).content.decode()


def test_the_catalogue_shows_why_a_product_is_hidden(carol: Client, salesforce: Salesforce) -> None:
    salesforce.edit("VPN-US", WHMCS_Product_Id__c="abc")
    sync()
    page = carol.get("/admin/catalog/product/?customers=hidden").content.decode()
    assert "abc is not a WHMCS product id" in page
    assert "VPN-UK" not in page
    assert "1 broken" in carol.get("/admin/catalog/catalogsync/").content.decode()


def test_the_order_page_leads_to_its_attempts_and_has_nothing_to_save(carol: Client, aiko: User) -> None:
    (order,) = order_now(aiko, "VPN-US")
    page = carol.get(f"{LIST}{order.pk}/change/").content.decode()
    assert f"/admin/provisioning/attempt/?q={order.sf_order_id}" in page
    assert 'name="_save"' not in page
    assert page.index("sf_order_number") < page.index("cart_hash")
