"""From a verified e-mail to a customer in all three systems (decisions.md 1-5)."""

from dataclasses import replace

import pytest
from django.utils import timezone

from accounts import journeys, signup
from accounts.links import linked
from accounts.models import CustomerLink, SignupJourney
from integrations.errors import Rejected, Unavailable, UnknownOutcome
from integrations.salesforce.schemas import ContactRecord
from integrations.whmcs.schemas import Client
from journal.models import RemoteCall
from notifications.models import Email
from support.models import Case
from tests.accounts.conftest import fresh, new_journey, person, run
from tests.accounts.doubles import Died, Salesforce, Whmcs, account

pytestmark = pytest.mark.django_db
State = SignupJourney.State


def test_a_new_customer_is_made_in_both_systems_and_linked(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = run(new_journey())

    assert journey.state == State.DONE
    link = linked(person(journey))
    assert link is not None
    assert (link.sf_account_no, link.whmcs_client_id) == ("100500", 7001)
    assert link.has_payment_method is False
    assert salesforce.accounts[0].whmcs_client == "7001"
    assert salesforce.accounts[0].portal_status == "Active Portal Signup"
    assert whmcs.clients[0].custom_fields == {12: "100500"}
    assert Email.objects.get().cause == f"welcome:{journey.ref}"


def test_the_calls_of_a_sign_up_keep_to_the_budget(salesforce: Salesforce, whmcs: Whmcs) -> None:
    run(new_journey())

    assert salesforce.calls == ["account_by_ref", "create_account", "register_account"]
    assert whmcs.calls == ["client_by_email", "add_client"]


def test_a_customer_number_costs_two_calls_and_brings_what_the_account_says(
    salesforce: Salesforce, whmcs: Whmcs
) -> None:
    salesforce.accounts.append(account("104882"))

    journey = run(new_journey(number="104882"))

    assert salesforce.calls == ["account_by_number", "register_account"]
    assert whmcs.calls == ["client_by_email", "add_client"]
    link = linked(person(journey))
    assert link is not None
    assert (link.internet_eligibility, link.identity_status) == ("Apartment 1G", "Verified")
    assert salesforce.accounts[0].portal_status == "Active Legacy"


def test_an_account_that_names_its_client_keeps_it(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", whmcs_client="55"))
    whmcs.clients.append(Client(id=55, email="old@example.jp", status="Active", custom_fields={12: "104882"}))

    journey = run(new_journey(number="104882"))

    assert journey.state == State.DONE
    assert journey.whmcs_client_id == 55
    assert "add_client" not in whmcs.calls


@pytest.mark.parametrize("number", ["999999", "0000"])
def test_an_unknown_number_waits_for_the_customer(salesforce: Salesforce, whmcs: Whmcs, number: str) -> None:
    journey = run(new_journey(number=number))

    assert (journey.state, journey.error_code) == (State.NUMBER_UNMATCHED, "number_unmatched")
    assert linked(person(journey)) is None
    assert whmcs.calls == []


def test_a_number_that_is_linked_already_looks_like_an_unknown_one(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="aiko@example.jp"))
    run(new_journey("aiko@example.jp", number="104882"))
    both = (*salesforce.accounts[0].contacts, ContactRecord("003TEST00000002AAA", "ben@example.jp"))
    salesforce.accounts[0] = replace(salesforce.accounts[0], contacts=both)

    journey = run(new_journey("ben@example.jp", number="104882"))

    assert (journey.state, journey.error_code) == (State.NUMBER_UNMATCHED, "number_unmatched")
    assert not Case.objects.exists()


def test_another_email_opens_a_case_and_touches_nothing(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    before = salesforce.accounts[0]

    journey = run(new_journey("ben@example.jp", number="104882"))

    assert (journey.state, journey.error_code) == (State.WAITING_CS, "email_differs")
    assert Case.objects.get().sf_account_id == before.id
    assert CustomerLink.objects.get().state == CustomerLink.State.PROVISIONAL
    assert linked(person(journey)) is None
    assert salesforce.accounts == [before]
    assert salesforce.calls == ["account_by_number"]
    assert whmcs.calls == []


def test_two_may_claim_the_same_account_and_the_owner_is_not_blocked(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    run(new_journey("ben@example.jp", number="104882"))
    run(new_journey("eve@example.jp", number="104882"))

    journey = run(new_journey("owner@example.jp", number="104882"))

    assert journey.state == State.DONE
    assert CustomerLink.objects.filter(sf_account_no="104882").count() == 3


def test_support_accepts_a_claim_and_the_link_becomes_real(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    journey = run(new_journey("ben@example.jp", number="104882"))

    signup.accept_claim(journey.pk)
    journey = run(journey)

    assert journey.state == State.DONE
    link = linked(person(journey))
    assert link is not None
    assert link.sf_account_no == "104882"


def test_support_rejects_a_claim_and_the_user_goes_on_as_new(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    journey = run(new_journey("ben@example.jp", number="104882"))

    signup.reject_claim(journey.pk)
    journey = run(journey)

    assert journey.state == State.DONE
    link = linked(person(journey))
    assert link is not None
    assert link.sf_account_no != "104882"
    assert salesforce.accounts[0].whmcs_client == ""


CRASHES = [
    ("salesforce", "before", "account_by_ref"),
    ("salesforce", "before", "create_account"),
    ("salesforce", "after", "create_account"),
    ("whmcs", "before", "client_by_email"),
    ("whmcs", "after", "add_client"),
    ("salesforce", "before", "register_account"),
    ("salesforce", "after", "register_account"),
]


@pytest.mark.parametrize(("system", "moment", "operation"), CRASHES)
def test_a_crash_at_any_step_resumes_without_a_second_record(
    salesforce: Salesforce, whmcs: Whmcs, system: str, moment: str, operation: str
) -> None:
    journey = new_journey()
    getattr({"salesforce": salesforce, "whmcs": whmcs}[system], moment)[operation] = Died()
    with pytest.raises(Died):
        run(journey)

    journey = run(journey)

    assert journey.state == State.DONE
    assert len(salesforce.accounts) == 1
    assert len(whmcs.clients) == 1
    assert salesforce.accounts[0].whmcs_client == "7001"
    assert Email.objects.filter(template="welcome").count() == 1


def test_a_lost_answer_to_add_client_is_found_again_by_email(salesforce: Salesforce, whmcs: Whmcs) -> None:
    whmcs.after["add_client"] = UnknownOutcome("whmcs", "AddClient", "timeout")

    journey = run(new_journey())

    assert journey.state == State.DONE
    assert len(whmcs.clients) == 1
    assert RemoteCall.objects.get().state == RemoteCall.State.DONE


def test_an_outage_backs_off_and_the_sweep_carries_on(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.before["register_account"] = Unavailable("salesforce", "register_account", "unreachable")
    journey = run(new_journey())

    assert (journey.state, journey.step, journey.error_code) == (State.RUNNING, "write_back", "unreachable")
    assert journey.next_try_at is not None
    assert journey.next_try_at > timezone.now()
    signup.advance(journey.pk)
    assert fresh(journey).tries == journey.tries
    assert run(journey).state == State.DONE


def test_two_workers_do_not_run_the_same_journey(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = new_journey()
    journeys.claim(journey.pk)

    signup.advance(journey.pk)

    assert salesforce.calls == []


def test_a_worker_that_lost_its_lease_writes_nothing_more(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = new_journey()
    slow = journeys.claim(journey.pk)
    assert slow is not None
    journey = run(journey)

    with pytest.raises(journeys.Taken):
        journeys.record(slow, step="account", sf_account_no="1")
    assert fresh(journey).state == State.DONE


def test_a_client_of_somebody_else_with_our_email_is_not_adopted(salesforce: Salesforce, whmcs: Whmcs) -> None:
    whmcs.clients.append(Client(id=55, email="aiko@example.jp", status="Active", custom_fields={12: "777777"}))

    journey = run(new_journey())

    assert (journey.state, journey.error_code) == (State.WAITING_CS, "client_of_another")
    assert "client_of_another" in Case.objects.get().subject
    assert "add_client" not in whmcs.calls


def test_a_client_without_a_number_is_adopted_and_gets_ours(salesforce: Salesforce, whmcs: Whmcs) -> None:
    whmcs.clients.append(Client(id=55, email="aiko@example.jp", status="Active", custom_fields={}))

    journey = run(new_journey())

    assert journey.state == State.DONE
    assert whmcs.clients == [Client(55, "aiko@example.jp", "Active", {12: "100500"})]
    link = linked(person(journey))
    assert link is not None
    assert link.has_payment_method is None


def test_salesforce_refusing_the_account_is_a_case_for_support(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.before["create_account"] = Rejected("salesforce", "create_account", "DUPLICATES_DETECTED")

    journey = run(new_journey())

    assert (journey.state, journey.error_code) == (State.WAITING_CS, "DUPLICATES_DETECTED")
    signup.resume(journey.pk)
    assert run(journey).state == State.DONE


def test_the_journey_waits_for_the_number_salesforce_gives_later(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.numbers_come_at_once = False
    journey = run(new_journey())
    assert (journey.state, journey.error_code) == (State.RUNNING, "no_number_yet")

    salesforce.accounts[0] = replace(salesforce.accounts[0], number="123456")

    assert run(journey).state == State.DONE
    assert len(salesforce.accounts) == 1


def test_five_numbers_a_day(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = run(new_journey(number="999999"))
    for _ in range(signup.TRIES_A_DAY):
        signup.retry_number(journey_id=journey.pk, number="888888")
        journey = run(journey)

    with pytest.raises(signup.TooManyTries):
        signup.retry_number(journey_id=journey.pk, number="888888")
    SignupJourney.objects.update(number_tried_on="2026-01-01")
    signup.retry_number(journey_id=journey.pk, number="888888")


def test_without_a_number_the_user_may_go_on_as_new(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = run(new_journey(number="999999"))

    signup.continue_as_new(journey.pk)

    assert run(journey).state == State.DONE
    assert salesforce.accounts[0].portal_status == "Active Portal Signup"


def test_nothing_runs_before_the_email_is_verified(salesforce: Salesforce, whmcs: Whmcs) -> None:
    from tests.people import make_user

    journey = signup.start(user=make_user("aiko@example.jp"), claimed_number="", from_checkout=True)

    assert run(journey).state == State.WAITING_EMAIL
    assert journey.source == "Portal Checkout"
    assert salesforce.calls == []


def test_a_claim_on_an_account_that_got_its_owner_meanwhile_cannot_be_accepted(
    salesforce: Salesforce, whmcs: Whmcs
) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    claim = run(new_journey("attacker@example.jp", number="104882"))
    assert run(new_journey("owner@example.jp", number="104882")).state == State.DONE
    clients = len(whmcs.clients)

    with pytest.raises(journeys.NotAllowed):
        signup.accept_claim(claim.pk)

    assert fresh(claim).state == State.WAITING_CS
    assert len(whmcs.clients) == clients, "nothing was made in the owner's name"
