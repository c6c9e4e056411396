"""A request on its way to Salesforce, where Salesforce is in memory: losses, outages and races."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import CustomerLink, User
from catalog.eligibility import sending
from catalog.models import EligibilityRequest
from integrations import failpoints
from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable, UnknownOutcome
from integrations.failpoints import Died, arm
from support.models import Case
from tests.catalog.eligibility.conftest import MITA, POINTS, asked, fresh, later, send_now
from tests.catalog.eligibility.doubles import Salesforce

pytestmark = pytest.mark.django_db(transaction=True)
State = EligibilityRequest.State


def test_it_is_asked_once_with_the_address_for_a_person(salesforce: Salesforce, aiko: User) -> None:
    request = asked(aiko)
    assert sending.send(request.pk)

    sent = salesforce.cases[str(request.ref)]
    for words in (
        "Sato Aiko <aiko@example.jp>",
        "〒108-0023",
        "Tokyo 東京都",
        "芝浦3-12-8",
        "グランメゾン芝浦 1204",
        "Flat",
    ):
        assert words in sent.description
    assert "Open checks" not in sent.description
    assert sent.account_name == "Sato Aiko"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", sent.close_date)
    assert salesforce.calls == ["check_standing", "ask_for_check"]
    stands = fresh(request)
    assert (stands.state, stands.sf_case_id, stands.sf_opportunity_id) == (
        State.ASKED,
        "500TEST00000000AAA",
        "006TEST00000000AAA",
    )
    assert stands.requested_at == sent.requested_at
    assert not sending.send(request.pk), "it is done"


def test_an_open_opportunity_is_used(salesforce: Salesforce, aiko: User) -> None:
    salesforce.opportunities.append("006OPEN00000001AAA")
    request = asked(aiko)
    sending.send(request.pk)
    assert fresh(request).sf_opportunity_id == "006OPEN00000001AAA"
    assert salesforce.opportunities == ["006OPEN00000001AAA"]


@pytest.mark.parametrize("known", [False, True])
def test_a_lost_answer_is_found_again_at_once(salesforce: Salesforce, aiko: User, known: bool) -> None:
    salesforce.opportunities += ["006OPEN00000001AAA"] if known else []
    salesforce.loses_answer = True
    request = asked(aiko)
    assert sending.send(request.pk)
    assert fresh(request).state == State.ASKED
    assert (len(salesforce.cases), len(salesforce.opportunities)) == (1, 1)


def test_what_may_still_arrive_is_waited_for(salesforce: Salesforce, aiko: User) -> None:
    """Neither the request itself nor the one that takes its place is sent while the first may be carried out."""
    salesforce.fails["ask_for_check"] = UnknownOutcome("salesforce", "ask_for_check", "timeout")
    first = asked(aiko)
    assert not sending.send(first.pk)
    salesforce.fails.clear()
    second = asked(aiko, MITA)

    assert not sending.send(first.pk)
    assert not sending.send(second.pk)
    assert sending.send_due()["sent"] == 0

    assert send_now()["sent"] == 1
    assert list(salesforce.cases) == [str(second.ref)]
    assert fresh(first).state == State.SUPERSEDED


def test_what_may_still_arrive_is_waited_for_even_if_the_look_fails_as_well(salesforce: Salesforce, aiko: User) -> None:
    def goes_away() -> None:
        salesforce.fails["check_standing"] = Unavailable("salesforce", "check_standing", "timeout")
        raise UnknownOutcome("salesforce", "ask_for_check", "timeout")

    salesforce.meanwhile = goes_away
    first = asked(aiko)
    assert not sending.send(first.pk)
    salesforce.fails.clear()
    salesforce.meanwhile = lambda: None
    second = asked(aiko, MITA)
    assert not sending.send(second.pk)
    assert not salesforce.cases


def test_a_worker_that_stood_still_sends_nothing(
    salesforce: Salesforce, aiko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Composite may begin within one read's deadline of the look, which the lease outlasts."""
    allowed: list[float] = []

    @contextmanager
    def watched(seconds: float) -> Iterator[None]:
        allowed.append(seconds)
        yield
        allowed.append(len(salesforce.cases))

    monkeypatch.setattr(sending, "begun_within", watched)
    assert sending.send(asked(aiko).pk)
    assert allowed == [settings.READ_DEADLINE_S, 1]


def test_the_same_reference_sent_twice_is_adopted(salesforce: Salesforce, aiko: User) -> None:
    """The first try arrives while the second is under way."""
    request = asked(aiko)

    def first_arrives() -> None:
        salesforce.meanwhile = lambda: None
        salesforce.ask_for_check(sent)

    sending.send(request.pk)
    sent = salesforce.cases.pop(str(request.ref))
    EligibilityRequest.objects.update(state=State.SUBMITTED, sf_case_id="")
    later()
    salesforce.meanwhile = first_arrives
    assert sending.send(request.pk)
    assert (fresh(request).state, len(salesforce.cases)) == (State.ASKED, 1)


