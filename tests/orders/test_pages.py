"""From cart to order in a browser without script, and the pages of an order."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import django_rq
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override
from redis.exceptions import ConnectionError as Away

from accounts.models import Address, CustomerLink, User
from catalog.models import Product
from catalog.sync import sync
from integrations import gateway
from integrations.errors import Rejected, Unavailable
from orders import queries, watched
from orders.models import Cart, Order, OrderLine
from orders.refresh import refresh
from tests.orders.doubles import Salesforce, Whmcs, change
from tests.orders.steps import VPN, fill, lives, order_now, review_form
from tests.people import make_customer, make_user, signed_in
from tests.provisioning.doubles import item

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(salesforce: Salesforce, whmcs: Whmcs) -> User:
    return lives(make_customer("aiko@example.jp")).user


@pytest.fixture
def browser(customer: User) -> Client:
    return signed_in(customer)


@pytest.fixture
def no_remote_calls(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it: whoever asks an outside system from then on fails the test."""

    def forbidden() -> Any:
        raise AssertionError("a page asked an outside system")

    def arm() -> None:
        monkeypatch.setattr(gateway, "salesforce", forbidden)
        monkeypatch.setattr(gateway, "whmcs", forbidden)

    return arm


def text(response: Any) -> str:
    return str(response.content.decode())


# --- the way to an order


def test_from_cart_to_the_orders_page(browser: Client, salesforce: Salesforce) -> None:
    browser.post("/cart/add/", VPN)
    assert "We have everything we need" in text(browser.get("/checkout/"))
    page = text(browser.get("/checkout/review/"))
    assert "¥550" in page
    assert "Place order" in page
    answer = browser.post("/checkout/review/", review_form(browser), follow=True)
    order = Order.objects.get()
    assert answer.redirect_chain[-1][0] == f"/orders/{order.number}/"
    assert "In review" in text(answer)
    assert order.user is not None
    assert f"A confirmation is on its way to {order.user.email}" in text(answer)
    assert "A confirmation" not in text(browser.get(answer.redirect_chain[-1][0]))
    assert text(browser.get("/cart/")).count("Your cart is empty") == 1


def test_the_order_page_says_which_options_were_chosen(browser: Client) -> None:
    browser.post("/cart/add/", {**VPN, "option-extra_devices": "2"})
    browser.post("/checkout/review/", review_form(browser))
    address = f"/orders/{Order.objects.get().number}/"
    assert "Devices beyond the first five: 2" in text(browser.get(address))
    Product.objects.filter(sku="VPN-US").update(options=[])
    assert "Devices beyond the first five: 2" in text(browser.get(address)), "as it was when it was ordered"
    with override("ja"):
        (words, _activation) = queries.chosen_words(list(OrderLine.objects.all())).values()
    assert words == "6台目以降の端末数: 2"


def test_older_lines_say_what_was_chosen_as_the_catalogue_has_it(browser: Client) -> None:
    browser.post("/cart/add/", {**VPN, "option-extra_devices": "2"})
    browser.post("/checkout/review/", review_form(browser))
    OrderLine.objects.update(options_in_words={})
    page = text(browser.get(f"/orders/{Order.objects.get().number}/"))
    assert "Devices beyond the first five: 2" in page


def test_the_gate_stops_and_names_what_is_missing(browser: Client, whmcs: Whmcs) -> None:
    whmcs.methods = []
    browser.post("/cart/add/", VPN)
    page = text(browser.get("/checkout/"))
    assert "<h1>One thing is still missing</h1>" in page
    assert 'href="/account/payment/?next=%2Fcheckout%2F"' in page
    assert "disabled" in page
    assert browser.get("/checkout/review/")["Location"] == "/checkout/"


