"""A file that the scanner has not found clean is opened by nobody and goes nowhere."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.identity import opening, scanning, storage, submission
from accounts.models import IdentityCheck, IdentityDocument, User
from notifications.models import Email
from support.models import Case
from tests.accounts.identity.in_memory import Salesforce, salesforce
from tests.accounts.identity.sent_in import Scan, State, fresh, papers, photo, submit
from tests.clamd import EICAR, Clamd, clamd
from tests.people import make_customer

__all__ = ["clamd", "salesforce"]
pytestmark = pytest.mark.django_db(transaction=True)
VIRUS = photo() + EICAR


def scans(check: IdentityCheck) -> set[str]:
    return set(check.documents.values_list("scan", flat=True))


def openable(check: IdentityCheck) -> set[bool]:
    return {opening.may_be_opened(document) for document in check.documents.all()}


def test_clean_papers_go_to_salesforce_and_may_be_opened(aiko: User, salesforce: Salesforce, clamd: Clamd) -> None:
    check = submit(papers(aiko))

    assert (check.state, scans(check), openable(check)) == (State.PENDING, {Scan.CLEAN}, {True})
    assert clamd.scanned == [photo(), photo()]


def test_without_a_scanner_papers_go_and_are_called_not_scanned(aiko: User, salesforce: Salesforce) -> None:
    check = submit(papers(aiko))

    assert (check.state, scans(check), openable(check)) == (State.PENDING, {Scan.UNSCANNED}, {True})


def test_while_the_scanner_is_away_papers_wait_closed(aiko: User, salesforce: Salesforce, clamd: Clamd) -> None:
    clamd.says = b"can't allocate memory ERROR\0"
    check = submit(papers(aiko))

    assert (check.state, check.error_code) == (State.SUBMITTED, "refused")
    assert Scan.WAITING in scans(check)
    assert openable(check) == {False}
    assert salesforce.calls == []

    clamd.says = b""
    check = submit(check)
    assert (check.state, scans(check)) == (State.PENDING, {Scan.CLEAN})


def test_a_virus_goes_nowhere_and_everybody_hears_of_it(aiko: User, salesforce: Salesforce, clamd: Clamd) -> None:
    check = submit(papers(aiko, content=VIRUS))

    assert (check.state, salesforce.calls) == (State.REJECTED, [])
    assert "take new photos" in check.rejection_message
    infected = check.documents.get(scan=Scan.INFECTED)
    assert not opening.may_be_opened(infected)
    case = Case.objects.get()
    assert "Eicar-Test-Signature" in case.description
    assert str(infected.pk) in case.description
    assert Email.objects.get().template == "identity_rejected"


def test_taking_the_scanner_away_does_not_open_a_virus(
    aiko: User, salesforce: Salesforce, clamd: Clamd, settings: Any
) -> None:
    check = submit(papers(aiko, content=VIRUS))
    settings.CLAMD_SOCKET = ""
    assert [opening.may_be_opened(each) for each in check.documents.filter(scan=Scan.INFECTED)] == [False]
    with pytest.raises(scanning.Infected):
        scanning.ensure(check.documents.get(scan=Scan.INFECTED))


def test_a_scanner_that_comes_later_catches_up(aiko: User, salesforce: Salesforce, clamd: Clamd, settings: Any) -> None:
    socket, settings.CLAMD_SOCKET = settings.CLAMD_SOCKET, ""
    check = submit(papers(aiko, content=VIRUS))
    assert check.state == State.PENDING
    assert scanning.scan_due() == {"scanned": 0}
    settings.CLAMD_SOCKET = socket
    assert openable(check) == {False}  # nobody has looked at them yet

    assert scanning.scan_due() == {"scanned": 2}

    assert scans(check) == {Scan.INFECTED}
    assert fresh(check).state == State.PENDING  # support decides, being told
    assert Case.objects.count() == 2
    assert all("Salesforce already" in case.description for case in Case.objects.all())
    assert scanning.scan_due() == {"scanned": 0}


def test_files_without_a_verdict_keep_no_later_paper_waiting(aiko: User, clamd: Clamd) -> None:
    lost = papers(aiko, state=State.PENDING, sides=("other",) * 3)
    for document in lost.documents.all():
        storage.remove(document.pk)
    later = papers(make_customer("later@example.jp"), state=State.VERIFIED)

    assert [scanning.scan_due(limit=3)["scanned"] for _round in range(2)] == [0, 2]

    assert scans(later) == {Scan.CLEAN}
    assert set(lost.documents.values_list("scan_error", flat=True)) == {"unreadable"}
    assert scanning.scan_due(limit=3) == {"scanned": 0}
    assert set(lost.documents.values_list("scan_tries", flat=True)) == {1}  # they rest
    case = Case.objects.get()
    assert "IDENTITY_DIR" in case.description
    assert str(lost.ref) in case.description


def test_what_can_be_read_again_is_scanned_by_itself(aiko: User, clamd: Clamd) -> None:
    check = papers(aiko, state=State.PENDING, sides=("front",))
    document = check.documents.get()
    file = storage.path_of(document.pk)
    file.rename(file.with_suffix(".away"))
    scanning.scan_due()
    file.with_suffix(".away").rename(file)
    rested(check)

    assert scanning.scan_due() == {"scanned": 1}
    assert check.documents.values_list("scan", "scan_error").get() == (Scan.CLEAN, "")


def test_a_file_at_which_the_scanner_breaks_goes_behind_the_others(aiko: User, clamd: Clamd) -> None:
    """It may be the file, it may be the scanner: the round ends, and the next begins with another file."""
    check = papers(aiko, state=State.PENDING)
    clamd.says = b"no verdict\0"
    assert scanning.scan_due() == {"scanned": 0}
    assert len(clamd.scanned) == 1
    clamd.says = b""
    assert scanning.scan_due() == {"scanned": 1}
    assert sorted(check.documents.values_list("scan", "scan_error")) == [(Scan.CLEAN, ""), (Scan.WAITING, "bad_body")]
    assert not Case.objects.exists()


def test_a_file_that_the_scanner_refuses_stays_closed_and_is_told_once(
    aiko: User, salesforce: Salesforce, clamd: Clamd
) -> None:
    clamd.says = b"INSTREAM size limit exceeded. ERROR\0"
    check = papers(aiko, state=State.PENDING)
    for _round in range(2):
        assert scanning.scan_due() == {"scanned": 0}
        rested(check)
    assert openable(check) == {False}
    assert "StreamMaxLength" in Case.objects.get().description

    on_its_way = papers(make_customer("later@example.jp"))
    for _try in range(submission.REFUSALS_BEFORE_A_CASE + 1):
        submit(on_its_way)
    assert "StreamMaxLength" in Case.objects.get(cause=f"identity_refused:{on_its_way.ref}").description
    assert salesforce.calls == []


def rested(check: IdentityCheck) -> None:
    check.documents.update(scan_after=timezone.now())


def test_papers_that_were_deleted_are_not_looked_for(aiko: User, clamd: Clamd) -> None:
    check = papers(aiko, state=State.VERIFIED)
    IdentityDocument.objects.filter(check_of=check).update(deleted_at=check.decided_at)
    assert scanning.scan_due() == {"scanned": 0}
