"""Customers from before the portal find their address filled in; nobody finds somebody else's."""

from dataclasses import replace

import pytest
from django.urls import reverse

from accounts import signup
from accounts.models import CustomerLink
from accounts.profile.on_file import for_the_form
from accounts.profile.saving import save_profile
from integrations.salesforce.schemas import AddressOnFile
from portal.personal_data.collecting import held_about
from tests.accounts.conftest import new_journey, person, run, salesforce, whmcs
from tests.accounts.doubles import Salesforce, Whmcs, account
from tests.people import signed_in

__all__ = ["salesforce", "whmcs"]
pytestmark = pytest.mark.django_db
KEPT = AddressOnFile("芝浦3-12-8\nシーサイド芝浦 1204", "港区", "東京都", "108-0023", "+81 80-5550-0148")
OFFERED = {
    "postal_code": "108-0023",
    "prefecture": 13,
    "city": "港区",
    "street": "芝浦3-12-8 シーサイド芝浦 1204",
    "phone": "080-5550-0148",
}


@pytest.mark.parametrize(
    ("on_file", "offered"),
    [
        (KEPT, OFFERED),
        (replace(KEPT, postal_code="〒1080023", phone=""), {k: v for k, v in OFFERED.items() if k != "phone"}),
        (replace(KEPT, city="", phone="call the office"), {k: v for k, v in OFFERED.items() if k != "phone"}),
        (replace(KEPT, phone="+1 212 555 0100"), {k: v for k, v in OFFERED.items() if k != "phone"}),
        (replace(KEPT, street="<b>\x07芝浦3"), OFFERED | {"street": "b芝浦3"}),
        (replace(KEPT, street="x" * 200), OFFERED | {"street": "x" * 120}),
        (replace(KEPT, postal_code="999-9999"), {}),
        (replace(KEPT, postal_code="SW1A 1AA"), {}),
        (AddressOnFile(), {}),
    ],
)
def test_what_fits_the_form_is_offered(on_file: AddressOnFile, offered: dict[str, object]) -> None:
    assert for_the_form(on_file) == offered


def test_a_customer_from_before_finds_it_filled_in_until_she_saves(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(replace(account("104882"), on_file=KEPT))
    user = person(run(new_journey(number="104882")))
    browser = signed_in(user)

    page = browser.get(reverse("address")).content.decode()
    assert "We have filled in what our records say" in page
    assert 'value="芝浦3-12-8 シーサイド芝浦 1204"' in page
    assert 'value="080-5550-0148"' in page
    assert held_about(user)["ids_in_other_systems"][0]["address_on_file"] == OFFERED

    said = {"given_name": "Aiko", "family_name": "Sato", "phone": "+818055500148", "building": "", "room": ""}
    where = {"postal_code": "1080023", "prefecture": 13, "city": "港区", "street": "芝浦1-1-1"}
    save_profile(user, said | where)

    page = browser.get(reverse("address")).content.decode()
    assert ("We have filled in" in page, 'value="芝浦1-1-1"' in page) == (False, True)
    assert CustomerLink.objects.get(user=user).address_on_file == {}


def test_a_claim_sees_nothing_of_it_before_support_accepts(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(replace(account("104882", email="owner@example.jp"), on_file=KEPT))
    journey = run(new_journey("moved@example.jp", number="104882"))
    browser = signed_in(person(journey))

    assert CustomerLink.objects.get().address_on_file == {}
    assert 'value="芝浦' not in browser.get(reverse("address")).content.decode()
    assert held_about(person(journey))["ids_in_other_systems"][0].keys() == {"state", "created_at"}

    signup.accept_claim(journey.pk)
    run(journey)

    assert CustomerLink.objects.get().address_on_file == OFFERED
    assert 'value="芝浦3-12-8' in browser.get(reverse("address")).content.decode()
