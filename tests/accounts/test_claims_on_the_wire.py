"""Somebody signs up with another customer's number: before her, after her, at the same moment, with her address.

Judged by what the outside systems accepted and hold, and by what each of the two sees.
"""

import itertools
import json
import random
import uuid
from dataclasses import dataclass

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import journeys, signup
from accounts.links import linked
from accounts.models import SignupJourney, User
from integrations import gateway
from integrations.failpoints import Died, arm
from integrations.salesforce.schemas import ContactDetails, NewAccount
from journal.models import RemoteCall
from portal.personal_data.collecting import held_about
from tests.accounts.conftest import fresh, new_journey, person, run
from tests.accounts.test_signup_crashes import POINTS
from tests.faults import Faults
from tests.org import rows
from tests.people import signed_in
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
State = SignupJourney.State
names = itertools.count(1)
HERS = ContactDetails("Hanako", "Kagamihara", "+818055519999", "鏡町9-8-7 鏡荘 606", "鏡原市", "東京都", "108-0023")
SECRETS = ("Hanako", "Kagamihara", "5551-9999", "55519999", "鏡町", "鏡荘", "鏡原市")
PAGES = ("account", "dashboard", "account_setup", "address", "payment_methods", "orders", "services", "checkout")
MORE = ("your_data", "mail_preferences", "account_email", "cart", "catalog", "contact")


@dataclass(frozen=True)
class Hers:
    """An Account whose owner is not in the portal yet."""

    id: str
    number: str
    email: str


@pytest.fixture
def hers(sandbox: Sandbox) -> Hers:
    email = f"hanako.{next(names)}@example.jp"
    new = NewAccount(str(uuid.uuid4()), HERS.given_name, HERS.family_name, email, "Legacy")
    made = gateway.salesforce().create_account(new)
    gateway.salesforce().write_details(account_id=made.id, contact_id=made.contacts[0].id, details=HERS)
    return Hers(made.id, made.number, email)


@pytest.fixture
def started(sandbox: Sandbox, hers: Hers) -> int:
    return sandbox.last_ledger_id()


def holds(sandbox: Sandbox, hers: Hers) -> dict[str, object]:
    (account,) = rows(sandbox, f"SELECT WH_Account__c, Portal_Status__c FROM Account WHERE Id = '{hers.id}'")
    return {name: account[name] for name in ("WH_Account__c", "Portal_Status__c")}


def died_half_way(journey: SignupJourney) -> None:
    with arm("whmcs.AddClient:after=raise"), pytest.raises(Died):
        run(journey)


def reveals(user: User, hers: Hers) -> list[str]:
    """What of hers somebody else can see: on their pages, and in the file of what we hold about them."""
    browser = signed_in(user)
    seen = {name: browser.get(reverse(name), follow=True).content.decode() for name in (*PAGES, *MORE)}
    seen["file"] = json.dumps(held_about(user), ensure_ascii=False)
    return [
        f"{name}: {word}" for name, page in seen.items() for word in (*SECRETS, hers.id, hers.email) if word in page
    ]


ORDERS = ["eve claims, hanako comes", "hanako comes, eve claims", "hanako dies half-way, eve claims, hanako comes"]
ORDERS += ["eve dies, hanako comes, eve claims", "eve claims, mallory claims, hanako comes"]


