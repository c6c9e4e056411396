"""What we hold about Aiko is hers to see, and goes when she goes."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts import closing
from accounts.identity import storage
from accounts.models import Address, ClosingRequest, CustomerLink, IdentityCheck, SignupJourney, User
from accounts.profile.saving import save_profile
from accounts.security import support
from audit import trail
from audit.models import AuditEntry
from notifications import outgoing
from notifications.models import Email
from orders.models import Order
from portal.personal_data.collecting import SECTIONS, held_about
from support.models import Case
from tests.orders.conftest import salesforce, whmcs
from tests.orders.doubles import Salesforce, Whmcs
from tests.orders.steps import fill, order_now
from tests.people import PASSWORD, Staff, make_user, signed_in

__all__ = ["salesforce", "whmcs"]
pytestmark = pytest.mark.django_db(transaction=True)
LIVES = {
    "given_name": "Aiko",
    "family_name": "Sato",
    "postal_code": "1080023",
    "prefecture": 13,
    "city": "港区",
    "street": "芝浦9-9-9",
    "building": "",
    "room": "",
    "phone": "+818055210147",
}
# Where something of a customer lies: a section of the file, or why it is none.
KEPT: dict[str, str] = {
    "account.emailaddress": "email_addresses",
    "mfa.authenticator": "second_factors",
    "usersessions.usersession": "sessions",
    "accounts.address": "address",
    "accounts.customerlink": "ids_in_other_systems",
    "accounts.signupjourney": "sign_up",
    "accounts.profilesync": "sent_to_other_systems",
    "accounts.identitycheck": "identity_papers",
    "accounts.closingrequest": "closing_requests",
    "catalog.eligibilityrequest": "address_checks",
    "orders.order": "orders",
    "orders.cart": "carts",
    "notifications.email": "mails",
    "support.case": "support_cases",
    "audit.auditentry": "log",
    "admin.logentry": "of staff",
}


def prove_who_one_is(browser: Client) -> None:
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})


@pytest.fixture
def customer(aiko: User, salesforce: Salesforce, whmcs: Whmcs) -> User:
    """Aiko with an order, a cart, an address and mails."""
    order_now(aiko, "VPN-US")
    fill(aiko, "VPN-US")
    save_profile(aiko, LIVES)
    return aiko


def test_every_table_with_a_customer_in_it_is_in_the_file() -> None:
    named: set[str] = set()
    for model in apps.get_models():
        people = {field.name for field in model._meta.fields if field.related_model is User or field.name == "user_id"}
        if people and model is not User:
            named.add(model._meta.label_lower)
    assert named <= set(KEPT), "say in collecting.py and here what of a customer lies there"
    assert {section for section in KEPT.values() if section in SECTIONS} | {"profile"} == set(SECTIONS)


def test_the_file_tells_what_she_told_us(customer: User) -> None:
    held = json.loads(json.dumps(held_about(customer)))
    assert held["profile"][0]["email"] == "aiko@example.jp"
    assert held["address"][0]["street"] == "芝浦9-9-9"
    assert held["orders"][0]["items"][0]["sku"] == "VPN-US"
    assert held["carts"]
    assert [mail["template"] for mail in held["mails"]] == ["order_received"]


def test_the_file_helps_nobody_to_sign_in(customer: User) -> None:
    text = json.dumps(held_about(customer))
    assert customer.password not in text
    assert "argon2" not in text


def test_the_log_tells_where_visitors_came_from_and_not_where_staff_sits(customer: User, cs_carol: Staff) -> None:
    for action, actor, ip in (
        ("signed_in", customer.pk, "203.0.113.7"),
        ("sign_in_refused", None, "203.0.113.8"),
        ("identity_document.opened", cs_carol.user.pk, "198.51.100.9"),
    ):
        trail.record(action, actor_id=actor, user_id=customer.pk, ip=ip)
    told = {entry["action"]: entry["ip"] for entry in held_about(customer)["log"]}
    assert told | {"signed_in": "203.0.113.7", "sign_in_refused": "203.0.113.8"} == told
    assert told["identity_document.opened"] is None
    assert "198.51.100.9" not in json.dumps(held_about(customer))


def test_it_costs_the_same_queries_with_one_order_and_with_three(
    customer: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(30, exact=False) as first:
        held_about(customer)
    for sku in ("VPN-UK", "SIM-D-3"):
        Order.objects.create(
            user=customer,
            cart_hash=sku,
            portal_ref=sku,
            category="VPN",
            terms_version="1",
            terms_accepted_at="2026-01-01T00:00Z",
        )
    with django_assert_num_queries(len(first)):
        held_about(customer)


def test_she_downloads_it_after_showing_that_it_is_she(customer: User, ben: User) -> None:
    browser = signed_in(customer)
    asked = browser.post(reverse("data_download"))
    assert asked.status_code == 302
    assert "reauthenticate" in asked["Location"]

    prove_who_one_is(browser)
    got = browser.post(reverse("data_download"))
    assert got["Content-Disposition"].startswith("attachment")
    assert "no-store" in got["Cache-Control"]
    assert got.json()["profile"][0]["email"] == "aiko@example.jp"
    assert "ben@example.jp" not in got.content.decode()
    assert AuditEntry.objects.filter(action="data_exported", user_id=customer.pk).count() == 1


def test_closing_is_a_case_once_and_can_be_taken_back(customer: User) -> None:
    browser = signed_in(customer)
    page = browser.get(reverse("close_account")).content.decode()
    assert "You have an order under way" in page
    prove_who_one_is(browser)
    for _ in range(8):  # more than one may ask for
        browser.post(reverse("close_account"))
    assert Case.objects.filter(cause__startswith="closing:").count() == 1
    assert browser.get(reverse("close_account")).headers["Location"] == reverse("your_data")
    told = browser.get(reverse("your_data")).content.decode()
    assert "You asked us to close your account" in told
    assert re.search(r"Since \d+ [A-Z][a-z]{2} 20\d\d\.", told), "no date that reads in two ways"

    browser.post(reverse("keep_account"))
    assert Case.objects.filter(cause__startswith="closing_taken_back:").count() == 1
    assert closing.open_request(customer) is None
    assert "Close my account" in browser.get(reverse("your_data")).content.decode()


def test_dates_and_times_on_the_pages_are_those_that_hold(customer: User, settings: Any) -> None:
    settings.IDENTITY_KEEP_DAYS = 45
    closing.ask(customer)
    ClosingRequest.objects.update(asked_at="2026-11-02T16:00Z")
    browser = signed_in(customer)
    assert "Since 3 Nov 2026." in browser.get(reverse("your_data")).content.decode()
    assert "deleted 45 days after the decision" in browser.get(reverse("privacy")).content.decode()


def test_what_salesforce_says_is_closed_is_done_with(customer: User) -> None:
    closing.ask(customer)
    closing.carried_out(customer.link.sf_account_id)
    assert ClosingRequest.objects.get().state == ClosingRequest.State.CARRIED_OUT


def is_closed(customer: User) -> None:
    """Support carried it out, and nothing is on its way any more."""
    CustomerLink.objects.filter(user=customer).update(portal_status="Inactive")
    Order.objects.update(sf_status="Cancelled")
    Case.objects.update(state="opened")
    apps.get_model("notifications.Email").objects.update(state="sent")


def erase(*arguments: str) -> str:
    out = StringIO()
    call_command("erase_customer", "aiko@example.jp", "--reason", "Case 00001027", *arguments, stdout=out)
    return out.getvalue()


def test_nothing_that_names_her_is_left(customer: User, ben: User) -> None:
    browser = signed_in(customer)
    is_closed(customer)
    assert "orders_without_customer: 1" in erase("--yes")

    tables = {model: list(model.objects.values()) for model in apps.get_models() if model._meta.managed}  # type: ignore[attr-defined]
    left = json.dumps([rows for model, rows in tables.items() if model._meta.label != "sessions.Session"], default=str)
    for word in ("aiko@example.jp", "芝浦9-9-9", "+818055210147"):
        assert word not in left
    assert Order.objects.get().user is None
    assert not Address.objects.exists()
    assert browser.get(reverse("dashboard")).status_code == 302
    assert AuditEntry.objects.get(action="customer_erased").reason == "Case 00001027"
    assert User.objects.get(pk=ben.pk).email == "ben@example.jp"


@pytest.fixture
def with_papers(customer: User, settings: Any, tmp_path: Path) -> Path:
    """She sent in a photo of a card, which was accepted; the directory in which it is kept."""
    settings.IDENTITY_DIR = tmp_path / "papers"
    check = IdentityCheck.objects.create(
        user=customer, paper="residence_card", state="verified", submitted_at="2026-11-01T00:00Z"
    )
    key = uuid4()
    kept = storage.keep(key, b"a picture of Aiko")
    check.documents.create(
        id=key, side="front", content_type="image/jpeg", size=17, key_id=kept.key_id, wrapped_key=kept.wrapped
    )
    return tmp_path / "papers"


def test_the_file_names_her_papers_and_does_not_hold_them(customer: User, with_papers: Path) -> None:
    (check,) = json.loads(json.dumps(held_about(customer)))["identity_papers"]
    assert (check["paper"], check["state"]) == ("residence_card", "verified")
    (document,) = check["documents"]
    assert set(document) == {"side", "content_type", "size", "created_at", "deleted_at"}


def test_her_papers_go_with_her(customer: User, with_papers: Path) -> None:
    is_closed(customer)
    assert list(with_papers.iterdir())
    assert "identity_papers: 2" in erase("--yes")
    assert list(with_papers.iterdir()) == []
    assert not IdentityCheck.objects.exists()


def test_papers_stay_while_nothing_is_changed(customer: User, with_papers: Path) -> None:
    is_closed(customer)
    IdentityCheck.objects.update(legal_hold=True)
    with pytest.raises(CommandError, match="legal hold"):
        erase("--yes")
    assert list(with_papers.iterdir())


@pytest.mark.parametrize(
    ("open_again", "said"),
    [
        (lambda: CustomerLink.objects.update(portal_status="Active"), "not closed"),
        (lambda: Order.objects.update(sf_status="Approved"), "order is under way"),
        (lambda: apps.get_model("notifications.Email").objects.update(state="pending"), "mail"),
    ],
)
def test_who_is_still_needed_is_not_erased(customer: User, open_again: Any, said: str) -> None:
    is_closed(customer)
    open_again()
    with pytest.raises(CommandError, match=said):
        erase("--yes")
    assert User.objects.filter(email="aiko@example.jp").exists()
    assert Address.objects.exists()


def sign_up_that(**fields: Any) -> User:
    """Wei's sign-up, stopped somewhere, with a mail that went out."""
    user = make_user("wei@example.jp", given_name="Wei")
    SignupJourney.objects.create(user=user, kind="new", source="Portal Signup", **fields)
    mail("wei@example.jp", user.pk)
    return user


