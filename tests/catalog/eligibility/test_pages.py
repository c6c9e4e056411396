"""The page that asks for an address, the page that says how the check stands, and where both are met."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Address, CustomerLink, User
from catalog.eligibility import answering, asking
from catalog.models import EligibilityRequest
from catalog.queries import offered_to
from integrations import gateway
from orders.models import Order
from portal.metrics import eligibility
from tests.accounts.test_signup_pages import confirm, sign_up
from tests.catalog.eligibility.conftest import MITA, asked, fresh
from tests.catalog.eligibility.test_answering import being_checked, refreshed
from tests.catalog.goods import Shop, products
from tests.people import make_staff, make_user, signed_in

pytestmark = pytest.mark.django_db
State = EligibilityRequest.State
CHECK = "/internet/check/"
TYPED = {
    "postal_code": "108-0023",
    "prefecture": "13",
    "city": "港区",
    "street": "芝浦3-12-8",
    "building": "グランメゾン芝浦",
    "room": "1204",
    "home": "flat",
}


@pytest.fixture(autouse=True)
def no_remote_calls(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks an outside system from here on fails the test."""

    def forbidden() -> Any:
        raise AssertionError("a page asked an outside system")

    monkeypatch.setattr(gateway, "salesforce", forbidden)
    monkeypatch.setattr(gateway, "whmcs", forbidden)


def send(browser: Client, **changes: str) -> Any:
    return browser.post(CHECK, {**TYPED, **changes})


def page(browser: Client, path: str = CHECK) -> str:
    return browser.get(path, follow=True).content.decode()


def answered(user: User, value: str) -> EligibilityRequest:
    request = being_checked(user)
    refreshed(user, value)
    answering.notice()
    return fresh(request)


# --- the form


def test_a_customer_asks_and_sees_what_happens_next(aiko: User) -> None:
    browser = signed_in(aiko)
    answer = send(browser)
    request = EligibilityRequest.objects.get()
    assert (request.user, request.postal_code, request.prefecture, request.home) == (aiko, "1080023", 13, "flat")
    assert answer["Location"] == f"{CHECK}{request.ref}/"
    shown = page(browser, answer["Location"])
    for words in ("We are checking your address", "Usually within one working day", "グランメゾン芝浦 1204"):
        assert words in shown


def test_who_comes_again_sees_the_first_and_may_ask_about_another_address(aiko: User) -> None:
    browser = signed_in(aiko)
    send(browser)
    assert "We are checking your address" in page(browser)
    assert "You have asked about this address already" in browser.post(CHECK, TYPED, follow=True).content.decode()
    assert EligibilityRequest.objects.count() == 1
    assert "Check your address for fibre" in page(browser, f"{CHECK}?another=yes")
    send(browser, postal_code="108-0073", street="三田2-1-1")
    assert EligibilityRequest.objects.get(state=State.SUBMITTED).street == "三田2-1-1"


def test_the_form_begins_with_where_the_customer_lives_and_does_not_change_it(aiko: User) -> None:
    lives = {"postal_code": "1080073", "prefecture": 13, "city": "港区", "street": "三田2-1-1"}
    Address.objects.create(user=aiko, **lives)
    browser = signed_in(aiko)
    assert 'value="三田2-1-1"' in page(browser)
    send(browser)
    assert Address.objects.get(user=aiko).street == "三田2-1-1"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("postal_code", "108-002", "Enter seven digits"),
        ("postal_code", "0000000", "has no such postal code"),
        ("prefecture", "27", "This postal code is in Tokyo 東京都"),
        ("city", "", "Enter the city or ward"),
        ("street", "芝浦", "Add the block and house number"),
        ("street", "3\u202e", "Use letters"),
        ("home", "", "Choose the kind of home"),
        ("home", "castle", "Select a valid choice"),
    ],
)
def test_what_cannot_be_looked_up_is_said_beside_it_and_what_was_typed_stays(
    visitor: Client, field: str, typed: str, said: str
) -> None:
    answer = send(visitor, **{field: typed})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert shown.count(said) == 2, "in the summary and beside the control"
    assert "グランメゾン芝浦" in shown
    assert not EligibilityRequest.objects.exists()


