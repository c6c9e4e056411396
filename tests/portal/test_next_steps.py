"""The overview says what to do next, in order."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Address, CustomerLink, IdentityCheck, SignupJourney, User
from accounts.setting_up import SENTENCES, Place
from orders import gate
from orders.models import Cart, CartLine
from portal.next_steps import to_do
from tests.people import make_user, signed_in

pytestmark = pytest.mark.django_db


def steps(user: User) -> list[tuple[str, str]]:
    user = User.objects.get(pk=user.pk)
    return [(task.key, task.state) for task in to_do(user, has_orders=False)]


def badges(user: User) -> list[str]:
    """What stands beside each step; empty is the word of its state."""
    return [str(task.word) for task in to_do(User.objects.get(pk=user.pk), has_orders=False)]


def journey(user: User, state: str) -> None:
    SignupJourney.objects.update_or_create(user=user, defaults={"kind": "new", "source": "Legacy", "state": state})


@pytest.mark.parametrize(
    ("state", "first"), [("running", ("account", "wait")), ("number_unmatched", ("account", "todo"))]
)
def test_the_account_comes_first_and_the_address_can_be_given_meanwhile(state: str, first: tuple[str, str]) -> None:
    user = make_user("noa@example.jp")
    journey(user, state)

    assert steps(user) == [first, ("address", "todo")]


def test_while_support_compares_by_hand_nothing_of_the_claimed_account_counts() -> None:
    user = make_user("eve@example.jp")
    journey(user, "waiting_cs")
    CustomerLink.objects.create(
        user=user, state="provisional", sf_account_id="001X", sf_account_no="104882", card_warning="expired"
    )

    assert steps(user) == [("account", "wait"), ("address", "todo")]


def test_a_customer_does_the_address_then_the_payment_and_is_done(aiko: User) -> None:
    CustomerLink.objects.update(has_payment_method=False)
    assert steps(aiko) == [("address", "todo"), ("payment", "todo")]

    Address.objects.create(user=aiko, postal_code="1080023", prefecture=13, city="港区", street="芝浦3-12-8")
    assert steps(aiko) == [("payment", "todo")]

    CustomerLink.objects.update(has_payment_method=True)
    assert steps(aiko) == []


@pytest.mark.parametrize("has_method", [True, False])
@pytest.mark.parametrize("warning", ["expiring", "expired"])
def test_a_card_that_ends_is_said_once(aiko: User, has_method: bool, warning: str) -> None:
    CustomerLink.objects.update(has_payment_method=has_method, card_warning=warning)

    assert steps(aiko) == [("address", "todo"), ("card", "todo")]
    assert badges(aiko) == ["", "To do"], "a card that is there is not missing"


@pytest.mark.parametrize(
    ("state", "step"), [("draft", []), ("pending", [("identity", "wait")]), ("rejected", [("identity", "todo")])]
)
def test_papers_that_were_sent_in_are_waited_for_or_sent_again(
    aiko: User, state: str, step: list[tuple[str, str]]
) -> None:
    CustomerLink.objects.update(identity_status="")
    sent = None if state == "draft" else timezone.now()
    IdentityCheck.objects.create(user=aiko, paper="residence_card", state=state, submitted_at=sent)

    assert steps(aiko) == [("address", "todo"), *step]
    assert badges(aiko)[1:] == ["To do" if state == "rejected" else "" for _step in step]


def test_queries_of_the_overview(aiko: User, django_assert_max_num_queries: Any) -> None:
    CustomerLink.objects.update(has_payment_method=False)
    browser = signed_in(aiko)
    browser.get(reverse("dashboard"))
    # session, user, its limits, orders under way, link, address, papers with the link, address check, cart
    with django_assert_max_num_queries(11):
        browser.get(reverse("dashboard"))


@pytest.mark.parametrize(
    ("state", "error", "claimed", "place"),
    [
        ("running", "", False, Place.UNDER_WAY),
        ("running", "unreachable", False, Place.LATE),
        ("waiting_cs", "client_of_another", False, Place.SUPPORT),
        ("waiting_cs", "email_differs", True, Place.COMPARING),
        ("waiting_cs", "client_of_another", True, Place.SUPPORT),
        ("number_unmatched", "number_unmatched", False, Place.NUMBER),
    ],
)
def test_every_page_says_the_same_of_an_account_that_is_not_there_yet(
    state: str, error: str, claimed: bool, place: Place
) -> None:
    """And none promises an order where the checkout refuses it."""
    user = make_user("noa@example.jp")
    journey(user, state)
    SignupJourney.objects.update(error_code=error)
    if claimed:
        CustomerLink.objects.create(user=user, state="provisional", sf_account_id="001X", sf_account_no="104882")
    CartLine.objects.create(cart=Cart.objects.create(user=user), sku="VPN-US")
    browser = signed_in(user)

    (account, *_others) = to_do(User.objects.get(pk=user.pk), has_orders=False)
    (gate_says,) = [task for task in gate.tasks(gate.known_here(user=user, lines=[]), []) if task.key == "account"]
    setup = browser.get(reverse("account_setup")).content.decode()
    line = {each.url: each.state for each in browser.get(reverse("account")).context["settings"]}[reverse("your_data")]

    assert str(account.text) == str(gate_says.text) == str(SENTENCES[place])
    assert gate_says.blocks == (place != Place.COMPARING)
    assert ("order meanwhile" in setup, f'href="{reverse("checkout")}"' in setup.partition("<main")[2]) == (
        (True, True) if place == Place.COMPARING else (False, False)
    )
    assert ("longer than usual" in setup) == ("longer than usual" in line) == (place == Place.LATE)
    assert ("Our team is looking" in line) == (place == Place.SUPPORT)
    assert ("a few seconds" in setup) == (place == Place.UNDER_WAY)