@pytest.mark.parametrize("support", ["rejects", "would accept", "says nothing"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_strangers_claim_reveals_takes_and_blocks_nothing(
    sandbox: Sandbox, hers: Hers, started: int, order: str, support: str
) -> None:
    n = next(names)
    people = {who: new_journey(f"{who}.{n}@example.jp", number=hers.number) for who in ("eve", "mallory")}
    people["hanako"] = new_journey(hers.email, number=hers.number)
    for who, does in (each.split(" ", 1) for each in order.split(", ")):
        if does.startswith("dies half-way"):
            died_half_way(people[who])
        elif does == "dies":
            with arm("salesforce.account_by_number:after=raise"), pytest.raises(Died):
                run(people[who])
        else:
            run(people[who])

    eve, hanako = fresh(people["eve"]), fresh(people["hanako"])
    link = linked(person(hanako))
    assert (hanako.state, link and link.sf_account_no) == (State.DONE, hers.number), hanako.error_code
    assert link
    assert holds(sandbox, hers) == {"WH_Account__c": str(link.whmcs_client_id), "Portal_Status__c": "Active"}
    assert linked(person(eve)) is None
    assert reveals(person(eve), hers) == []
    assert eve_did(sandbox, started, eve) <= {"query"}
    _support_decides(support, eve)

    eve = run(eve) if fresh(eve).state == State.RUNNING else fresh(eve)

    assert holds(sandbox, hers) == {"WH_Account__c": str(link.whmcs_client_id), "Portal_Status__c": "Active"}
    assert len(sandbox.ledger(after=started, system="whmcs", operation="AddClient")) == 1 + (eve.state == State.DONE)
    assert (eve_link := linked(person(eve))) is None or eve_link.sf_account_no != hers.number
    assert reveals(person(eve), hers) == []


def _support_decides(support: str, eve: SignupJourney) -> None:
    if eve.state != State.WAITING_CS:
        assert eve.state == State.NUMBER_UNMATCHED, "she looks like everybody who mistyped a number"
        signup.continue_as_new(eve.pk)
    elif support == "rejects":
        signup.reject_claim(eve.pk)
    elif support == "would accept":
        with pytest.raises(journeys.NotAllowed):
            signup.accept_claim(eve.pk)


def eve_did(sandbox: Sandbox, started: int, eve: SignupJourney) -> set[str]:
    """What was asked outside for this journey."""
    return {row["operation"] for row in sandbox.ledger(after=started, correlation_id=str(eve.ref))}


def test_support_gave_the_account_away_before_its_owner_came(sandbox: Sandbox, hers: Hers, started: int) -> None:
    """A person's mistake, which only a person can undo: the owner is told how to reach one, and nothing else."""
    eve = run(new_journey(f"eve.{next(names)}@example.jp", number=hers.number))
    signup.accept_claim(eve.pk)
    assert run(eve).state == State.DONE

    hanako = run(new_journey(hers.email, number=hers.number))

    assert hanako.state == State.NUMBER_UNMATCHED
    page = signed_in(person(hanako)).get(reverse("account_setup")).content.decode()
    assert reverse("contact") in page
    assert "eve." not in page
    assert len(sandbox.ledger(after=started, system="whmcs", operation="AddClient")) == 1


def test_support_accepts_one_of_two_claims_and_the_other_makes_nothing(
    sandbox: Sandbox, hers: Hers, started: int
) -> None:
    n = next(names)
    eve, mallory = (run(new_journey(f"{who}.{n}@example.jp", number=hers.number)) for who in ("eve", "mallory"))
    signup.accept_claim(eve.pk)

    with pytest.raises(journeys.NotAllowed):
        signup.accept_claim(mallory.pk)

    assert run(eve).state == State.DONE
    assert len(sandbox.ledger(after=started, system="whmcs", operation="AddClient")) == 1


DISTURBANCES = ("die", "die", "lose_answer", "lose_request", "http_error", "none")


@pytest.mark.parametrize("seed", range(5))
def test_sequences_of_trouble_leave_one_record_of_each(
    sandbox: Sandbox, hers: Hers, started: int, faults: Faults, seed: int
) -> None:
    chance, n = random.Random(seed), next(names)
    claims = {hers.email: hers.number, f"eve.{n}@example.jp": hers.number, f"noa.{n}@example.jp": ""}
    people = {email: new_journey(email, number=number) for email, number in claims.items()}
    for _ in range(7):
        _run_with(chance, people[chance.choice(list(people))], faults)
    for journey in people.values():
        _settle(journey)

    assert len(sandbox.ledger(after=started, system="whmcs", operation="AddClient")) == len(people)
    for email, journey in people.items():
        link = linked(person(journey))
        assert link is not None
        assert (link.sf_account_no == hers.number) == (email == hers.email)
        (account,) = rows(sandbox, f"SELECT Id, WH_Account__c FROM Account WHERE Id = '{link.sf_account_id}'")
        assert account["WH_Account__c"] == str(link.whmcs_client_id)
        assert len(rows(sandbox, f"SELECT Id FROM Contact WHERE Email = '{email}'")) == 1
        made = rows(sandbox, f"SELECT Id FROM Account WHERE Portal_Ref__c = '{journey.ref}'")
        assert len(made) == (0 if email == hers.email else 1)


def _run_with(chance: random.Random, journey: SignupJourney, faults: Faults) -> None:
    kind = chance.choice(DISTURBANCES)
    system = chance.choice(["whmcs", "salesforce"])
    point = chance.choice([each for each in POINTS if "account_by" not in each])
    rule = getattr(faults, kind)(system) if kind not in {"die", "none"} else None
    with arm(f"{point}=raise" if kind == "die" else ""):
        try:
            run(journey)
        except Died:
            assert kind == "die"
    if rule:
        rule.remove()


def _settle(journey: SignupJourney) -> None:
    """Everything works again; support turns strangers away."""
    for _ in range(4):
        RemoteCall.objects.update(quarantine_until=timezone.now())
        journey = run(journey)
        if journey.state == State.WAITING_CS and journey.error_code == signup.EMAIL_DIFFERS:
            signup.reject_claim(journey.pk)
        elif journey.state == State.NUMBER_UNMATCHED:
            signup.continue_as_new(journey.pk)
    assert journey.state == State.DONE, journey.error_code