@pytest.mark.parametrize("street", ["芝浦３－１２", "大字本町字東裏番外地", "千代田一丁目"])
def test_numbers_come_in_many_ways(visitor: Client, street: str) -> None:
    assert send(visitor, street=street).status_code == 302


def test_the_place_is_filled_in_without_a_script_for_visitors_too(visitor: Client) -> None:
    shown = send(visitor, find="yes", prefecture="", city="", street="").content.decode()
    for words in ('value="港区"', 'value="芝浦"', '<option value="13" selected>', 'value="グランメゾン芝浦"'):
        assert words in shown
    assert not EligibilityRequest.objects.exists()
    assert send(visitor, find="yes", prefecture="1" * 4301).status_code == 200, "more digits than Python reads"
    assert visitor.post(reverse("address_place"), {"postal_code": "1080023"}).json()["city"] == "港区"


def test_a_sixth_address_on_one_day_is_refused_kindly(aiko: User) -> None:
    browser = signed_in(aiko)
    for room in range(asking.MOST_A_DAY):
        send(browser, room=str(room))
    answer = send(browser, room="99")
    assert answer.status_code == 422
    assert "five addresses today" in answer.content.decode()


# --- whose it is


def test_nobody_sees_somebody_elses(aiko: User, ben: User, visitor: Client) -> None:
    theirs = f"{CHECK}{asked(aiko).ref}/"
    nobodys = f"{CHECK}00000000-0000-4000-8000-000000000000/"
    assert signed_in(aiko).get(theirs).status_code == 200
    assert signed_in(ben).get(theirs).status_code == signed_in(ben).get(nobodys).status_code == 404
    for path in (theirs, nobodys):
        assert visitor.get(path)["Location"] == f"/account/login/?next={path}"


def test_a_visitors_request_is_that_browsers_alone(visitor: Client, aiko: User) -> None:
    theirs = send(visitor)["Location"]
    assert "We have kept your address" in page(visitor, theirs)
    assert Client().get(theirs).status_code == 302
    assert signed_in(aiko).get(theirs).status_code == 404


def test_a_visitor_asks_again_and_about_another_address(visitor: Client) -> None:
    first = send(visitor)["Location"]
    assert send(visitor)["Location"] == first
    second = send(visitor, street="芝浦4-1-1")["Location"]
    assert second != first
    assert EligibilityRequest.objects.count() == 1


# --- from visitor to customer


def test_a_visitors_request_goes_along_through_sign_up_and_is_sent_once_the_account_is_there(visitor: Client) -> None:
    send(visitor)
    assert f"{reverse('account_signup')}?next={CHECK}" in page(visitor)
    sign_up(visitor, next_url=CHECK)
    before = visitor.session.session_key
    confirm(visitor)

    assert visitor.session.session_key != before, "the session was cycled"
    user, request = User.objects.get(), EligibilityRequest.objects.get()
    assert (request.user, request.state) == (user, State.KEPT)
    assert "as soon as your account is set up" in page(visitor)
    assert "Fibre at your address" in page(visitor, reverse("dashboard"))

    CustomerLink.objects.create(
        user=user,
        state=CustomerLink.State.LINKED,
        sf_account_id="001000000000001AAA",
        sf_account_no="1",
        whmcs_client_id=1,
    )
    assert asking.submit_kept() == 1
    assert "We are checking your address" in page(visitor)


def test_signing_in_brings_it_along_too(visitor: Client, aiko: User) -> None:
    send(visitor)
    answer = visitor.post(reverse("account_login"), {"login": aiko.email, "password": "a quiet harbour at dawn"})
    assert answer.status_code == 302
    request = EligibilityRequest.objects.get()
    assert (request.user, request.state) == (aiko, State.SUBMITTED)


# --- what the page says