def test_the_gate_holds_against_a_form_sent_by_hand(browser: Client, whmcs: Whmcs, salesforce: Salesforce) -> None:
    browser.post("/cart/add/", VPN)
    form = review_form(browser)
    whmcs.methods = []
    answer = browser.post("/checkout/review/", form)
    assert answer.status_code == 409
    assert "One thing is still missing" in text(answer)
    assert not Order.objects.exists()


def test_whmcs_down_is_said_calmly_and_the_cart_is_kept(browser: Client, whmcs: Whmcs) -> None:
    browser.post("/cart/add/", VPN)
    whmcs.error = Unavailable("whmcs", "GetPayMethods", "timeout")
    answer = browser.get("/checkout/")
    assert answer.status_code == 200
    assert "Your cart is kept; try again in a few minutes." in text(answer)
    assert "WHMCS" not in text(answer)
    assert Cart.objects.get().lines.count() == 1


def test_the_terms_must_be_ticked(browser: Client) -> None:
    browser.post("/cart/add/", VPN)
    answer = browser.post("/checkout/review/", review_form(browser) | {"terms": ""})
    assert answer.status_code == 422
    assert 'href="#terms"' in text(answer)
    assert 'href="#matters"' not in text(answer)
    assert re.search(r'name="matters"[^>]* checked', text(answer)), "what was ticked stays ticked"
    assert "<title>Error: " in text(answer)
    assert not Order.objects.exists()


def test_a_changed_price_is_shown_and_confirmed(browser: Client, salesforce: Salesforce) -> None:
    browser.post("/cart/add/", VPN)
    form = review_form(browser)
    salesforce.edit("VPN-US", price=Decimal("660"))
    sync()
    answer = browser.post("/checkout/review/", form)
    assert answer.status_code == 409
    assert "Something changed since you looked, so nothing was ordered" in text(answer)
    assert "VPN United States: it was ¥550 per month and is now ¥660 per month." in text(answer)
    assert not Order.objects.exists()
    browser.post("/checkout/review/", review_form(browser))
    assert Order.objects.count() == 1


def test_a_forged_price_in_the_form_changes_nothing(browser: Client, salesforce: Salesforce) -> None:
    browser.post("/cart/add/", VPN)
    forged = {"unit_price": "1", "total": "1", "local_state": "placed", "sf_order_id": "801X", "user": "1"}
    browser.post("/checkout/review/", review_form(browser) | forged)
    assert [item.unit_price for item in salesforce.asked[0].items] == [550, 0]


def test_back_button_and_double_click_lead_to_the_same_order(browser: Client) -> None:
    browser.post("/cart/add/", VPN)
    form = review_form(browser)
    first, second = (browser.post("/checkout/review/", form)["Location"] for _ in range(2))
    assert first == second
    assert Order.objects.count() == 1


def test_an_old_form_leads_to_its_order_and_leaves_the_new_cart_alone(browser: Client) -> None:
    browser.post("/cart/add/", VPN)
    form = review_form(browser)
    first = browser.post("/checkout/review/", form)["Location"]
    browser.post("/cart/add/", VPN | {"option-extra_devices": "1"})
    assert browser.post("/checkout/review/", form)["Location"] == first
    assert Order.objects.count() == 1
    assert Cart.objects.get(closed_at=None).lines.count() == 1


def test_what_another_tab_added_is_shown_before_it_is_ordered(browser: Client) -> None:
    browser.post("/cart/add/", VPN)
    form = review_form(browser)
    browser.post("/cart/add/", VPN | {"option-extra_devices": "1"})
    answer = browser.post("/checkout/review/", form)
    assert answer.status_code == 409
    assert "Something changed since you looked, so nothing was ordered" in text(answer)
    assert not Order.objects.exists()


def test_the_same_again_needs_a_second_yes(browser: Client, customer: User) -> None:
    (before,) = order_now(customer, "VPN-US")
    browser.post("/cart/add/", VPN)
    answer = browser.post("/checkout/review/", review_form(browser))
    assert answer.status_code == 409
    assert f"See order {before.number}" in text(answer)
    assert 'name="again" value="yes"' in text(answer)
    browser.post("/checkout/review/", review_form(browser) | {"again": "yes"})
    assert Order.objects.count() == 2