def test_another_address_while_the_first_is_being_sent(salesforce: Salesforce, aiko: User) -> None:
    """The first has become a Case: the second says so, and there is one Opportunity."""
    first = asked(aiko)

    def asks_again() -> None:
        asked(aiko, MITA)

    salesforce.meanwhile = asks_again
    sending.send(first.pk)
    salesforce.meanwhile = lambda: None
    assert (fresh(first).state, fresh(first).sf_case_id) == (State.SUPERSEDED, "500TEST00000000AAA")

    assert sending.send_due()["sent"] == 1
    second = EligibilityRequest.objects.get(state=State.ASKED)
    assert "Case 00000000" in salesforce.cases[str(second.ref)].description
    assert "三田2-1-1" in salesforce.cases[str(second.ref)].description
    assert len(salesforce.opportunities) == 1


def test_an_address_replaced_before_it_was_sent_is_never_sent(salesforce: Salesforce, aiko: User) -> None:
    first = asked(aiko)
    asked(aiko, MITA)
    assert not sending.send(first.pk)
    assert salesforce.calls == []


def test_a_run_whose_request_was_replaced_under_it_sends_nothing(salesforce: Salesforce, aiko: User) -> None:
    first = asked(aiko)
    look = salesforce.check_standing

    def replaced_meanwhile(**which: str) -> object:
        asked(aiko, MITA)
        return look(**which)

    salesforce.check_standing = replaced_meanwhile  # type: ignore[method-assign, assignment]
    assert not sending.send(first.pk)
    assert salesforce.cases == {}


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("salesforce", "check_standing", "timeout"),
        Misconfigured("salesforce", "check_standing", "invalid_field"),
        Rejected("salesforce", "check_standing", "no_account"),
    ],
)
def test_trouble_is_kept_and_tried_later(salesforce: Salesforce, aiko: User, error: OutsideError) -> None:
    salesforce.fails["check_standing"] = error
    request = asked(aiko)
    assert not sending.send(request.pk)
    waits = fresh(request)
    assert (waits.state, waits.error_code, waits.lease_until) == (State.SUBMITTED, error.code, None)
    assert waits.next_try_at is not None
    assert waits.next_try_at > timezone.now() + timedelta(seconds=10)
    assert not sending.send(request.pk), "too early"

    salesforce.fails.clear()
    assert send_now()["sent"] == 1
    assert (fresh(request).state, fresh(request).error_code) == (State.ASKED, "")


def test_what_salesforce_refuses_again_and_again_becomes_a_case(salesforce: Salesforce, aiko: User) -> None:
    salesforce.fails["ask_for_check"] = Rejected("salesforce", "ask_for_check", "field_custom_validation_exception")
    request = asked(aiko)
    for tries in range(1, sending.REFUSALS_BEFORE_A_CASE + 2):
        send_now()
        assert fresh(request).tries == tries
        assert Case.objects.count() == (tries >= sending.REFUSALS_BEFORE_A_CASE)
    assert "芝浦" not in Case.objects.get().description


def test_a_link_that_stopped_being_real_sends_nothing(salesforce: Salesforce, aiko: User) -> None:
    request = asked(aiko)
    CustomerLink.objects.filter(user=aiko).update(state=CustomerLink.State.PROVISIONAL, whmcs_client_id=None)
    assert not sending.send(request.pk)
    assert salesforce.calls == []


def test_two_workers_send_it_once(salesforce: Salesforce, aiko: User) -> None:
    request = asked(aiko)
    second: list[bool] = []
    salesforce.meanwhile = lambda: second.append(sending.send(request.pk))
    assert sending.send(request.pk)
    assert second == [False]
    assert len(salesforce.cases) == 1


# --- dying on the way


def test_these_are_the_points_of_an_address_check(salesforce: Salesforce, aiko: User) -> None:
    request = asked(aiko)
    with failpoints.traced() as passed:
        sending.send(request.pk)
    assert passed == POINTS


@pytest.mark.parametrize("point", POINTS)
def test_a_check_that_died_anywhere_is_asked_once(salesforce: Salesforce, aiko: User, point: str) -> None:
    request = asked(aiko)
    with arm(f"{point}=raise"), pytest.raises(Died):
        sending.send(request.pk)
    send_now()
    stands = fresh(request)
    assert (stands.state, stands.sf_case_id) == (State.ASKED, "500TEST00000000AAA")
    assert (list(salesforce.cases), salesforce.opportunities) == ([str(request.ref)], [stands.sf_opportunity_id])


@pytest.mark.parametrize(
    "point", ["eligibility.choose:after", "salesforce.ask_for_check:after", "eligibility.record:before"]
)
def test_a_check_that_died_and_was_replaced_leaves_one_opportunity(
    salesforce: Salesforce, aiko: User, point: str
) -> None:
    with arm(f"{point}=raise"), pytest.raises(Died):
        sending.send(asked(aiko).pk)
    second = asked(aiko, MITA)
    send_now()
    assert fresh(second).state == State.ASKED
    assert str(second.ref) in salesforce.cases
    assert len(salesforce.opportunities) == 1