def test_salesforce_away_is_said_and_nothing_is_lost(aiko: User) -> None:
    request = asked(aiko)
    EligibilityRequest.objects.filter(pk=request.pk).update(error_code="timeout", tries=1)
    shown = page(signed_in(aiko))
    assert "We cannot pass it on just now" in shown
    assert "timeout" not in shown


def test_plans_open_up(aiko: User) -> None:
    browser = signed_in(aiko)
    assert "Check your address first" in page(browser, "/plans/internet/INT-APT-1G/")
    request = answered(aiko, "Apartment 1G")
    shown = page(browser)
    assert "Fibre reaches your home" in shown
    assert "Home Apartment 1G" in shown
    assert "Home House" not in shown
    family = page(browser, "/plans/internet/")
    assert family.count("Fits your address") == 1
    assert "Not at your address" in family
    assert "Check your address first" not in page(browser, "/plans/internet/INT-APT-1G/")
    overview = page(browser, reverse("dashboard"))
    assert "It is available. Choose the plan you like." in overview
    assert "Next step" in overview
    assert request.offered
    order = {"category": "Internet", "local_state": "placed", "progress": "Provisioned"}
    Order.objects.create(user=aiko, portal_ref="SX-0000-001:x", cart_hash="x", **order)
    assert "Choose the plan you like." not in page(browser, reverse("dashboard")), "it is there already"


def test_a_check_that_takes_longer_than_we_said_says_so_to_customer_support_and_operator(aiko: User) -> None:
    request = being_checked(aiko)
    assert "longer than we said" not in page(signed_in(aiko))
    EligibilityRequest.objects.filter(pk=request.pk).update(requested_at=timezone.now() - timedelta(days=4, minutes=1))
    shown = page(signed_in(aiko))
    assert "This takes longer than we said" in shown
    assert "0120-555-014" in shown
    assert "Usually within one working day" not in shown
    listed = signed_in(make_staff().user).get("/admin/catalog/eligibilityrequest/?waiting=late")
    assert list(listed.context["cl"].queryset) == [fresh(request)]
    (ages,) = (each for each in eligibility.families(timezone.now()) if each.name.endswith("oldest_seconds"))
    assert {sample.labels["state"]: sample.value > 345_600 for sample in ages.samples} == {
        "submitted": False,
        "asked": True,
    }


def test_what_support_corrects_later_is_what_the_page_shows(aiko: User) -> None:
    answered(aiko, "Apartment 1G")
    CustomerLink.objects.filter(user=aiko).update(internet_eligibility="House 1G")
    shown = page(signed_in(aiko))
    assert "Home House 1G" in shown
    assert "Home Apartment 1G" not in shown
    CustomerLink.objects.filter(user=aiko).update(internet_eligibility="Not available")
    assert "This has changed since" in page(signed_in(aiko))


def test_an_earlier_check_keeps_its_own_answer(aiko: User) -> None:
    first = answered(aiko, "Apartment 1G")
    second = asked(aiko, MITA)
    assert second != first
    CustomerLink.objects.filter(user=aiko).update(internet_eligibility="House 1G")
    shown = page(signed_in(aiko), f"{CHECK}{first.ref}/")
    assert "Home Apartment 1G" in shown
    assert "Home House 1G" not in shown


def test_where_nothing_fits_the_page_says_what_else_there_is(aiko: User) -> None:
    answered(aiko, "Not available")
    shown = page(signed_in(aiko))
    assert "Our fibre does not reach this address" in shown
    assert "/plans/sim/" in shown
    assert "/plans/vpn/" in shown
    assert "None of these plans is available at your address" in page(signed_in(aiko), "/plans/internet/")


def test_a_replaced_request_leads_to_the_newest(aiko: User) -> None:
    first = asked(aiko)
    asked(aiko, MITA)
    assert "You have asked about another address since" in page(signed_in(aiko), f"{CHECK}{first.ref}/")


