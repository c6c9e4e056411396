"""Papers go when their time is over; that there were some stays."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.identity import retention, storage
from accounts.models import CustomerLink, IdentityCheck, IdentityDocument, User
from audit.models import AuditEntry
from integrations.failpoints import Died, arm
from tests.accounts.identity.sent_in import State, fresh, papers

pytestmark = pytest.mark.django_db(transaction=True)


def files() -> list[Path]:
    return list(storage.directory().iterdir())


def made_older(check: IdentityCheck, days: float) -> None:
    then = timezone.now() - timedelta(days=days)
    decided = then if check.decided_at else None
    IdentityCheck.objects.filter(pk=check.pk).update(decided_at=decided, created_at=then, updated_at=then)
    IdentityDocument.objects.filter(check_of=check).update(created_at=then)
    for document in check.documents.all():
        os.utime(storage.path_of(document.pk), (then.timestamp(), then.timestamp()))


@pytest.mark.parametrize("state", [State.VERIFIED, State.REJECTED])
@pytest.mark.parametrize(("days", "kept"), [(29.9, 2), (30.1, 0)])
def test_papers_go_thirty_days_after_the_decision(aiko: User, state: str, days: float, kept: int) -> None:
    check = papers(aiko, state=state)
    made_older(check, days)

    assert retention.delete_papers()["papers"] == 2 - kept

    assert len(files()) == kept
    rows = IdentityDocument.objects.all()
    assert [row.deleted_at is None for row in rows] == [kept == 2] * 2
    assert [len(bytes(row.wrapped_key)) > 0 for row in rows] == [kept == 2] * 2
    assert fresh(check).state == state
    assert AuditEntry.objects.filter(action="identity_papers_deleted", user_id=aiko.pk).count() == (kept == 0)
    assert retention.delete_papers() == {"papers": 0}


def test_a_legal_hold_keeps_everything(aiko: User) -> None:
    made_older(papers(aiko, state=State.VERIFIED), 400)
    IdentityCheck.objects.update(legal_hold=True)
    assert (retention.delete_papers(), len(files())) == ({"papers": 0}, 2)
    IdentityCheck.objects.update(legal_hold=False)
    assert (retention.delete_papers(), files()) == ({"papers": 2}, [])


def test_a_hold_set_at_the_last_moment_counts(aiko: User) -> None:
    check = papers(aiko, state=State.VERIFIED)
    made_older(check, 31)
    IdentityCheck.objects.update(legal_hold=True)
    assert retention._forget(check.pk) == 0
    assert len(files()) == 2


@pytest.mark.parametrize(("state", "gone"), [(State.PENDING, 2), (State.SUBMITTED, 0)])
def test_papers_being_checked_stay_unless_the_account_is_closed(aiko: User, state: str, gone: int) -> None:
    check = papers(aiko, state=state)
    made_older(check, 400)
    assert retention.delete_papers()["papers"] == 0
    CustomerLink.objects.update(portal_status="Inactive")
    assert retention.delete_papers()["papers"] == gone
    assert len(files()) == 2 - gone


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_round_that_died_leaves_nothing_behind_for_good(aiko: User, point: str) -> None:
    made_older(papers(aiko, state=State.VERIFIED), 31)
    with arm(f"identity.forget:{point}=raise"), pytest.raises(Died):
        retention.delete_papers()
    retention.delete_papers()
    storage.delete_orphans()
    assert files() == []
    assert not IdentityDocument.objects.filter(deleted_at=None).exists()
