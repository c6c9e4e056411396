"""What happens while a sign-up stands still: the user is disabled, the Account closed or deleted, details changed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import journeys, refresh, signup
from accounts.models import CustomerLink, ProfileSync, SignupJourney
from accounts.profile import syncing
from accounts.profile.saving import save_mails
from accounts.security import support
from accounts.setting_up import Place, place_of
from integrations.failpoints import Died, arm
from integrations.salesforce.schemas import ContactRecord
from support.models import Case
from tests.accounts.conftest import fresh, new_journey, person, run
from tests.accounts.doubles import Salesforce, Whmcs, account

pytestmark = pytest.mark.django_db
State = SignupJourney.State


def test_a_disabled_persons_sign_up_stands_still_until_they_are_enabled(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    claim, journey = run(new_journey("ben@example.jp", number="104882")), new_journey()
    salesforce.calls.clear()
    for each in (claim, journey):
        support.disable(person(each))

    assert not journeys.due().exists()
    assert journeys.claim(journey.pk) is None
    signup.advance(journey.pk)
    for decide, each in ((signup.accept_claim, claim), (signup.reject_claim, claim), (signup.resume, journey)):
        with pytest.raises(journeys.NotAllowed):
            decide(each.pk)
    assert salesforce.calls == []
    assert (fresh(claim).state, fresh(journey).tries) == (State.WAITING_CS, 0)

    SignupJourney.objects.update(next_try_at="2999-01-01T00:00Z")
    support.enable(person(journey))
    signup.advance(journey.pk)  # what enabling wakes a worker for
    assert fresh(journey).state == State.DONE
    support.enable(person(claim))
    signup.accept_claim(claim.pk)


@pytest.mark.parametrize("number", ["", "104882"])
@pytest.mark.parametrize(("happens", "code"), [("closed", "account_closed"), ("deleted", "account_gone")])
def test_what_became_of_the_account_while_the_journey_waited_counts(
    salesforce: Salesforce, whmcs: Whmcs, number: str, happens: str, code: str
) -> None:
    salesforce.accounts = [account(number)] if number else []
    journey = new_journey(number=number)
    with arm("journey.link:before=raise"), pytest.raises(Died):
        run(journey)
    (there,) = salesforce.accounts
    salesforce.accounts = [replace(there, portal_status="Inactive")] if happens == "closed" else []

    journey = run(journey)

    assert (journey.state, journey.error_code) == (State.WAITING_CS, code)
    assert not CustomerLink.objects.exists()
    with pytest.raises(journeys.NotAllowed):  # WHMCS has a client of this number
        signup.reject_claim(journey.pk)


def test_who_claims_a_closed_account_may_go_on_as_a_new_customer(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(replace(account("104882"), portal_status="Inactive"))
    journey = run(new_journey(number="104882"))
    assert (journey.state, journey.error_code) == (State.WAITING_CS, "account_closed")
    assert "The number is not theirs" in Case.objects.get().description

    signup.reject_claim(journey.pk)

    journey = run(journey)
    assert (journey.state, journey.sf_account_no) == (State.DONE, "100500")
    assert salesforce.accounts[0].portal_status == "Inactive"


def test_an_accepted_claim_whose_account_was_closed_meanwhile_can_be_rejected(
    salesforce: Salesforce, whmcs: Whmcs
) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    journey = run(new_journey("ben@example.jp", number="104882"))
    signup.accept_claim(journey.pk)
    assert place_of(CustomerLink.objects.get(), fresh(journey)) == Place.COMPARING
    salesforce.accounts[0] = replace(salesforce.accounts[0], portal_status="Inactive")
    assert run(journey).error_code == "account_closed"
    assert place_of(CustomerLink.objects.get(), fresh(journey)) == Place.SUPPORT

    signup.reject_claim(journey.pk)

    assert not CustomerLink.objects.exists()
    assert run(journey).state == State.DONE


def test_what_was_changed_during_the_sign_up_is_late_from_its_end_on(salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = new_journey()
    save_mails(person(journey), language="ja")
    ProfileSync.objects.update(due_since="2026-01-01T00:00Z")

    assert run(journey).state == State.DONE

    (waiting,) = syncing.unsent()
    assert waiting.due_since is not None
    assert waiting.due_since > timezone.now() - timedelta(minutes=5)


def test_a_contact_that_gets_the_customers_address_later_becomes_theirs(salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    journey = run(new_journey("ben@example.jp", number="104882"))
    signup.accept_claim(journey.pk)
    run(journey)
    refresh.refresh_accounts()
    assert CustomerLink.objects.get().sf_contact_id == "", "another person's Contact is never taken"

    bens = ContactRecord("003TEST00000002AAA", "ben@example.jp")
    salesforce.accounts[0] = replace(salesforce.accounts[0], contacts=(*salesforce.accounts[0].contacts, bens))
    refresh.refresh_accounts()

    assert CustomerLink.objects.get().sf_contact_id == bens.id
