"""Cases: once per cause, made in Salesforce however often it takes."""

import pytest
from django.utils import timezone

from integrations import gateway
from integrations.errors import Unavailable, UnknownOutcome
from support import cases
from support.models import Case
from tests.accounts.doubles import Salesforce

pytestmark = pytest.mark.django_db


@pytest.fixture
def salesforce(monkeypatch: pytest.MonkeyPatch) -> Salesforce:
    double = Salesforce()
    monkeypatch.setattr(gateway, "salesforce", lambda: double)
    return double


def opened(cause: str = "signup:1") -> Case:
    return cases.open_case(
        cause=cause,
        kind="General Inquiry",
        subject="A question",
        description="Words",
        sf_account_id="001TEST00000001AAA",
    )


def again_now(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(next_try_at=timezone.now(), lease_until=None)


def test_a_case_is_made_once_with_its_ref(salesforce: Salesforce) -> None:
    case = opened()

    assert cases.open_in_salesforce(case.pk)
    assert not cases.open_in_salesforce(case.pk)

    case.refresh_from_db()
    assert (case.state, case.sf_case_id) == ("opened", "500TEST00000000AAA")
    assert salesforce.cases[str(case.ref)]["account_id"] == "001TEST00000001AAA"


def test_one_cause_is_one_case(salesforce: Salesforce) -> None:
    assert opened().pk == opened().pk


def test_a_lost_answer_adopts_the_case_that_was_made(salesforce: Salesforce) -> None:
    case = opened()
    salesforce.after["create_case"] = UnknownOutcome("salesforce", "create_case", "timeout")
    assert not cases.open_in_salesforce(case.pk)
    again_now(case)

    assert cases.open_due() == {"opened": 1}
    assert len(salesforce.cases) == 1


def test_an_outage_backs_off(salesforce: Salesforce) -> None:
    case = opened()
    salesforce.before["create_case"] = Unavailable("salesforce", "create_case", "unreachable")

    assert not cases.open_in_salesforce(case.pk)

    case.refresh_from_db()
    assert case.next_try_at > timezone.now()
    assert case.last_error.startswith("unreachable")
    assert cases.open_due() == {"opened": 0}
    cases.try_again(case.pk)
    assert cases.open_due() == {"opened": 1}


def test_an_opened_case_stays_opened(salesforce: Salesforce) -> None:
    case = opened()
    cases.open_in_salesforce(case.pk)

    with pytest.raises(ValueError, match="cannot go"):
        cases.transition(case, Case.State.PENDING)
