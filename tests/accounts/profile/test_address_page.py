"""Maria tells us where she lives."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Address, CustomerLink, IdentityCheck, ProfileSync, User
from accounts.profile import syncing
from accounts.profile.prefectures import PREFECTURES
from audit.models import AuditEntry
from tests.people import PASSWORD, make_customer, make_user

pytestmark = pytest.mark.django_db
SAID = {
    "given_name": "Maria Clara",
    "family_name": "Santos",
    "postal_code": "〒108-0023",
    "prefecture": "13",
    "city": "港区",
    "street": "芝浦3-12-8",
    "building": "グランメゾン芝浦",
    "room": "1204",
    "phone": "080-5521-0147",
}


@pytest.fixture
def maria() -> User:
    return make_customer("maria@example.jp", given_name="Maria", family_name="Santos")


@pytest.fixture
def browser(client: Client, maria: User) -> Client:
    client.force_login(maria)
    return client


def save(browser: Client, **other: Any) -> Any:
    return browser.post(reverse("address"), {**SAID, **other})


def test_what_she_types_is_kept_as_she_typed_it(browser: Client, maria: User) -> None:
    assert save(browser).status_code == 302
    address = Address.objects.get(user=maria)
    maria.refresh_from_db()
    assert (address.postal_code, address.prefecture, address.city, address.street) == (
        "1080023",
        13,
        "港区",
        "芝浦3-12-8",
    )
    assert (address.building, address.room) == ("グランメゾン芝浦", "1204")
    assert (maria.given_name, maria.phone) == ("Maria Clara", "+818055210147")
    page = browser.get(reverse("address")).content.decode()
    assert 'value="108-0023"' in page
    assert 'value="080-5521-0147"' in page


def test_romaji_is_as_good_as_kanji(browser: Client, maria: User) -> None:
    assert save(browser, city="Minato-ku", street="Shibaura 3-12-8", building="", room="").status_code == 302
    assert Address.objects.get(user=maria).city == "Minato-ku"


def test_a_change_is_to_be_sent_once_and_nothing_new_is_not(browser: Client, maria: User) -> None:
    save(browser)
    save(browser)
    assert ProfileSync.objects.get(user=maria).wanted == 1
    save(browser, room="1205")
    assert ProfileSync.objects.get(user=maria).wanted == 2
    assert AuditEntry.objects.filter(action="profile_changed", user_id=maria.pk).count() == 2


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("postal_code", "108-002", "Enter seven digits"),
        ("postal_code", "0000000", "has no such postal code"),
        ("prefecture", "", "Choose a prefecture"),
        ("prefecture", "27", "This postal code is in Tokyo 東京都"),
        ("prefecture", "48", "Select a valid choice"),
        ("city", "", "Enter the city or ward"),
        ("street", "", "Enter the town, block and house number"),
        ("street", "1\u202e", "Use letters"),
        ("phone", "12345", "Enter a phone number in Japan"),
        ("phone", "+1 202 555 0123", "Enter a phone number in Japan"),
        ("given_name", "", "Enter your given names"),
    ],
)
def test_what_cannot_be_right_is_said_beside_it_and_nothing_changes(
    browser: Client, field: str, typed: str, said: str
) -> None:
    answer = save(browser, **{field: typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "グランメゾン芝浦" in page  # what was typed stays
    assert not Address.objects.exists()
    assert not ProfileSync.objects.exists()


def test_the_button_fills_in_the_place_without_a_script(browser: Client) -> None:
    answer = save(browser, find="yes", prefecture="", city="", street="")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="港区"' in page
    assert 'value="芝浦"' in page
    assert '<option value="13" selected>' in page
    assert 'value="グランメゾン芝浦"' in page
    assert not Address.objects.exists()
    assert save(browser, find="yes", prefecture="1" * 4301).status_code == 200, "more digits than Python reads"


def test_prefectures_stand_in_both_scripts_but_for_readers_of_japanese(browser: Client) -> None:
    assert ">Tokyo 東京都</option>" in browser.get(reverse("address")).content.decode()
    browser.cookies["language"] = "ja"
    assert ">東京都</option>" in browser.get(reverse("address")).content.decode()


def test_the_button_says_so_when_there_is_no_such_place(browser: Client) -> None:
    for code, said in (("000-0000", "has no such postal code"), ("12", "Enter seven digits")):
        answer = save(browser, find="yes", postal_code=code, city="")
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert "Enter the city or ward" not in answer.content.decode()


def hidden(answer: Any) -> str:
    found = re.search(r'name="unknown_code" value="(\d+)"', answer.content.decode())
    return found[1] if found else ""


@pytest.mark.parametrize("button", [{}, {"find": "yes"}])
def test_a_postal_code_newer_than_the_table_is_taken_when_it_is_sent_again(
    browser: Client, maria: User, button: dict[str, str]
) -> None:
    told = save(browser, postal_code="999-9999", **button)
    assert (told.status_code, hidden(told)) == (422, "9999999")
    another = save(browser, postal_code="999-9998", unknown_code=hidden(told))
    assert (another.status_code, hidden(another)) == (422, "9999998"), "each code is told of"
    assert not Address.objects.exists()

    assert save(browser, postal_code="９９９-９９９８", unknown_code=hidden(another)).status_code == 302

    address = Address.objects.get(user=maria)
    assert (address.postal_code, address.city) == ("9999998", "港区")
    assert syncing.for_whmcs(maria, address, ["address"]).city == "港区"


@pytest.mark.parametrize(
    ("code", "prefectures", "city", "romaji"),
    [
        ("4980000", (23, 24), "桑名郡木曽岬町", "Kuwana-gun Kisosaki-cho"),
        ("6180000", (26, 27), "三島郡島本町", "Mishima-gun Shimamoto-cho"),
        ("8710000", (40, 44), "中津市", "Nakatsu-shi"),
    ],
)
def test_who_lives_at_a_border_of_prefectures_chooses_theirs(
    browser: Client, maria: User, code: str, prefectures: tuple[int, int], city: str, romaji: str
) -> None:
    empty = {"prefecture": "", "city": "", "street": ""}
    names = " / ".join(f"{PREFECTURES[each].romaji} {PREFECTURES[each].kanji}" for each in prefectures)
    sentence = f"This postal code is in {names}: choose yours"
    asked, wrong = save(browser, find="yes", postal_code=code, **empty), save(browser, postal_code=code)
    for answer in (asked, wrong):
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    script = browser.post(reverse("address_place"), {"postal_code": code, "prefecture": ""})
    assert script.json() == empty

    second = str(prefectures[1])
    found = save(browser, find="yes", postal_code=code, **empty | {"prefecture": second})
    assert f'value="{city}"' in found.content.decode()
    by_script = browser.post(reverse("address_place"), {"postal_code": code, "prefecture": second})
    assert by_script.json() == {"prefecture": prefectures[1], "city": city, "street": ""}
    for each in prefectures:
        assert save(browser, postal_code=code, prefecture=str(each), city=city).status_code == 302
    assert syncing.for_whmcs(maria, Address.objects.get(user=maria), ["address"]).city == romaji


def test_the_script_gets_the_place_of_a_code(browser: Client) -> None:
    found = browser.post(reverse("address_place"), {"postal_code": "1080023"})
    assert found.json() == {"prefecture": 13, "city": "港区", "street": "芝浦"}
    assert browser.post(reverse("address_place"), {"postal_code": "0000000"}).status_code == 404
    assert browser.get(reverse("address_place"), {"postal_code": "1080023"}).status_code == 405  # not in an address


@pytest.mark.parametrize("status", ["Pending", "Verified"])
def test_a_name_on_checked_papers_cannot_be_changed_here(browser: Client, maria: User, status: str) -> None:
    CustomerLink.objects.update(identity_status=status)
    save(browser, given_name="Somebody", family_name="Else")
    maria.refresh_from_db()
    assert (maria.given_name, maria.family_name) == ("Maria", "Santos")
    assert Address.objects.get(user=maria).city == "港区"
    assert "contact us" in browser.get(reverse("address")).content.decode()


def test_a_name_is_locked_from_sending_papers_in_and_free_again_when_they_are_refused(
    browser: Client, maria: User
) -> None:
    CustomerLink.objects.update(identity_status="Not Submitted")  # the Account hears of the papers later
    check = IdentityCheck.objects.create(user=maria, paper="passport", state="submitted", submitted_at=timezone.now())
    save(browser, given_name="Somebody")
    maria.refresh_from_db()
    assert maria.given_name == "Maria"

    IdentityCheck.objects.filter(pk=check.pk).update(state="rejected")
    CustomerLink.objects.update(identity_status="Rejected")
    save(browser, given_name="Maria Luz")
    maria.refresh_from_db()
    assert maria.given_name == "Maria Luz"


def test_a_new_customer_may_say_it_while_the_account_is_set_up(client: Client) -> None:
    newcomer = make_user("newcomer@example.jp")
    client.force_login(newcomer)
    assert save(client).status_code == 302
    assert ProfileSync.objects.get(user=newcomer).wanted == 1


def test_the_page_costs_the_same_few_queries_with_and_without_an_address(
    browser: Client, django_assert_num_queries: Any
) -> None:
    browser.get(reverse("address"))  # the first page of a session is written down
    counts = []
    for _ in range(2):
        with django_assert_num_queries(14, exact=False) as captured:
            browser.get(reverse("address"))
        counts.append(len(captured))
        save(browser)
        browser.get(reverse("address"))  # and so is that its thanks were read
    assert counts[0] == counts[1]


def test_language_and_news_are_hers_to_choose(browser: Client, maria: User) -> None:
    assert browser.post(reverse("mail_preferences"), {"language": "ja", "news_mails": "on"}).status_code == 302
    maria.refresh_from_db()
    assert (maria.language, maria.news_mails) == ("ja", True)
    assert browser.post(reverse("mail_preferences"), {"language": "fr"}).status_code == 422
    maria.refresh_from_db()
    assert maria.language == "ja"
    assert '<html lang="ja"' in browser.get(reverse("mail_preferences")).content.decode()


def test_the_switch_in_the_header_changes_the_language_of_bills_too(browser: Client, maria: User) -> None:
    browser.post(reverse("set_language"), {"language": "ja", "next": "/"})
    maria.refresh_from_db()
    assert (maria.language, ProfileSync.objects.get(user=maria).parts) == ("ja", ["language"])
    browser.post(reverse("set_language"), {"language": "ja", "next": "/"})  # nothing new, nothing sent
    assert ProfileSync.objects.get(user=maria).wanted == 1


@pytest.mark.parametrize(("chosen_there", "then"), [("", "ja"), ("en", "en")])
def test_a_new_phone_speaks_the_users_language_unless_one_was_chosen_on_it(
    visitor: Client, maria: User, chosen_there: str, then: str
) -> None:
    User.objects.filter(pk=maria.pk).update(language="ja")
    if chosen_there:
        visitor.post(reverse("set_language"), {"language": chosen_there, "next": "/"})
    visitor.post(reverse("account_login"), {"login": maria.email, "password": PASSWORD})
    assert f'<html lang="{then}"' in visitor.get(reverse("dashboard")).content.decode()


@pytest.mark.parametrize(("chooses", "seconds"), [(False, "ja"), (True, "en")])
def test_two_who_share_a_browser_see_their_own_language_each(
    visitor: Client, aiko: User, ben: User, chooses: bool, seconds: str
) -> None:
    User.objects.filter(pk=ben.pk).update(language="ja")
    shown = []
    for user in (aiko, ben):
        visitor.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
        shown.append(visitor.get(reverse("dashboard")).content.decode().partition('<html lang="')[2][:2])
        if chooses:
            visitor.post(reverse("mail_preferences"), {"language": "en"})
        visitor.post(reverse("account_logout"))

    assert shown == ["en", seconds]
