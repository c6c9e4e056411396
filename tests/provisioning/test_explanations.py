"""Whoever finds a fault is told what happened, what is certain, what is not, and the next step."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from journal.models import RemoteCall
from provisioning.explanations import (
    EARLIER_RUNS,
    NOTHING_THERE,
    THERE_NOT_ACTIVE,
    WORKS_WITHOUT_LINE,
    Told,
    explain,
    explain_under_way,
    for_salesforce,
)
from provisioning.failures import TEXT_LIMIT, Code

UNTIL = datetime(2026, 11, 20, 3, 20, tzinfo=UTC)  # 12:20 in Japan
CALLS = ["whmcs.AddOrder", "whmcs.AcceptOrder", "whmcs.ModuleCreate:1001", "esim.activate"]


def a_call(operation: str = "whmcs.AddOrder", error_code: str = "timeout") -> RemoteCall:
    return RemoteCall(operation=operation, error_code=error_code, quarantine_until=UNTIL)


def texts(told: Told | None) -> list[str]:
    assert told is not None
    return [told.happened, told.certain, told.unknown, told.next_step]


@pytest.mark.parametrize("code", Code)
def test_every_code_has_its_four_texts_in_both_languages(code: Code) -> None:
    english = texts(explain(code))
    with translation.override("ja"):
        japanese = texts(explain(code))
    assert all(english)
    assert all(ours != theirs for ours, theirs in zip(english, japanese, strict=True))


@pytest.mark.parametrize("error_code", ["timeout", "interrupted"])
@pytest.mark.parametrize("operation", CALLS)
def test_an_open_call_is_explained_by_what_it_may_have_made(operation: str, error_code: str) -> None:
    told = explain(Code.OUTCOME_UNKNOWN, live=True, step="whmcs_add", open_calls=[a_call(operation, error_code)])
    happened, certain, unknown, next_step = texts(told)
    assert operation in happened
    assert ("stopped at step whmcs_add" in happened) == (error_code == "interrupted")
    assert "12:20" in next_step
    assert "Whether" in unknown
    assert certain


def test_each_open_call_leaves_something_else_unknown() -> None:
    said = {texts(explain(Code.OUTCOME_UNKNOWN, live=True, open_calls=[a_call(each)]))[2] for each in CALLS}
    nothing_open = texts(explain(Code.OUTCOME_UNKNOWN, live=True))[2]
    assert len(said | {nothing_open}) == len(CALLS) + 1


def test_an_ended_unknown_outcome_says_what_the_look_showed() -> None:
    causes = [EARLIER_RUNS, NOTHING_THERE, f"{THERE_NOT_ACTIVE} 501 is there but not active", "something else"]
    certain = {texts(explain(Code.OUTCOME_UNKNOWN, cause=cause, open_calls=[a_call()]))[1] for cause in causes}
    assert len(certain) == len(causes)


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "WAITING"])
def test_what_is_under_way_is_explained_in_both_languages(state: str) -> None:
    english = texts(explain_under_way(state, step="payment"))
    with translation.override("ja"):
        japanese = texts(explain_under_way(state, step="payment"))
    assert all(ours != theirs for ours, theirs in zip(english, japanese, strict=True))
    assert ("payment" in english[0]) == (state == "RUNNING")
    assert explain_under_way("FAILED") is None


def test_a_code_of_another_release_is_not_explained() -> None:
    assert explain("of_tomorrow") is None
    assert for_salesforce("of_tomorrow", "why") == "of_tomorrow: why"


def test_salesforce_reads_what_is_unknown_and_the_next_step() -> None:
    text = for_salesforce(Code.OUTCOME_UNKNOWN, "AddOrder got no answer", live=True, open_calls=[a_call()])
    assert text == (
        "outcome_unknown: AddOrder got no answer. Unknown: whether WHMCS made an order. "
        "Next: wait until 12:20, the portal looks again; or look in WHMCS for the mark."
    )


@pytest.mark.parametrize("cause", ["", "why", "a long cause " * 40])
@pytest.mark.parametrize("code", Code)
def test_salesforce_reads_the_whole_next_step_however_long_the_cause(code: Code, cause: str) -> None:
    told = explain(code)
    assert told is not None
    with translation.override("ja"):  # whoever's request it is, Salesforce is told in English
        text = for_salesforce(code, cause)
    assert text.startswith(f"{code}: {cause[:60]}".rstrip())
    assert text.endswith(told.next_step[1:])
    assert len(text) <= TEXT_LIMIT


@pytest.mark.parametrize("operation", CALLS)
def test_a_long_cause_leaves_room_for_what_is_unknown(operation: str) -> None:
    open_calls = [a_call(operation)]
    text = for_salesforce(Code.OUTCOME_UNKNOWN, "x" * 300, live=True, open_calls=open_calls)
    assert len(text) <= TEXT_LIMIT
    assert "Unknown: whether" in text
    assert text.endswith(texts(explain(Code.OUTCOME_UNKNOWN, live=True, open_calls=open_calls))[3][1:])


def test_an_esim_that_ended_beside_a_working_service_is_told_otherwise_than_one_that_was_refused() -> None:
    cause = f"{WORKS_WITHOUT_LINE} 501 works, but line L is terminated"
    english, refused = texts(explain(Code.ESIM_ERROR, cause=cause)), texts(explain(Code.ESIM_ERROR, cause="ticket T"))
    with translation.override("ja"):
        japanese = texts(explain(Code.ESIM_ERROR, cause=cause))
    assert all(ours != theirs for ours, theirs in zip(english, japanese, strict=True))
    assert "its services work" in english[1]
    assert set(english[1:]).isdisjoint(refused)