@pytest.mark.parametrize("cart", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_nonsense_cart_id_orders_nothing(browser: Client, cart: str) -> None:
    browser.post("/cart/add/", VPN)
    answer = browser.post("/checkout/review/", review_form(browser) | {"cart": cart, "seen": "x"}, follow=True)
    assert "This cart is closed already." in text(answer)
    assert not Order.objects.exists()


def test_an_empty_cart_goes_nowhere(browser: Client) -> None:
    for path in ("/checkout/", "/checkout/review/"):
        assert browser.get(path)["Location"] == "/cart/"


def test_visitors_sign_in_before_the_checkout(visitor: Client, salesforce: Salesforce) -> None:
    visitor.post("/cart/add/", VPN)
    for path in ("/checkout/", "/checkout/review/"):
        assert visitor.get(path)["Location"].startswith("/account/login/?next=")


def test_several_orders_are_shown_together(browser: Client, customer: User, salesforce: Salesforce) -> None:
    orders = order_now(customer, "VPN-US", "SIM-D-3", sim_type="esim")
    page = text(browser.get(f"/orders/placed/{orders[0].submission}/"))
    assert all(order.number in page for order in orders)
    for words in ("We have your orders", "Data 3 GB", "VPN United States", "¥1,540", "¥1,100"):
        assert words in page
    assert "still being registered" not in page


def test_the_result_says_which_orders_wait_or_were_refused(browser: Client, customer: User) -> None:
    first, second, _third = order_now(customer, "VPN-US", "VPN-UK", "SIM-D-3", sim_type="esim")
    Order.objects.filter(pk=first.pk).update(local_state="submitted")
    Order.objects.filter(pk=second.pk).update(local_state="refused")
    page = text(browser.get(f"/orders/placed/{first.submission}/"))
    assert "Some of them are still being registered" in page
    assert "One of them could not be accepted" in page


def test_a_refused_order_is_told_without_its_code(browser: Client, customer: User, salesforce: Salesforce) -> None:
    salesforce.fails["place_order"] = Rejected("salesforce", "place_order", "field_integrity_exception", "secret cause")
    (order,) = order_now(customer, "VPN-US")
    page = text(browser.get(f"/orders/{order.number}/"))
    assert "Not accepted" in page
    for inner in ("field_integrity", "secret cause", "Salesforce"):
        assert inner not in page


# --- the pages of an order


def test_the_order_page_shows_state_line_sum_and_numbers(browser: Client, customer: User, no_remote_calls: Any) -> None:
    (order,) = order_now(customer, "VPN-US")
    no_remote_calls()
    page = text(browser.get(f"/orders/{order.number}/"))
    for words in (order.number, "In review", "Order placed", "VPN United States", "¥550", "Numbers to quote"):
        assert words in page
    assert f'data-poll="/orders/{order.number}/status/" data-every="5"' in page


def test_the_order_page_answers_json_to_those_who_ask(browser: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    answer = browser.get(f"/orders/{order.number}/", headers={"accept": "application/json"})
    assert answer["Content-Type"] == "application/json"
    assert "Accept" in answer["Vary"]
    order.refresh_from_db()
    assert answer.json() == {
        "number": order.number,
        "sf_order_id": "801TEST00000001AAA",
        "status": "Pending Review",
        "activation_status": "Pending Review",
        "label": "In review",
        "updated": order.updated_at.isoformat(),
        "final": False,
    }


def test_the_fragment_renews_itself_until_the_end(browser: Client, customer: User, no_remote_calls: Any) -> None:
    (order,) = order_now(customer, "VPN-US")
    no_remote_calls()
    path = f"/orders/{order.number}/status/"
    first = browser.get(path)
    assert text(first).lstrip().startswith('<div id="order-status"')
    assert "<html" not in text(first)
    assert "data-poll" in text(first)
    page = text(browser.get(f"/orders/{order.number}/"))
    assert f'data-etag="{first["ETag"]}"' in unescape(page), "what the page has is not sent again"
    again = browser.get(path, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Order.objects.update(progress="Provisioned", provisioned_at=datetime(2026, 11, 20, tzinfo=UTC))
    last = browser.get(path, headers={"if-none-match": first["ETag"]})
    assert last.status_code == 200
    assert "data-poll" not in text(last)
    assert 'data-announce="Active"' in text(last)
    assert f'data-title="Active: {order.number}"' in text(last)


def test_the_fragment_brings_the_numbers_and_items_that_changed(
    browser: Client, customer: User, salesforce: Salesforce
) -> None:
    (order,) = order_now(customer, "VPN-US")
    path = f"/orders/{order.number}/status/"
    first = browser.get(path)
    goods = (item(id="802NEW000000001AAA", sku="VPN-UK", category="VPN", unit_price=770),)
    salesforce.changes = [change(order.sf_order_id or "", minute=5, items=goods)]
    refresh()
    renewed = browser.get(path, headers={"if-none-match": first["ETag"]})
    assert renewed.status_code == 200
    for words in ("¥770", "Customer support changed this order on", order.number):
        assert words in text(renewed).partition('<aside id="order-facts"')[2]


def test_the_tag_knows_the_language(browser: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    path = f"/orders/{order.number}/status/"
    tag = browser.get(path)["ETag"]
    assert browser.get(path, headers={"if-none-match": tag, "accept-language": "ja"}).status_code == 200


def test_a_delayed_order_is_asked_about_by_hand(browser: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    Order.objects.update(progress="Failed", sf_activation_error="whmcs_rejected: pid 301")
    page = text(browser.get(f"/orders/{order.number}/"))
    assert "Taking longer than usual" in page
    assert "data-poll" not in page
    assert "Check again" in page
    assert "whmcs" not in page.lower()


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_order_of_somebody_else_does_not_exist(salesforce: Salesforce, customer: User, method: str) -> None:
    (order,) = order_now(customer, "VPN-US")
    stranger = signed_in(make_customer("ben@example.jp"))
    for path in (
        "/orders/{}/",
        "/orders/{}/status/",
    ):
        answer = getattr(stranger, method)(path.format(order.number))
        unknown = getattr(stranger, method)(path.format("SX-0000-000"))
        assert answer.status_code == unknown.status_code == (404 if method == "get" else 405)
        if method == "get":
            same = text(answer).replace(answer["X-Request-ID"], "") == text(unknown).replace(
                unknown["X-Request-ID"], ""
            )
            assert same, "the answer does not tell that the order exists"
    assert stranger.get(f"/orders/{order.sf_order_id}/").status_code == 404
    assert stranger.get(f"/orders/placed/{order.submission}/").status_code == 404
    json_answer = stranger.get(f"/orders/{order.number}/", headers={"accept": "application/json"})
    assert json_answer.status_code == 404


def test_visitors_see_no_order(visitor: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    for page in ("", f"{order.number}/", f"{order.number}/status/", f"{order.sf_order_id}/"):
        assert visitor.get(f"/orders/{page}")["Location"].startswith("/account/login/")


def test_salesforces_id_and_lower_case_numbers_lead_to_the_order(browser: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    sf_id = order.sf_order_id or ""
    for path in (sf_id, f"{sf_id}/", f"{sf_id[:15]}/"):
        assert browser.get(f"/orders/{path}")["Location"] == f"/orders/{order.number}/"
    assert browser.get(f"/orders/{order.number.lower()}/").status_code == 200


def test_watching_is_noted_and_its_loss_is_harmless(
    browser: Client, customer: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    (order,) = order_now(customer, "VPN-US")
    assert not watched.anybody()
    browser.get(f"/orders/{order.number}/status/")
    assert watched.anybody()
    django_rq.get_connection("housekeeping").delete(watched.KEY)
    browser.get(f"/orders/{order.number}/", headers={"accept": "application/json"})
    assert watched.anybody(), "a program that asks watches too"
    monkeypatch.setattr("orders.watched.time.time", lambda: 4_000_000_000.0)
    assert not watched.anybody()


def test_without_redis_the_page_stands(browser: Client, customer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(name: str) -> Any:
        raise Away("gone")

    (order,) = order_now(customer, "VPN-US")
    monkeypatch.setattr("orders.watched.django_rq.get_connection", away)
    assert browser.get(f"/orders/{order.number}/").status_code == 200
    assert watched.anybody() is False


# --- lists, overview, costs


def test_the_list_and_its_empty_state(browser: Client, customer: User) -> None:
    assert "No orders yet" in text(browser.get("/orders/"))
    (order,) = order_now(customer, "VPN-US")
    page = text(browser.get("/orders/"))
    assert order.number in page
    assert "In review" in page


def test_the_list_is_filtered_without_script(browser: Client, customer: User) -> None:
    waiting, active, gone = (order_now(customer, "VPN-US")[0] for _ in range(3))
    Order.objects.filter(pk=active.pk).update(progress="Provisioned")
    Order.objects.filter(pk=gone.pk).update(sf_status="Cancelled")
    for part, there in {
        "under-way": [waiting],
        "active": [active],
        "cancelled": [gone],
        "": [waiting, active, gone],
        "nonsense": [waiting, active, gone],
    }.items():
        page = text(browser.get("/orders/", {"show": part}))
        assert [order for order in (waiting, active, gone) if order.number in page] == there, part
    page = text(browser.get("/orders/?show=active"))
    assert '<a href="/orders/?show=active" aria-current="page">Active</a>' in page


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("under-way", "No order is under way"),
        ("active", "No order has become a service yet"),
        ("cancelled", "No order was cancelled"),
        ("", "No orders yet"),
    ],
)
def test_every_part_of_the_list_has_an_empty_state(browser: Client, customer: User, part: str, words: str) -> None:
    assert words in text(browser.get("/orders/", {"show": part}))


def test_long_lists_have_pages_that_keep_the_filter(
    browser: Client, customer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.views.PAGE", 2)
    first, *_newer = (order_now(customer, "VPN-US")[0] for _ in range(3))
    page = text(browser.get("/orders/?show=under-way"))
    assert first.number not in page
    assert 'href="?show=under-way&amp;page=2"' in page
    assert first.number in text(browser.get("/orders/?show=under-way&page=2"))
    assert first.number in text(browser.get("/orders/?page=99")), "the last page instead of none"


def test_an_order_of_a_provisional_customer_waits_for_support(browser: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    Order.objects.update(local_state="submitted", sf_order_id=None, sf_status="", sf_activation_status="")
    for path in (f"/orders/{order.number}/", f"/orders/{order.number}/status/"):
        page = text(browser.get(path))
        assert "We are comparing your customer number" in page
        assert "We are registering it" not in page
    tag = browser.get(f"/orders/{order.number}/status/")["ETag"]
    with CaptureQueriesContext(connection) as asked:
        browser.get(f"/orders/{order.number}/status/", headers={"if-none-match": tag})
    assert len(asked) <= 3 + 2, "one more: whether the link is real"
    json = browser.get(f"/orders/{order.number}/", headers={"accept": "application/json"}).json()
    assert (json["status"], json["final"]) == ("Submitted", False)


def test_the_page_has_support_s_number_too(browser: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    assert order.sf_order_number in text(browser.get(f"/orders/{order.number}/"))


@pytest.mark.parametrize(
    ("columns", "days", "late"),
    [({}, 1, False), ({}, 5, True), ({"sf_status": "Approved"}, 0, False), ({"sf_status": "Approved"}, 1, True)],
)
def test_what_takes_longer_than_we_said_says_what_to_do(
    browser: Client, customer: User, columns: dict[str, str], days: int, late: bool
) -> None:
    (order,) = order_now(customer, "VPN-US")
    begun = timezone.now() - timedelta(days=days)
    Order.objects.update(created_at=begun, placed_at=begun, **columns)
    assert ("This takes longer than we said" in text(browser.get(f"/orders/{order.number}/"))) is late


def test_the_overview_shows_what_to_do_and_what_is_under_way(browser: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    CustomerLink.objects.update(has_payment_method=False)
    Address.objects.all().delete()
    page = text(browser.get("/overview/"))
    assert "Hello Aiko" in page
    assert "Your order cannot start without one." in page
    assert f"Open {order.number}" in page
    assert "Add your address" in page
    CustomerLink.objects.update(has_payment_method=True)
    lives(customer)
    Order.objects.update(progress="Provisioned")
    page = text(browser.get("/overview/"))
    assert "To do now" not in page
    assert "No order is under way" in page


def test_the_overview_of_somebody_being_set_up(salesforce: Salesforce) -> None:
    page = text(signed_in(make_user("new@example.jp")).get("/overview/"))
    assert "We are setting it up" in page


@pytest.mark.parametrize("orders", [1, 4])
@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/orders/{number}/status/", 5),
        ("/orders/{number}/", 5),
        ("/orders/{number}/cancel/", 4),
        ("/orders/", 5),
        ("/orders/?show=under-way", 5),
        ("/overview/", 7),
    ],
)
def test_pages_cost_the_same_for_many_orders(
    browser: Client, customer: User, path: str, own: int, orders: int, no_remote_calls: Any
) -> None:
    """`own` queries beside the three that know who asks: the session, the user, how long the session may last."""
    for _ in range(orders):
        (order,) = order_now(customer, "VPN-US")
    no_remote_calls()
    with CaptureQueriesContext(connection) as asked:
        answer = browser.get(path.format(number=order.number))
    assert answer.status_code == 200
    assert len(asked) <= 3 + own, [query["sql"][:120] for query in asked]


@pytest.mark.parametrize("lines", [1, 5])
@pytest.mark.parametrize(
    ("path", "own"),
    [("/cart/", 5), ("/checkout/", 20), ("/checkout/review/", 20), ("/orders/placed/{submission}/", 4)],
)
def test_the_way_to_an_order_costs_the_same_for_many_lines(
    browser: Client, customer: User, path: str, own: int, lines: int
) -> None:
    CustomerLink.objects.update(identity_status="Verified", internet_eligibility="Apartment 1G")
    customer = User.objects.get(pk=customer.pk)
    orders = order_now(customer, *["VPN-US", "VPN-UK"] * lines)
    fill(customer, "INT-APT-1G", router="none")
    fill(customer, *["SIM-D-3"] * lines, sim_type="esim")
    with CaptureQueriesContext(connection) as asked:
        answer = browser.get(path.format(submission=orders[0].submission))
    assert answer.status_code == 200
    assert len(asked) <= 3 + own, [query["sql"][:120] for query in asked]


@pytest.mark.parametrize(
    "path", ["/cart/", "/orders/", "/orders/?show=active", "/overview/", "/checkout/", "/checkout/review/"]
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_stands_in_both_languages_without_inline_code(
    browser: Client, customer: User, path: str, language: str
) -> None:
    fill(customer, "VPN-US")
    answer = browser.get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in text(answer)
    assert " style=" not in text(answer)


def test_an_unchanged_order_costs_one_query(browser: Client, customer: User) -> None:
    (order,) = order_now(customer, "VPN-US")
    path = f"/orders/{order.number}/status/"
    tag = browser.get(path)["ETag"]
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(path, headers={"if-none-match": tag}).status_code == 304
    assert len(asked) <= 3 + 1, [query["sql"][:120] for query in asked]
