"""Who may bring papers to Salesforce: one run at a time, and one that stood still writes nothing any more."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.identity import checks, jobs, storage, submission
from accounts.models import CustomerLink, IdentityCheck, User
from support.models import Case
from tests.accounts.identity.in_memory import Salesforce, salesforce
from tests.accounts.identity.sent_in import State, fresh, papers, submit

__all__ = ["salesforce"]
pytestmark = pytest.mark.django_db(transaction=True)


def overdue(check: IdentityCheck) -> None:
    """Its run stood still for longer than its lease."""
    past = timezone.now() - timedelta(seconds=1)
    IdentityCheck.objects.filter(pk=check.pk).update(lease_until=past, next_try_at=past)


def test_the_job_brings_them_and_another_one_finds_nothing_to_do(aiko: User, salesforce: Salesforce) -> None:
    check = papers(aiko)
    for _job in range(2):
        jobs.submit_papers(check.pk)
    assert fresh(check).state == State.PENDING
    assert salesforce.calls == [
        "create_case ID Verification",
        *["file_of_case", "upload_file"] * 2,
        "begin_identity_check",
    ]


def test_what_goes_up_is_what_was_sent_in(aiko: User, salesforce: Salesforce) -> None:
    check = submit(papers(aiko))
    assert salesforce.files == {str(each.pk): storage.read(each) for each in check.documents.all()}


def test_papers_whose_job_got_lost_are_brought_by_the_sweep(aiko: User, salesforce: Salesforce) -> None:
    check = papers(aiko)
    jobs.submit_due()
    assert fresh(check).state == State.PENDING


def test_who_has_it_has_it_alone(aiko: User) -> None:
    check = papers(aiko)
    assert checks.claim(check.pk) is not None
    assert checks.claim(check.pk) is None
    assert list(checks.due()) == []


def test_a_run_that_stood_still_writes_nothing_any_more(aiko: User) -> None:
    check = papers(aiko)
    stale = checks.claim(check.pk)
    assert stale is not None
    overdue(check)
    assert checks.claim(check.pk) is not None
    document = check.documents.get(side="front")
    writes: list[Callable[[], None]] = [
        lambda: checks.hold(stale),
        lambda: checks.record(stale, step="files"),
        lambda: checks.record_file(stale, document, "068"),
        lambda: checks.leave(stale, State.PENDING),
        lambda: checks.postpone(stale, "timeout"),
    ]
    for write in writes:
        with pytest.raises(checks.Taken):
            write()
    document.refresh_from_db()
    assert (fresh(check).state, fresh(check).step, document.sf_version_id) == (State.SUBMITTED, "case", "")


@pytest.mark.parametrize("state", [State.DRAFT, State.PENDING, State.VERIFIED, State.REJECTED])
def test_only_papers_that_were_sent_in_go(aiko: User, salesforce: Salesforce, state: str) -> None:
    assert submit(papers(aiko, state=state)).state == state
    assert salesforce.calls == []


def test_papers_of_somebody_not_linked_yet_wait(aiko: User, salesforce: Salesforce) -> None:
    """A provisional link writes nothing to the Account (decisions.md 2)."""
    check = papers(aiko)
    CustomerLink.objects.update(state="provisional", whmcs_client_id=None)
    assert (submit(check).state, salesforce.calls) == (State.SUBMITTED, [])


def test_a_file_that_cannot_be_read_waits_for_people_and_is_told_once(aiko: User, salesforce: Salesforce) -> None:
    check = papers(aiko)
    storage.remove(check.documents.get(side="back").pk)

    for _run in range(2):
        check = submit(check)

    assert (check.state, check.error_code) == (State.SUBMITTED, "unreadable")
    assert Case.objects.get().cause == f"identity_unreadable:{check.ref}"
    submission.ask_again(check.pk)
    assert fresh(check).state == State.REJECTED


@pytest.mark.parametrize("to", [State.PENDING, State.VERIFIED, State.REJECTED, State.SUBMITTED])
def test_a_check_moves_only_as_it_may(aiko: User, to: str) -> None:
    for state in State.values:
        check = papers(aiko, state=state)
        if to in checks.MOVES[state]:
            assert checks.transition(check.pk, to).state == to
        else:
            with pytest.raises(checks.NotAllowed):
                checks.transition(check.pk, to)
        check.delete()