def mail(to: str, user_id: int | None = None, state: str = "sent") -> None:
    email = outgoing.queue(
        cause=f"{to} {user_id} {state}", template="welcome", to=to, user_id=user_id, language="en", context={}
    )
    Email.objects.filter(pk=email.pk).update(state=state)


def erase_wei() -> None:
    call_command("erase_customer", "wei@example.jp", "--reason", "x", "--yes", stdout=StringIO())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": "running"}, "still running"),
        ({"state": "waiting_cs", "step": "client", "sf_account_id": "001TEST00000009AAA"}, "001TEST00000009AAA"),
    ],
)
def test_a_sign_up_that_leaves_records_outside_is_finished_first(fields: dict[str, str], said: str) -> None:
    sign_up_that(**fields)
    with pytest.raises(CommandError, match=said):
        erase_wei()
    assert User.objects.filter(email="wei@example.jp").exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "number_unmatched"},
        {"state": "waiting_email"},
        {"state": "waiting_cs", "sf_account_id": "001TEST00000009AAA", "error_code": "email_differs"},
    ],
)
def test_a_sign_up_that_left_nothing_outside_can_be_erased(fields: dict[str, str]) -> None:
    sign_up_that(**fields)
    erase_wei()
    assert not User.objects.filter(email="wei@example.jp").exists()


