"""One customer with two windows: whatever comes first, the draft stays whole; and a window whose session is over."""

import threading
from collections.abc import Callable
from pathlib import Path

import django_rq
import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from accounts.identity import drafts, papers, storage
from accounts.identity.papers import Paper
from accounts.models import IdentityCheck, IdentityDocument, User
from integrations.failpoints import arm
from tests.accounts.security.conftest import passed
from tests.accounts.security.test_sessions import DAYS
from tests.people import PASSWORD, signed_in
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
FIRST, SECOND = Paper("image/jpeg", b"first"), Paper("image/jpeg", b"second")
State = IdentityCheck.State


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def both(point: str, first: Callable[[], object], second: Callable[[], object]) -> list[object]:
    """`first` stands before its commit until `second` waits for it; what `second` came to."""
    came: list[object] = []

    def other_window() -> None:
        try:
            came.append(second())
        except (drafts.NotOpen, drafts.NotTaken) as refusal:
            came.append(type(refusal))
        finally:
            connection.close()

    thread = threading.Thread(target=other_window)

    def meanwhile() -> None:
        thread.start()
        until(waits_for_a_lock, what="the second window to wait for the first")

    with arm(f"{point}:before=call@1", meanwhile):
        first()
    thread.join(timeout=30)
    assert not thread.is_alive()
    return came


@pytest.fixture
def draft(aiko: User) -> IdentityCheck:
    return drafts.begin(aiko, "my_number_card")


def test_of_two_fronts_at_once_one_stays(aiko: User, draft: IdentityCheck, papers: Path) -> None:
    both("identity.draft", lambda: drafts.add(aiko, "front", FIRST), lambda: drafts.add(aiko, "front", SECOND))
    document = IdentityDocument.objects.get()
    assert storage.read(document) == b"second"
    assert [path.name for path in papers.iterdir()] == [str(document.pk)]


def test_two_that_begin_at_once_share_one_draft(aiko: User) -> None:
    (second,) = both("identity.begin", lambda: drafts.begin(aiko, "passport"), lambda: drafts.begin(aiko, "passport"))
    assert IdentityCheck.objects.get() == second


def test_what_both_send_is_sent_once(aiko: User, draft: IdentityCheck) -> None:
    drafts.add(aiko, "front", FIRST)
    came = both("identity.draft", lambda: drafts.submit(aiko), lambda: drafts.submit(aiko))
    assert came == [drafts.NotOpen]
    assert IdentityCheck.objects.get().state == State.SUBMITTED
    assert len(django_rq.get_queue("cases").jobs) == 1


def test_a_file_that_comes_while_the_papers_are_sent_is_not_kept(
    aiko: User, draft: IdentityCheck, papers: Path
) -> None:
    drafts.add(aiko, "front", FIRST)
    came = both("identity.draft", lambda: drafts.submit(aiko), lambda: drafts.add(aiko, "front", SECOND))
    assert came == [drafts.NotOpen]
    assert storage.read(IdentityDocument.objects.get()) == b"first"
    assert len(list(papers.iterdir())) == 1


def test_papers_that_were_sent_cannot_be_removed_by_a_window_that_was_late(aiko: User, draft: IdentityCheck) -> None:
    document = drafts.add(aiko, "front", FIRST)
    came = both("identity.draft", lambda: drafts.submit(aiko), lambda: drafts.take_out(aiko, document.pk))
    assert came == [False]
    assert storage.read(document) == b"first"


@pytest.mark.parametrize("other", [drafts.submit, lambda user: drafts.begin(user, "passport")])
def test_what_happened_while_a_file_was_opened_counts(
    aiko: User, draft: IdentityCheck, monkeypatch: pytest.MonkeyPatch, other: Callable[[User], object]
) -> None:
    """Opening takes seconds, without a lock: the other window sent everything in, or chose another document."""
    drafts.begin(aiko, "residence_card")
    for side in ("front", "back"):
        drafts.add(aiko, side, FIRST)

    def slowly(_data: bytes) -> Paper:
        other(aiko)
        return SECOND

    monkeypatch.setattr(papers, "cleaned", slowly)
    answer = signed_in(aiko).post(reverse("identity_upload"), {"side": "back", "file": a_file()})
    assert (answer.status_code, answer["Location"]) == (302, reverse("identity"))
    assert b"second" not in [storage.read(each) for each in IdentityDocument.objects.all()]


def a_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", b"data")


@pytest.mark.parametrize("how", ["idle", "signed out elsewhere"])
def test_a_file_sent_after_the_session_is_not_kept_and_signing_in_leads_back_to_the_page(
    aiko: User, draft: IdentityCheck, papers: Path, how: str
) -> None:
    browser = signed_in(aiko)
    if how == "idle":
        passed(aiko, idle=15 * DAYS)
    else:
        Session.objects.all().delete()
    page = reverse("identity") + "?next=/checkout/"
    came_from = {"referer": f"http://testserver{page}"}

    answer = browser.post(reverse("identity_upload"), {"side": "front", "file": a_file()}, headers=came_from)

    assert answer["Location"] == "/account/login/?next=/account/identity/%3Fnext%3D/checkout/"
    assert not IdentityDocument.objects.exists()
    assert not papers.exists()
    again = browser.post(answer["Location"], {"login": aiko.email, "password": PASSWORD, "next": page})
    assert again["Location"] == page
    assert browser.get(page).status_code == 200
