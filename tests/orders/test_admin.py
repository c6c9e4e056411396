"""What CS finds and reads; nobody edits an order by hand."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Address, CustomerLink, User
from audit.models import AuditEntry
from catalog.sync import sync
from integrations.errors import Unavailable
from notifications.models import Email
from orders.models import Order
from portal.personal_data.collecting import held_about
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
    ben = make_customer("ben@example.jp")
    order_now(ben, "VPN-US")
    Order.objects.filter(pk=order.pk).update(whmcs_order_id=88)
    User.objects.filter(pk=aiko.pk).update(given_name="Aiko", family_name="Sato", phone="+819012345678")
    User.objects.filter(pk=ben.pk).update(given_name="Ben", family_name="Mori", phone="")
    Address.objects.filter(user=ben).update(postal_code="5300001")
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
        "090-1234-5678",
        "+81 90 1234 5678",
        "〒108-0023",
        "1080023",
        "Sato",
        "sato aiko",
        "Aiko Sato",
    ):
        page = carol.get(LIST, {"q": str(term)}).content.decode()
        assert order.number in page, term
        assert "1 order" in page or page.count("field-customer") == 1, term
    for term in ("nothing", "%", "9" * 60, "' OR 1=1 --", "090-1234-5679", "108-0024", "Sato Ben", "a b c"):
        assert order.number not in carol.get(LIST, {"q": str(term)}).content.decode()


@pytest.mark.parametrize("orders", [1, 5])
@pytest.mark.parametrize(
    "query",
    ["", "?q=aiko@example.jp", "?q=aiko+sato", "?sf_status=Pending+Review", "?waits_for=support&under_way_for=1"],
)
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


def listed(client: Client, query: str) -> set[str]:
    page = client.get(LIST, {key: value for key, _, value in (part.partition("=") for part in query.split("&"))})
    return {order.number for order in page.context["cl"].queryset}


@pytest.mark.parametrize(
    ("columns", "waits_for"),
    [
        ({}, "support"),
        ({"local_state": "submitted"}, "salesforce"),
        ({"local_state": "submitted", "on_hold": ["payment"]}, "customer"),
        ({"sf_status": "Approved", "sf_activation_status": "Activating"}, "provisioning"),
        ({"sf_status": "Approved", "progress": "Checking"}, "provisioning"),
        ({"sf_status": "Approved", "sf_activation_status": "Failed"}, "support"),
        ({"sf_status": "Approved", "progress": "Failed"}, "support"),
        ({"sf_status": "Activated", "progress": "Provisioned"}, ""),
        ({"sf_status": "Cancelled"}, ""),
        ({"local_state": "refused"}, ""),
    ],
)
def test_the_list_says_whose_turn_it_is(carol: Client, aiko: User, columns: dict[str, Any], waits_for: str) -> None:
    (order,) = order_now(aiko, "VPN-US")
    Order.objects.update(**columns)
    for whose in ("customer", "support", "salesforce", "provisioning"):
        assert listed(carol, f"waits_for={whose}") == ({order.number} if whose == waits_for else set()), whose


def test_old_orders_under_way_are_filtered_by_age(carol: Client, aiko: User) -> None:
    old, done, _new = (order_now(aiko, "VPN-US")[0] for _ in range(3))
    long_ago = timezone.now() - timedelta(days=5)
    Order.objects.filter(pk__in=[old.pk, done.pk]).update(created_at=long_ago)
    Order.objects.filter(pk=done.pk).update(progress="Provisioned")
    assert listed(carol, "under_way_for=4") == {old.number}
    assert listed(carol, "under_way_for=14") == set()
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    Order.objects.filter(pk=old.pk).update(local_state="submitted")
    assert listed(carol, "waits_for=support") >= {old.number}, "the customer number is compared by hand"


def test_the_order_page_shows_what_stands_around_it(carol: Client, aiko: User, settings: Any) -> None:
    settings.SF_LIGHTNING_URL, settings.WHMCS_ADMIN_URL = "https://sonix.lightning.test", "https://whmcs.test/admin"
    order, sister = order_now(aiko, "VPN-US", "VPN-UK")
    order_now(make_customer("ben@example.jp"), "VPN-US")
    Order.objects.filter(pk=order.pk).update(whmcs_order_id=88)
    with CaptureQueriesContext(connection) as asked:
        page = carol.get(f"{LIST}{order.pk}/change/").content.decode()
    assert len(asked) <= 20, [row["sql"][:100] for row in asked]
    for words in (
        f"https://sonix.lightning.test/lightning/r/Order/{order.sf_order_id}/view",
        f"https://sonix.lightning.test/lightning/r/Opportunity/{order.sf_opportunity_id}/view",
        f"https://sonix.lightning.test/lightning/r/Account/{aiko.link.sf_account_id}/view",
        "https://whmcs.test/admin/orders.php?action=view&amp;id=88",
        "https://whmcs.test/admin/clientssummary.php?userid=4711",
        f"{LIST}{sister.pk}/change/",
        "order_received",
    ):
        assert words in page, words
    settings.SF_LIGHTNING_URL = ""
    assert "lightning" not in carol.get(f"{LIST}{order.pk}/change/").content.decode()


def test_an_e_mail_of_the_order_is_sent_again(carol: Client, aiko: User) -> None:
    (order,) = order_now(aiko, "VPN-US")
    (other,) = order_now(make_customer("ben@example.jp"), "VPN-US")
    Email.objects.update(state="sent")
    mine, theirs = (Email.objects.get(context__numbers=[each.number]) for each in (order, other))
    assert carol.post(f"{LIST}{order.pk}/mails/{theirs.pk}/").status_code == 404
    assert carol.get(f"{LIST}{order.pk}/mails/{mine.pk}/").status_code == 403
    answer = carol.post(f"{LIST}{order.pk}/mails/{mine.pk}/", follow=True)
    assert "Another copy is on its way." in answer.content.decode()
    assert [Email.objects.get(pk=each.pk).state for each in (mine, theirs)] == ["pending", "sent"]
    assert AuditEntry.objects.filter(action="order.send_again", subject=f"email:{mine.pk}").exists()


def test_the_note_is_for_colleagues_alone(carol: Client, aiko: User) -> None:
    (order,) = order_now(aiko, "VPN-US")
    address, note = f"{LIST}{order.pk}/note/", "Calls back <Monday>, speaks English"
    for _ in range(2):
        carol.post(address, {"note": note})
    assert "Calls back &lt;Monday&gt;, speaks English" in carol.get(f"{LIST}{order.pk}/change/").content.decode()
    assert order.events.filter(what="note", actor="carol@example.jp").count() == 1
    customer = signed_in(aiko)
    for path in (f"/orders/{order.number}/", f"/orders/{order.number}/status/", "/orders/", "/overview/"):
        assert "Calls back" not in customer.get(path).content.decode()
    assert "Calls back" not in json.dumps(held_about(aiko), default=str)
    reader = signed_in(make_staff("gus@example.jp", group="Operator").user)
    assert reader.post(address, {"note": "no"}).status_code == 403
    assert carol.post(f"{LIST}999999/note/", {"note": "x"}).status_code == 404
    assert Order.objects.get().support_note == note