@pytest.mark.parametrize("state", ["running", "waiting_cs"])
def test_a_sign_up_that_stands_still_because_its_user_is_disabled_can_be_erased(state: str) -> None:
    user = sign_up_that(state=state, sf_account_id="001TEST00000009AAA")
    with pytest.raises(CommandError, match="sign-up"):
        erase_wei()
    support.disable(user)
    SignupJourney.objects.update(lease_until="2999-01-01T00:00Z")
    if state == "running":
        with pytest.raises(CommandError, match="still running"):  # a run that began before
            erase_wei()
        SignupJourney.objects.update(lease_until="2026-01-01T00:00Z")

    erase_wei()

    assert not SignupJourney.objects.exists()


def test_a_wish_to_close_is_carried_out_before_its_customer_is_erased() -> None:
    user = sign_up_that(state="number_unmatched")
    closing.ask(user)
    Case.objects.update(state="opened")
    Email.objects.update(state="sent")
    with pytest.raises(CommandError, match="wish to close"):
        erase_wei()

    support.disable(user)
    with pytest.raises(CommandError, match="mail"):
        erase_wei()
    Email.objects.update(state="sent")
    erase_wei()
    assert not ClosingRequest.objects.exists()


def test_who_never_was_a_customer_is_forgotten_by_address(ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    mail("Wei@example.jp")
    mail("wei@example.jp", 999_999)  # a user that is gone
    mail("wei@example.jp", ben.pk)  # about ben's account: it is his
    mail("chie@example.jp")
    monkeypatch.setattr("builtins.input", lambda _question: "3")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("erase_customer", "wei@example.jp", "--reason", "x", stdout=StringIO())

    erase_wei()

    left = Email.objects.order_by("pk").values_list("to", "user_id")
    assert list(left) == [("wei@example.jp", ben.pk), ("chie@example.jp", None)]
    assert AuditEntry.objects.get(action="address_erased").reason == "x"
    with pytest.raises(CommandError, match="no mail went to it"):
        erase_wei()
    mail("wei@example.jp", state="pending")
    with pytest.raises(CommandError, match="not gone out"):
        erase_wei()


def test_what_was_written_to_her_before_she_signed_up_goes_with_her() -> None:
    sign_up_that(state="number_unmatched")
    mail("WEI@example.jp")
    erase_wei()
    assert not Email.objects.exists()


def test_staff_are_not_erased_so(cs_carol: Staff) -> None:
    with pytest.raises(CommandError, match="staff"):
        call_command("erase_customer", cs_carol.user.email, "--reason", "x", "--yes", stdout=StringIO())


def test_the_command_asks_first(customer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    is_closed(customer)
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError, match="Nothing was changed"):
        erase()
    assert User.objects.filter(email="aiko@example.jp").exists()
