"""The payment method page, its JSON, and the way to WHMCS (product.md §3)."""

import logging
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import payment
from accounts.models import CustomerLink, User
from integrations.errors import Unavailable
from integrations.whmcs.schemas import PayMethod
from orders.models import Cart, CartLine
from tests.accounts.doubles import Whmcs
from tests.people import make_customer, signed_in

pytestmark = pytest.mark.django_db
CARD = PayMethod(id=1, kind="RemoteCreditCard", brand="Visa", last_four="4242", expires="12/30", expired=False)
ENDING = PayMethod(3, "RemoteCreditCard", "Visa", "1111", "12/26", expired=False, expiring=True)
OLD = PayMethod(id=2, kind="RemoteCreditCard", brand="JCB", last_four="0000", expires="01/20", expired=True)


def give(whmcs: Whmcs, user: User, *methods: PayMethod) -> None:
    client_id = user.link.whmcs_client_id
    assert client_id is not None
    whmcs.cards[client_id] = list(methods)


def test_without_one_the_page_offers_to_add_it(aiko: User, whmcs: Whmcs) -> None:
    page = signed_in(aiko).get(reverse("payment_methods")).content.decode()

    assert "No payment method yet" in page
    assert f'action="{reverse("payment_sso")}"' in page
    assert CustomerLink.objects.get(user=aiko).has_payment_method is False


def test_with_one_it_shows_brand_last_four_and_expiry(aiko: User, whmcs: Whmcs) -> None:
    give(whmcs, aiko, CARD, OLD)

    page = signed_in(aiko).get(reverse("payment_methods")).content.decode()

    assert "Visa" in page
    assert "4242" in page
    assert "12/30" in page
    assert "Expired" in page
    assert "One thing is missing" not in page
    assert CustomerLink.objects.get(user=aiko).has_payment_method is True


def test_who_came_from_the_checkout_goes_on_there(aiko: User, whmcs: Whmcs) -> None:
    browser, way_back = signed_in(aiko), f'<a class="button" href="{reverse("checkout")}">Continue your order</a>'
    give(whmcs, aiko, CARD)
    assert way_back not in browser.get(reverse("payment_methods")).content.decode()

    CartLine.objects.create(cart=Cart.objects.create(user=aiko), sku="VPN-US")
    assert way_back in browser.get(reverse("payment_methods")).content.decode()

    give(whmcs, aiko)
    caches["cards"].clear()
    page = browser.get(reverse("payment_methods")).content.decode()
    assert way_back not in page
    assert "One thing is missing" not in page  # the page itself says so


@pytest.mark.parametrize(
    ("methods", "warning", "words"),
    [
        ((ENDING, CARD), "expiring", "The card we charge first expires soon"),
        ((OLD, CARD), "expired", "The card we charge first has expired"),
        ((CARD, OLD), "", ""),
        ((), "", ""),
    ],
)
def test_a_card_that_ends_is_told_there_and_on_other_pages_without_a_call(
    aiko: User, whmcs: Whmcs, methods: tuple[PayMethod, ...], warning: str, words: str
) -> None:
    give(whmcs, aiko, *methods)
    browser = signed_in(aiko)

    page = browser.get(reverse("payment_methods")).content.decode()
    calls = len(whmcs.calls)
    elsewhere = browser.get(reverse("contact")).content.decode()

    assert ("The card we charge first" in page, words in page) == (bool(words), True)
    assert CustomerLink.objects.get(user=aiko).card_warning == warning
    assert ("Renew the card" in elsewhere) == bool(words)
    assert len(whmcs.calls) == calls
    seen = CustomerLink.objects.values().get(user=aiko)
    assert not [value for value in seen.values() for card in methods if str(value) in {card.last_four, card.expires}]


def test_a_renewed_card_ends_the_warning(aiko: User, whmcs: Whmcs) -> None:
    CustomerLink.objects.filter(user=aiko).update(has_payment_method=True, card_warning="expired")
    give(whmcs, aiko, CARD)

    signed_in(aiko).get(reverse("payment_methods"))

    assert CustomerLink.objects.get(user=aiko).card_warning == ""


def test_an_expired_card_alone_does_not_count(aiko: User, whmcs: Whmcs) -> None:
    give(whmcs, aiko, OLD)

    assert payment.has_payment_method(aiko) is False


def test_showing_is_cached_and_deciding_asks_again(aiko: User, whmcs: Whmcs) -> None:
    browser = signed_in(aiko)
    browser.get(reverse("payment_methods"))
    browser.get(reverse("payment_methods"))
    assert whmcs.calls == ["pay_methods"]

    give(whmcs, aiko, CARD)
    assert payment.has_payment_method(aiko) is True
    assert whmcs.calls == ["pay_methods", "pay_methods"]