def test_while_another_address_is_checked_the_earlier_answer_opens_nothing(aiko: User) -> None:
    answered(aiko, "Apartment 1G")
    plan = products()["INT-APT-1G"]
    assert offered_to(plan, CustomerLink.objects.get(user=aiko))
    CustomerLink.objects.filter(user=aiko).update(internet_eligibility_status="Pending")
    assert not offered_to(plan, CustomerLink.objects.get(user=aiko))
    asked(aiko, MITA)
    assert "We are checking your address" in page(signed_in(aiko), "/plans/internet/")
    assert "Fits your address" not in page(signed_in(aiko), "/plans/internet/")


@pytest.mark.parametrize("value", ["", "Apartment 1G", "Not available"])
def test_in_japanese_nothing_is_left_in_english(aiko: User, value: str) -> None:
    browser = signed_in(aiko)
    browser.post("/language/", {"language": "ja"})
    assert "光回線の提供エリアを確認する" in page(browser)
    if value:
        answered(aiko, value)
    else:
        asked(aiko)
    shown = page(browser)
    assert "東京都港区芝浦3-12-8" in shown
    for english in ("address", "Fibre", "working day"):
        assert english not in shown.partition("<main")[2].partition("</main>")[0].replace('aria-labelledby="', "")


# --- staff


def test_staff_read_it_with_the_case_and_change_nothing(aiko: User, settings: Any) -> None:
    settings.SF_LIGHTNING_URL = "https://sonix.lightning.test"
    request = being_checked(aiko)
    EligibilityRequest.objects.filter(pk=request.pk).update(sf_case_id="500000000000001AAA")
    browser = signed_in(make_staff().user)
    case = "https://sonix.lightning.test/lightning/r/Case/500000000000001AAA/view"
    for path in (
        "/admin/catalog/eligibilityrequest/",
        f"/admin/catalog/eligibilityrequest/{request.pk}/change/",
        f"/admin/accounts/user/{aiko.pk}/change/",
    ):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert case in answer.content.decode(), path
    found = browser.get("/admin/catalog/eligibilityrequest/", {"q": "500000000000001AAA"}).content.decode()
    assert f"/admin/catalog/eligibilityrequest/{request.pk}/change/" in found
    assert browser.post(f"/admin/catalog/eligibilityrequest/{request.pk}/change/", {"state": "kept"}).status_code == 403


def test_a_visitor_without_a_request_costs_no_query(visitor: Client, django_assert_num_queries: Any) -> None:
    visitor.get(CHECK)
    with django_assert_num_queries(0):
        visitor.get(CHECK)


def test_a_newcomer_whose_number_was_not_matched_keeps_the_request() -> None:
    newcomer = make_user("new@example.jp")
    browser = signed_in(newcomer)
    send(browser)
    assert EligibilityRequest.objects.get().state == State.KEPT


def test_many_checks_from_one_address_stop_with_what_was_typed_and_a_customer_there_goes_on(
    settings: Any, visitor: Client, aiko: User
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "address_check": "2/m/ip"}
    cache.clear()
    for n in range(2):
        assert send(Client(), street=f"芝浦{n}-1").status_code == 302
    assert send(visitor, postal_code="").status_code == 422, "what is not sent on is not counted"
    refused = send(visitor, street="芝浦8-8-8")
    assert refused.status_code == 429
    text = refused.content.decode()
    assert "There were many checks from where you are." in text
    assert 'value="芝浦8-8-8"' in text
    assert EligibilityRequest.objects.count() == 2
    assert send(signed_in(aiko)).status_code == 302
    cache.clear()


def test_the_start_page_leads_to_the_check_with_the_postal_code_filled_in() -> None:
    browser = Client(enforce_csrf_checks=True)
    start = browser.get("/").content.decode()
    form = start[start.index(f'action="{CHECK}"') :].split("</form>")[0]
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    typed = {"postal_code": "108-0023", "find": "yes", "csrfmiddlewaretoken": token}
    assert all(f'name="{name}"' in form for name in typed)
    answer = browser.post(CHECK, typed)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="108-0023"' in text
    assert '<option value="13" selected>' in text
    wrong = browser.post(CHECK, {**typed, "postal_code": ""})
    assert wrong.status_code == 422
    assert "Enter seven digits" in wrong.content.decode()
