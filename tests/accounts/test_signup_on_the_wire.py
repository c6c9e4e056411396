"""Signing up against the sandbox: what Salesforce and WHMCS hold afterwards, by their ledger."""

import ssl
import urllib.error
import urllib.request
from typing import Any

import pytest
from django.urls import reverse

from accounts import payment, refresh
from accounts.links import linked
from accounts.models import CustomerLink, SignupJourney, User
from integrations import gateway
from support import cases
from support.models import Case
from tests.accounts.conftest import new_journey, person, run
from tests.people import signed_in
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
State = SignupJourney.State


@pytest.fixture
def started(sandbox: Sandbox) -> int:
    """What is in the ledger after this number is this test's doing."""
    gateway.salesforce().account_by_number("0000")  # the token is nobody's cost
    return sandbox.last_ledger_id()


def made(sandbox: Sandbox, started: int) -> dict[str, list[str]]:
    """Operations per system since the test began; parts of a Composite are named by what they did."""
    found: dict[str, list[str]] = {"salesforce": [], "whmcs": []}
    for row in sandbox.ledger(after=started):
        if row["system"] in found and row["operation"] != "composite/subrequest":
            found[row["system"]].append(row["operation"])
    return found


def test_a_new_customer_costs_three_calls_to_salesforce_and_one_client(sandbox: Sandbox, started: int) -> None:
    journey = run(new_journey("new@example.jp"))

    assert journey.state == State.DONE, journey.error_code
    assert made(sandbox, started) == {"salesforce": ["query", "composite", "composite"], "whmcs": ["AddClient"]}
    link = linked(person(journey))
    assert link is not None
    account = gateway.salesforce().account_by_ref(str(journey.ref))
    assert account is not None
    assert (account.id, account.number) == (link.sf_account_id, link.sf_account_no)
    assert (account.whmcs_client, account.portal_status) == (str(link.whmcs_client_id), "Active")
    assert [each.email for each in account.contacts] == ["new@example.jp"]
    client = gateway.whmcs().client(link.whmcs_client_id or 0)
    assert client is not None
    assert client.custom_fields == {12: link.sf_account_no}
    assert {row["correlation_id"] for row in sandbox.ledger(after=started) if row["correlation_id"]} <= {
        str(journey.ref)
    }


def test_a_customer_number_costs_two_calls(sandbox: Sandbox, started: int) -> None:
    journey = run(new_journey("Maria.Santos@example.jp", number="104882"))

    assert journey.state == State.DONE, journey.error_code
    assert made(sandbox, started) == {"salesforce": ["query", "composite"], "whmcs": ["AddClient"]}
    link = linked(person(journey))
    assert link is not None
    assert (link.sf_account_no, link.internet_eligibility, link.identity_status) == (
        "104882",
        "Apartment 10G",
        "Verified",
    )
    account = gateway.salesforce().account_by_number("104882")
    assert account is not None
    assert (account.whmcs_client, account.portal_status) == (str(link.whmcs_client_id), "Active")


def test_an_unknown_number_makes_nothing_anywhere(sandbox: Sandbox, started: int) -> None:
    journey = run(new_journey("nobody@example.jp", number="999999"))

    assert journey.state == State.NUMBER_UNMATCHED
    assert made(sandbox, started) == {"salesforce": ["query"], "whmcs": []}


def test_another_email_makes_one_case_and_leaves_the_account_alone(sandbox: Sandbox, started: int) -> None:
    before = gateway.salesforce().account_by_number("104884")
    journey = run(new_journey("wei@example.jp", number="104884"))

    assert (journey.state, journey.error_code) == (State.WAITING_CS, "email_differs")
    assert cases.open_due() == {"opened": 1}
    case = Case.objects.get()
    assert case.sf_case_id.startswith("500")
    assert gateway.salesforce().account_by_number("104884") == before
    assert made(sandbox, started)["whmcs"] == []
    assert CustomerLink.objects.get().state == CustomerLink.State.PROVISIONAL


def test_a_case_whose_answer_was_lost_is_adopted(sandbox: Sandbox, started: int) -> None:
    case = cases.open_case(cause="wire", kind="General Inquiry", subject="A question", description="Words")
    first = gateway.salesforce().create_case(ref=str(case.ref), kind="General Inquiry", subject="S", description="D")

    assert cases.open_in_salesforce(case.pk)

    case.refresh_from_db()
    assert case.sf_case_id == first


def customer(email: str) -> User:
    journey = run(new_journey(email))
    assert journey.state == State.DONE, journey.error_code
    return person(journey)


def test_a_payment_method_is_seen_once_it_is_added(sandbox: Sandbox, started: int) -> None:
    user = customer("payer@example.jp")
    browser = signed_in(user)
    assert "No payment method yet" in browser.get(reverse("payment_methods")).content.decode()

    sandbox.control(f"/control/whmcs/clients/{user.link.whmcs_client_id}/paymethods", {})

    assert payment.has_payment_method(user) is True
    page = browser.get(reverse("payment_methods")).content.decode()
    assert "••••" in page
    assert "One thing is missing" not in page


def test_the_single_sign_on_address_works_once(sandbox: Sandbox, started: int) -> None:
    user = customer("visitor@example.jp")

    answer: Any = signed_in(user).post(reverse("payment_sso"))

    assert answer.status_code == 303
    assert made(sandbox, started)["whmcs"][-1] == "CreateSsoToken"
    assert opened(sandbox, answer.url).startswith("200 ")
    assert opened(sandbox, answer.url).startswith("403 ")


def opened(sandbox: Sandbox, url: str) -> str:
    """What a browser with cookies of its own shows at `url`."""
    trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=sandbox.urls["ca"]))
    browser = urllib.request.build_opener(trusted, urllib.request.HTTPCookieProcessor())
    try:
        with browser.open(url, timeout=15) as page:
            return f"{page.status} {page.geturl()} {page.read().decode()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"


def test_what_support_decides_in_salesforce_reaches_the_link(sandbox: Sandbox, started: int) -> None:
    user = customer("eligible@example.jp")
    account_id = user.link.sf_account_id
    sandbox.control(f"/control/desk/accounts/{account_id}/eligibility", {"value": "Apartment 1G"})

    assert refresh.refresh_accounts()["changed"] >= 1

    link = CustomerLink.objects.get(user=user)
    assert link.internet_eligibility_status == "Checked"
    assert link.internet_eligibility == "Apartment 1G"


def test_services_of_a_new_customer_are_an_empty_page(sandbox: Sandbox, started: int) -> None:
    user = customer("empty@example.jp")

    assert "No services yet" in signed_in(user).get(reverse("services")).content.decode()
