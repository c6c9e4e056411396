"""The process dies at every point of a sign-up, one after the other; the ledgers outside say what it left behind."""

import pytest
from django.utils import timezone

from accounts.links import linked
from accounts.models import SignupJourney
from integrations import failpoints, gateway
from integrations.failpoints import Died, arm
from journal.models import RemoteCall
from notifications.models import Email
from tests.accounts.conftest import new_journey, person, run
from tests.org import rows
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
State = SignupJourney.State

NEW = [
    "salesforce.account_by_ref",
    "salesforce.create_account",
    "journey.account",
    "whmcs.GetClientsDetails",
    "call.intent",
    "whmcs.AddClient",
    "call.close",
    "journey.client",
    "journey.link",
    "salesforce.register_account",
    "journey.write_back",
    "journey.end",
]
WITH_A_NUMBER = ["salesforce.account_by_number", *NEW[2:]]
POINTS = [f"{name}:{moment}" for name in NEW for moment in ("before", "after")]


@pytest.fixture
def started(sandbox: Sandbox) -> int:
    gateway.salesforce().account_by_number("0000")  # the token is there: what follows is the sign-up's own
    return sandbox.last_ledger_id()


def clients_made(sandbox: Sandbox, started: int) -> int:
    return len(sandbox.ledger(after=started, system="whmcs", operation="AddClient"))


def test_these_are_the_points_of_a_sign_up(sandbox: Sandbox, started: int) -> None:
    for number, expected in (("", NEW), ("104883", WITH_A_NUMBER)):
        with failpoints.traced() as passed:
            journey = run(new_journey("kenji.tanaka@example.jp" if number else "aiko.lives@example.jp", number=number))
        assert journey.state == State.DONE, journey.error_code
        assert passed == [f"{name}:{moment}" for name in expected for moment in ("before", "after")]


@pytest.mark.parametrize("point", POINTS)
def test_a_sign_up_that_died_anywhere_goes_on_without_a_second_record(
    sandbox: Sandbox, started: int, point: str
) -> None:
    journey = new_journey(f"aiko.died.{POINTS.index(point)}@example.jp")  # WHMCS remembers the tests before
    with arm(f"{point}=raise"), pytest.raises(Died):
        run(journey)
    RemoteCall.objects.update(quarantine_until=timezone.now())  # what was sent would have arrived by now

    journey = run(journey)

    assert journey.state == State.DONE, journey.error_code
    assert clients_made(sandbox, started) == 1
    (account,) = rows(sandbox, f"SELECT Id, WH_Account__c FROM Account WHERE Portal_Ref__c = '{journey.ref}'")
    (contact,) = rows(sandbox, f"SELECT Id FROM Contact WHERE Email = '{journey.user.email}'")
    link = linked(person(journey))
    assert link is not None
    assert (account["Id"], account["WH_Account__c"]) == (link.sf_account_id, str(link.whmcs_client_id))
    assert contact["Id"] == link.sf_contact_id
    assert Email.objects.filter(template="welcome").count() == 1


def test_what_may_still_be_on_its_way_is_not_sent_again(sandbox: Sandbox, started: int) -> None:
    journey = new_journey("aiko.waits@example.jp")
    with arm("whmcs.AddClient:before=raise"), pytest.raises(Died):
        run(journey)

    journey = run(journey)

    assert (journey.state, journey.error_code) == (State.RUNNING, "outcome_unknown")
    assert clients_made(sandbox, started) == 0
