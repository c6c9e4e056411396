"""What the customer said reaches WHMCS and Salesforce: on the wire, the sandbox is the judge."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Address, CustomerLink, ProfileSync, User
from accounts.profile.saving import save_mails, save_profile, send_email_address
from accounts.profile.syncing import for_whmcs, sync, sync_due
from audit.models import AuditEntry
from integrations import correlation, gateway
from integrations.failpoints import Died, arm
from integrations.salesforce.schemas import NewAccount
from integrations.whmcs.schemas import ClientProfile
from support.models import Case
from tests.faults import Faults
from tests.org import rows, save
from tests.people import make_customer, make_user
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
SAID = {
    "given_name": "Maria Clara",
    "family_name": "Santos",
    "postal_code": "1080023",
    "prefecture": 13,
    "city": "港区",
    "street": "芝浦3-12-8",
    "building": "Grand Maison",
    "room": "1204",
    "phone": "+818055210147",
}


@pytest.fixture
def maria(sandbox: Sandbox) -> Iterator[User]:
    """Known in all three systems."""
    ref, email = str(uuid.uuid4()), f"maria.{uuid.uuid4().hex[:8]}@example.jp"
    account = gateway.salesforce().create_account(
        NewAccount(ref=ref, given_name="Maria", family_name="Santos", email=email, registration_source="Portal Signup")
    )
    client = gateway.whmcs().add_client(
        email=email, given_name="Maria", family_name="Santos", language="en", customer_number=account.number
    )
    with correlation.bound(""):
        maria = make_customer(
            email, given_name="Maria", family_name="Santos", sf_account_id=account.id, whmcs_client_id=client
        )
        CustomerLink.objects.filter(user=maria).update(sf_contact_id=account.contacts[0].id)
        maria.refresh_from_db()
        yield maria


def in_salesforce(sandbox: Sandbox, user: User) -> tuple[object, ...]:
    where = f"FROM Contact WHERE AccountId = '{user.link.sf_account_id}'"
    fields = "FirstName, Phone, MailingCity, MailingStreet, MailingState, MailingPostalCode, Account.BillingCity"
    (contact,) = rows(sandbox, f"SELECT {fields} {where}")
    return (*(contact[name] for name in fields.split(", ")[:-1]), contact["Account"]["BillingCity"])


def in_whmcs(user: User) -> dict[str, str]:
    details = gateway.whmcs()._read("GetClientsDetails", {"clientid": user.link.whmcs_client_id}, dict)
    return {name: str(value) for name, value in details["client"].items()}


def test_both_systems_learn_it_each_in_its_script(sandbox: Sandbox, maria: User) -> None:
    save_profile(maria, SAID)
    assert sync(maria.pk)
    assert in_salesforce(sandbox, maria) == (
        "Maria Clara",
        "+818055210147",
        "港区",
        "芝浦3-12-8\nGrand Maison 1204",
        "東京都",
        "108-0023",
        "港区",
    )
    assert (
        in_whmcs(maria).items()
        >= {
            "firstname": "Maria Clara",
            "address1": "Shibaura 3-12-8",
            "address2": "Grand Maison 1204",
            "city": "Minato-ku",
            "state": "Tokyo",
            "postcode": "108-0023",
            "phonenumber": "818055210147",
        }.items()
    )
    row = ProfileSync.objects.get()
    assert (row.whmcs_has, row.salesforce_has, row.next_try_at) == (1, 1, None)


def test_an_old_building_does_not_stay_in_whmcs(sandbox: Sandbox, maria: User) -> None:
    save_profile(maria, SAID)
    sync(maria.pk)
    save_profile(maria, {**SAID, "building": "", "room": ""})
    sync(maria.pk)
    assert "Grand Maison" not in in_whmcs(maria)["address2"]


def test_salesforce_away_keeps_it_and_whmcs_is_not_asked_twice(sandbox: Sandbox, maria: User, faults: Faults) -> None:
    save_profile(maria, SAID)
    before = sandbox.last_ledger_id()
    down = faults.http_error("salesforce", "composite", status=503, always=True)
    assert not sync(maria.pk)
    down.remove()
    row = ProfileSync.objects.get()
    assert (row.whmcs_has, row.salesforce_has, row.tries, row.lease_until) == (1, 0, 1, None)
    assert sync_due() == {"synced": 0}  # not before its time

    ProfileSync.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    assert sync_due() == {"synced": 1}
    assert in_salesforce(sandbox, maria)[2] == "港区"
    assert len(sandbox.ledger(after=before, system="whmcs", operation="UpdateClient")) == 1


@pytest.mark.parametrize("point", ["whmcs.UpdateClient:after", "salesforce.write_details:before"])
def test_a_worker_that_died_leaves_it_to_the_next(sandbox: Sandbox, maria: User, point: str) -> None:
    save_profile(maria, SAID)
    with arm(f"{point}=raise"), pytest.raises(Died):
        sync(maria.pk)
    assert not sync(maria.pk)  # somebody has it
    ProfileSync.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sync_due() == {"synced": 1}
    assert in_whmcs(maria)["city"] == "Minato-ku"


def test_what_changes_while_it_is_sent_is_sent_again(sandbox: Sandbox, maria: User) -> None:
    save_profile(maria, SAID)

    def moves() -> None:
        save_profile(maria, {**SAID, "room": "1501"})

    with arm("salesforce.write_details:before=call", moves):
        sync(maria.pk)
    row = ProfileSync.objects.get()
    assert (row.wanted, row.whmcs_has, row.salesforce_has) == (2, 1, 1)
    assert sync(maria.pk)
    assert in_whmcs(maria)["address2"] == "Grand Maison 1501"


def test_who_is_no_customer_yet_waits_and_then_it_goes(sandbox: Sandbox, maria: User) -> None:
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    before = sandbox.last_ledger_id()
    save_profile(User.objects.get(pk=maria.pk), SAID)
    assert not sync(maria.pk)
    assert sync_due() == {"synced": 0}
    assert sandbox.ledger(after=before, system="whmcs") == []


def test_a_refusal_becomes_a_case_after_a_few_tries(sandbox: Sandbox, maria: User, faults: Faults) -> None:
    save_profile(maria, SAID)
    CustomerLink.objects.update(whmcs_client_id=999_999)
    for _ in range(5):
        ProfileSync.objects.update(next_try_at=timezone.now() - timedelta(seconds=1), lease_until=None)
        sync(maria.pk)
    case = Case.objects.get()
    assert "whmcs" in case.description
    assert "芝浦" not in case.description
    assert "Maria" not in case.description
    assert ProfileSync.objects.get().next_try_at is None  # a person has it now


def test_a_language_alone_goes_out_alone_and_staffs_corrections_stay(sandbox: Sandbox, maria: User) -> None:
    User.objects.filter(pk=maria.pk).update(phone="+818055210147")  # what she said once
    save(sandbox, "Account", {"Phone": "03-5555-0101"}, maria.link.sf_account_id)
    save(sandbox, "Contact", {"Phone": "03-5555-0102", "FirstName": "Mariah"}, maria.link.sf_contact_id)
    gateway.whmcs().update_profile(maria.link.whmcs_client_id or 0, ClientProfile(given_name="Mariah", phone="+8135"))
    before = sandbox.last_ledger_id()

    save_mails(maria, language="ja", news_mails=False)
    assert sync(maria.pk)

    sent = [row["operation"] for row in sandbox.ledger(after=before) if row["system"] in {"whmcs", "salesforce"}]
    assert sent == ["UpdateClient"]
    client = in_whmcs(maria)
    assert (client["firstname"], client["phonenumber"], client["language"]) == ("Mariah", "8135", "japanese")
    (contact,) = rows(sandbox, f"SELECT Phone, Account.Phone FROM Contact WHERE Id = '{maria.link.sf_contact_id}'")
    assert (contact["Phone"], contact["Account"]["Phone"]) == ("03-5555-0102", "03-5555-0101")


def test_an_address_without_a_phone_takes_none_away(sandbox: Sandbox, maria: User) -> None:
    save(sandbox, "Account", {"Phone": "03-5555-0101"}, maria.link.sf_account_id)
    save_profile(maria, {**SAID, "phone": ""})
    assert sync(maria.pk)
    (account,) = rows(sandbox, f"SELECT Phone, BillingCity FROM Account WHERE Id = '{maria.link.sf_account_id}'")
    assert (account["Phone"], account["BillingCity"]) == ("03-5555-0101", "港区")


def test_the_wish_for_news_is_known_everywhere_and_written_down(sandbox: Sandbox, maria: User) -> None:
    wanted = []
    for news in (True, False):
        save_mails(maria, language="en", news_mails=news)
        assert sync(maria.pk)
        query = f"SELECT HasOptedOutOfEmail FROM Contact WHERE Id = '{maria.link.sf_contact_id}'"
        (contact,) = rows(sandbox, query)
        wanted.append((in_whmcs(maria)["marketing_emails_opt_in"], contact["HasOptedOutOfEmail"]))
    assert wanted == [("True", False), ("False", True)]
    entries = AuditEntry.objects.filter(action="news_consent_changed", user_id=maria.pk).order_by("pk")
    assert [entry.subject for entry in entries] == ["given", "withdrawn"]


def moves_to_a_new_address(user: User) -> str:
    """As after the code of a new address was entered."""
    user.email = f"new.{user.email}"
    user.save(update_fields=["email"])
    send_email_address(user)
    return user.email


def email_in_salesforce(sandbox: Sandbox, user: User) -> str:
    (contact,) = rows(sandbox, f"SELECT Email FROM Contact WHERE Id = '{user.link.sf_contact_id}'")
    return str(contact["Email"])


def test_a_new_address_to_sign_in_with_is_the_one_that_bills_go_to(sandbox: Sandbox, maria: User) -> None:
    email = moves_to_a_new_address(maria)
    assert sync(maria.pk)
    assert (in_whmcs(maria)["email"], email_in_salesforce(sandbox, maria)) == (email, email)


def test_an_address_that_another_client_has_is_a_case_and_the_rest_arrives(sandbox: Sandbox, maria: User) -> None:
    old = maria.email
    gateway.whmcs().add_client(email=f"new.{old}", given_name="M", family_name="S", language="en", customer_number="7")
    email = moves_to_a_new_address(maria)
    save_profile(maria, SAID)

    assert sync(maria.pk)

    client = in_whmcs(maria)
    assert (client["email"], client["city"]) == (old, "Minato-ku")
    assert email_in_salesforce(sandbox, maria) == email
    assert ProfileSync.objects.get().next_try_at is None
    case = Case.objects.get()
    assert case.sf_account_id == maria.link.sf_account_id
    assert email not in case.description + case.subject


def test_billing_away_does_not_keep_it_from_salesforce(sandbox: Sandbox, maria: User, faults: Faults) -> None:
    save_profile(maria, SAID)
    down = faults.http_error("whmcs", "UpdateClient", status=503, always=True)
    assert not sync(maria.pk)
    down.remove()
    assert in_salesforce(sandbox, maria)[2] == "港区"
    row = ProfileSync.objects.get()
    assert (row.whmcs_has, row.salesforce_has, row.parts) == (0, 1, ["address", "names", "phone"])
    save_mails(maria, language="ja")  # what is still on its way is not forgotten for it
    assert sync(maria.pk)
    assert (in_whmcs(maria)["city"], in_whmcs(maria)["language"]) == ("Minato-ku", "japanese")


@pytest.mark.django_db
def test_what_the_table_does_not_know_goes_as_it_was_typed() -> None:
    user = make_user("ben@example.jp")
    address = Address(user=user, postal_code="1080023", prefecture=13, city="Minato-ku", street="Kaigan 1-2", room="3")
    sent = for_whmcs(user, address, ["address"])
    assert (sent.city, sent.address1, sent.address2, sent.state) == ("Minato-ku", "Kaigan 1-2", "3", "Tokyo")