def test_nothing_of_a_card_is_written_to_the_database(aiko: User, whmcs: Whmcs) -> None:
    """Not for a second: what is kept for the next page stays in the memory of the process."""
    give(whmcs, aiko, CARD)
    with CaptureQueriesContext(connection) as asked:
        assert "4242" in signed_in(aiko).get(reverse("payment_methods")).content.decode()
        assert "4242" in signed_in(aiko).get(reverse("payment_methods")).content.decode()
    assert whmcs.calls == ["pay_methods"]
    assert not [query for query in asked.captured_queries if "pay_methods" in query["sql"] or "4242" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM portal_cache WHERE cache_key LIKE '%pay_methods%'")
        assert cursor.fetchone() == (0,)


def test_json_tells_the_same(aiko: User, whmcs: Whmcs) -> None:
    give(whmcs, aiko, CARD)

    answer = signed_in(aiko).get(reverse("payment_methods"), headers={"accept": "application/json"}).json()

    assert answer["has_payment_method"] is True
    assert answer["methods"] == [
        {
            "id": 1,
            "kind": "RemoteCreditCard",
            "brand": "Visa",
            "last_four": "4242",
            "expires": "12/30",
            "expired": False,
            "expiring": False,
        }
    ]


def test_whmcs_being_down_is_said_calmly(aiko: User, whmcs: Whmcs) -> None:
    browser = signed_in(aiko)
    whmcs.before["pay_methods"] = Unavailable("whmcs", "GetPayMethods", "unreachable")
    page = browser.get(reverse("payment_methods"))
    assert (page.status_code, "just now" in page.content.decode()) == (200, True)
    assert "No payment method yet" not in page.content.decode()

    whmcs.before["pay_methods"] = Unavailable("whmcs", "GetPayMethods", "unreachable")
    assert browser.get(reverse("payment_methods"), headers={"accept": "application/json"}).status_code == 503


def test_the_button_leads_away_with_a_fresh_address_each_time(aiko: User, whmcs: Whmcs) -> None:
    browser = signed_in(aiko)
    first, second = browser.post(reverse("payment_sso")), browser.post(reverse("payment_sso"))

    assert (first.status_code, first["Referrer-Policy"]) == (303, "no-referrer")
    assert "no-store" in first["Cache-Control"]
    assert first.url != second.url  # type: ignore[attr-defined]
    assert f"access_token={aiko.link.whmcs_client_id}-" in first.url  # type: ignore[attr-defined]


def test_only_a_post_mints_and_only_with_a_csrf_token(aiko: User, whmcs: Whmcs) -> None:
    assert signed_in(aiko).get(reverse("payment_sso")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(aiko, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert strict.post(reverse("payment_sso")).status_code == 403
    assert whmcs.calls == []


def test_nobody_mints_for_somebody_else(aiko: User, ben: User, whmcs: Whmcs) -> None:
    data = {"client_id": str(aiko.link.whmcs_client_id), "user": str(aiko.pk)}

    answer = signed_in(ben).post(reverse("payment_sso"), data)

    assert f"access_token={ben.link.whmcs_client_id}-" in answer.url  # type: ignore[attr-defined]


def test_the_address_is_not_logged(aiko: User, whmcs: Whmcs, caplog: Any, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)

    answer = signed_in(aiko).post(reverse("payment_sso"))

    token = answer.url.rsplit("=", 1)[1]  # type: ignore[attr-defined]
    assert token not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize("name", ["payment_methods", "services"])
def test_visitors_sign_in_first(visitor: Client, name: str) -> None:
    assert visitor.get(reverse(name)).url.startswith(reverse("account_login"))  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["payment_methods", "services"])
def test_users_without_a_real_link_see_what_is_being_set_up(whmcs: Whmcs, name: str) -> None:
    user = make_customer("new@example.jp", linked=False)
    CustomerLink.objects.create(user=user, state="provisional", sf_account_id="001X", sf_account_no="104882")

    answer = signed_in(user).get(reverse(name))

    assert answer.url.startswith(reverse("account_setup"))  # type: ignore[attr-defined]
    assert whmcs.calls == []


def test_the_banner_costs_no_call(aiko: User, whmcs: Whmcs) -> None:
    CustomerLink.objects.filter(user=aiko).update(has_payment_method=False)

    page = signed_in(aiko).get(reverse("account_setup")).content.decode()

    assert "One thing is missing" in page
    assert whmcs.calls == []


def test_queries_of_the_page(aiko: User, whmcs: Whmcs, django_assert_max_num_queries: Any) -> None:
    browser = signed_in(aiko)
    browser.get(reverse("payment_methods"))
    # session, user, cached summary, link, cart
    with django_assert_max_num_queries(6):
        browser.get(reverse("payment_methods"))


def test_queries_of_the_journey_page(aiko: User, django_assert_max_num_queries: Any) -> None:
    browser = signed_in(aiko)
    # session, user, journey
    with django_assert_max_num_queries(4):
        browser.get(reverse("account_setup_status"))
